"""Speed of the distance engine on a GPU, and what it means for the whole study of the thesis.

    make bench-gpu

The floor is counted: a pair of models takes N C multiplications and additions. Exits with 1 if
there is no GPU, or if it disagrees with the CPU.
"""

import sys
from time import perf_counter

import numpy as np
import torch
from measuring import FAILED, Limit, product_limit, report_share

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.pairwise.plain import TorchKernel
from hyperribbon.training.loop import tf32

MODELS, SAMPLES, CLASSES = 151_407, 50_000, 10  # of the thesis


def main() -> None:
    if not torch.cuda.is_available():
        print("torch finds no CUDA device", file=sys.stderr)
        sys.exit(1)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    options = {"sides": (2048, 4096, 8192), "device": "cuda"}
    limit = product_limit(torch.float32, 1, **options)
    with tf32(allowed=True):
        tensor_cores = product_limit(torch.float32, 1, **options)
    # Three products of TF32 make one that is nearly of float32.
    limits = {"ieee": limit, "tf32x3": tensor_cores._replace(rate=tensor_cores.rate / 3)}
    rate = max(found.rate for found in limits.values())
    print(f"matrix product of float32: {limit}; a third of TF32's: {limits['tf32x3']}")
    whole = MODELS**2 * SAMPLES * CLASSES
    print(
        f"{MODELS:,} models x {SAMPLES:,} samples x {CLASSES} classes: {whole:.2g} operations, "
        f"{whole / rate:.0f} s at that rate"
    )
    fine = all([bench(4096, 4000, 10, limits), bench(512, 100, 1000, limits)])
    sys.exit(0 if fine and not FAILED else 1)


def timed(function) -> float:
    """Least time of four runs, in seconds; the first compiles."""
    times = []
    for _ in range(4):
        torch.cuda.synchronize()
        start = perf_counter()
        function()
        torch.cuda.synchronize()
        times.append(perf_counter() - start)
    return min(times)


def kernels() -> dict:
    """Every way to sum logarithms of coefficients in float32 on the GPU."""
    tiny = float(np.finfo(np.float32).tiny)
    plain = TorchKernel("log_coefficients", single=True, floor=tiny, device="cuda", threads=8)
    found = {"torch": plain}
    try:
        from hyperribbon.pairwise.cuda import TritonKernel
    except ImportError:
        print("Triton is not installed")
    else:
        for precision in ("ieee", "tf32x3"):
            for tile in ((128, 64), (64, 64)):
                found[f"Triton, {precision}, {tile}"] = TritonKernel(
                    floor=tiny, device="cuda", threads=8, tile=tile, precision=precision
                )
    return found


def bench(m: int, n_samples: int, n_classes: int, limits: dict[str, Limit]) -> bool:
    print(f"\nm = {m:,}, N = {n_samples:,}, C = {n_classes}, float32")
    generator = torch.Generator().manual_seed(0)
    P = torch.randn(m, n_samples, n_classes, generator=generator)
    P = (P * torch.linspace(0.1, 8, m)[:, None, None]).softmax(dim=2).numpy()
    rows = np.linspace(0, m - 1, 20).astype(int)
    expected = pairwise_distance(P[rows].astype(float), P.astype(float))
    operations = m**2 * n_samples * n_classes
    fine = True
    for name, kernel in kernels().items():
        packed = kernel.pack(lambda part: P[part], P.shape, "P")
        sums = np.zeros((m, m))
        kernel.add(packed, None, sums)
        D = np.triu(-sums / n_samples, 1)
        seconds = timed(lambda of=(packed, None, sums), kernel=kernel: kernel.add(*of))
        D += D.T
        error = (np.abs(D[rows] - expected) / np.maximum(1, expected)).max()
        fine &= bool(error <= 1e-6)
        rate = operations / seconds
        whole = MODELS**2 * SAMPLES * n_classes / rate
        print(
            f"{name:<26} {seconds:.3f} s, {rate / 1e12:.1f} TFLOP/s, error {error:.1e}; "
            f"the whole matrix in {whole / 60:.1f} minutes"
        )
        limit = limits["tf32x3" if "tf32x3" in name else "ieee"]
        report_share("    share of a matrix product", rate, limit)
    seconds = timed(lambda: pairwise_distance(P, device="cuda"))
    print(f"{'in all':<26} {seconds:.3f} s, from the host's memory and back")
    return fine


if __name__ == "__main__":
    main()
