"""Where tasks run: in threads of this process or, if a scheduler is named, on a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import dask
import dask.threaded
from tqdm import tqdm

from hyperribbon.errors import HyperribbonError, first_line
from hyperribbon.numerics.blocks import n_threads

logger = logging.getLogger(__name__)

_PATIENCE = 8  # s


@contextmanager
def dask_client() -> Iterator:
    """A client of the cluster that Dask's own configuration names; None if it names none.

    That is ``scheduler-address`` there, or DASK_SCHEDULER_ADDRESS in the environment, which the
    workflow sets from ``dask.scheduler`` of a study.

    Raises
    ------
    HyperribbonError
        If no scheduler answers at that address, or it is lost later.

    Examples
    --------
    >>> with dask_client() as client:
    ...     print(client)
    None
    """
    address = dask.config.get("scheduler-address", None)
    if address is None:
        yield None
        return
    from distributed import Client  # 0.5 s to import

    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise HyperribbonError(
            f'dask.scheduler = "{address}": no scheduler answers there ({first_line(error)}); '
            "expected the address of a running one, such as tcp://10.0.0.1:8786, or no such key, "
            "for the threads of each job"
        ) from None
    with client:
        n_workers = len(client.nthreads())
        logger.info("on the cluster at %s: %d workers", address, n_workers)
        if not n_workers:
            logger.warning("no workers yet: waiting for the first")
        try:
            yield client
        except (CancelledError, OSError) as error:
            if client.status == "running" and not isinstance(error, CancelledError):
                raise  # nothing of the cluster's
            raise HyperribbonError(
                f'dask.scheduler = "{address}": the scheduler was lost; what is finished is kept, '
                "run again"
            ) from None


def each(
    function: Callable,
    items: Sequence,
    *,
    threads: int | None = None,
    client=None,
    progress: str | None = None,
) -> list:
    """Results of a function for all items, in order.

    Parameters
    ----------
    function : of one item
    items : which, like the function, can be sent to another process if there is a client
    threads : int, without a client; all cores by default
    client : of a cluster
    progress : name of a bar to show; quiet when the output is not a terminal

    Examples
    --------
    >>> each(abs, [-1, 2], threads=2)
    [1, 2]
    """
    bar = tqdm(total=len(items), desc=progress, leave=False, disable=None if progress else True)

    def one(item):
        result = function(item)
        bar.update()
        return result

    with bar:
        if client is None:
            # Dask looks into lists and tuples that it is given for tasks, not into partial.
            graph = {("each", n): (partial(one, item),) for n, item in enumerate(items)}
            # A pool of its own: after a fault, nothing is left running.
            with ThreadPoolExecutor(threads or n_threads()) as pool:
                return list(dask.threaded.get(graph, list(graph), pool=pool))
        from distributed import as_completed

        futures = client.map(function, items, pure=False)
        for _ in as_completed(futures, loop=client.loop):
            bar.update()
        return client.gather(futures)
