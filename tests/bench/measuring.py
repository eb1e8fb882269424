"""What the benchmarks share: how a figure is shown, how time is taken, and the limit of products.

A share of what the machine can do is only worth something if the limit is measured as carefully as
what is compared with it: warm, with as many threads, in the same run, by the fastest library that
is there, and on shapes that suit it. `product_limit` is the one place that does this.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

FAILED = []
SIDES = (512, 1024, 2048, 4096)  # small ones are over before others take the processor


def report(what: str, figure: str, required: str = "", fine: bool = True) -> None:
    """Print a figure, and beside it what is required of it, if anything is."""
    verdict = f"required {required}: {'yes' if fine else 'NO'}" if required else ""
    print(f"{what:<58} {figure:>14}  {verdict}", flush=True)
    if not fine:
        FAILED.append(what)


def best_of(repeats: int, function: Callable, *args, **options) -> float:
    """Least time of some runs, in seconds; the first compiles and warms up."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function(*args, **options)
        times.append(perf_counter() - start)
    return min(times)


class Limit(NamedTuple):
    """The highest rate of a matrix product.

    rate : FLOP/s
    how : library and shape that reached it
    """

    rate: float
    how: str

    def __str__(self) -> str:
        return f"{self.rate / 1e9:,.0f} GFLOP/s ({self.how})"


def product_limit(
    dtype: torch.dtype,
    threads: int,
    shapes: Sequence[tuple[int, int, int]] = (),
    *,
    sides: Sequence[int] = SIDES,
    device: str = "cpu",
    seconds: float = 0.15,
) -> Limit:
    """The best rate of any library's product, over square matrices and shapes of the caller.

    Every product runs once to warm up, then for so many seconds, twice at least; its best run
    counts.

    Parameters
    ----------
    dtype : torch.float32 or torch.float64
    threads : int, of the CPU; those of what is compared with the limit
    shapes : (m, k, n) of products (m, k) @ (k, n) that what is compared really computes
    sides : of the square matrices
    device : "cpu" or "cuda"; there, torch's product alone
    seconds : float, of each library and shape
    """
    best = Limit(0.0, "")
    for m, k, n in [*((n, n, n) for n in sides), *shapes]:
        generator = torch.Generator().manual_seed(0)
        a, b = (torch.randn(s, dtype=dtype, generator=generator) for s in ((m, k), (k, n)))
        with _threads(threads):
            for library, product in _products(a.to(device), b.to(device)):
                rate = 2 * m * k * n / _least_time(product, seconds)
                best = max(best, Limit(rate, f"{library}, {m} x {k} x {n}"))
    return best


def report_share(what: str, rate: float, limit: Limit, least: float | None = None) -> None:
    """Print a rate as a share of the limit, with both, so that nothing hides behind the quotient.

    A share above 1 says that the limit was measured worse than what is compared with it: it is
    shown as it is, and fails.
    """
    share = rate / limit.rate
    required = "at most 100%" if least is None else f"{least:.0%} to 100%"
    fine = (least or 0) <= share <= 1
    report(what, f"{share:.0%}", required, fine)
    print(f"    {rate / 1e9:,.0f} GFLOP/s, of {limit}", flush=True)


def _products(a: torch.Tensor, b: torch.Tensor) -> Iterator[tuple[str, Callable[[], object]]]:
    out = a.new_empty(len(a), b.shape[1])
    yield "torch", lambda: torch.mm(a, b, out=out)
    if a.device.type != "cpu":
        return
    x, y, into = a.numpy(), b.numpy(), out.numpy()
    yield "numpy", lambda: np.matmul(x, y, out=into)
    if a.dtype == torch.float32 and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        transposed = b.T.contiguous()
        yield (
            "oneDNN",
            lambda: torch.ops.mkldnn._linear_pointwise(a, transposed, None, "none", [], ""),
        )


@contextmanager
def _threads(threads: int) -> Iterator[None]:
    """So many threads for torch and for numpy's BLAS."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            yield
    finally:
        torch.set_num_threads(before)


def _least_time(product: Callable[[], object], seconds: float) -> float:
    synchronise = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None

    def once() -> float:
        synchronise()
        start = perf_counter()
        product()
        synchronise()
        return perf_counter() - start

    once()
    times, start = [], perf_counter()
    while len(times) < 2 or perf_counter() - start < seconds:
        times.append(once())
    return min(times)
