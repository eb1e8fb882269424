"""Where tasks run: in threads of this process or, if a scheduler is named, on a Dask cluster."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager

from hyperribbon.bars import bar_over
from hyperribbon.errors import HyperribbonError, first_line
from hyperribbon.extras import needs
from hyperribbon.numerics.blocks import n_threads

logger = logging.getLogger(__name__)

_PATIENCE = 8  # s


@contextmanager
def dask_client() -> Iterator:
    """A client of the cluster that Dask's own configuration names; None if it names none.

    The key is ``scheduler-address``, or DASK_SCHEDULER_ADDRESS in the environment, which the
    workflow sets from ``dask.scheduler`` of a study.

    Raises
    ------
    HyperribbonError
        If no scheduler answers at that address, or the connection is lost later.

    Examples
    --------
    >>> with dask_client() as client:
    ...     print(client)
    None
    """
    config = needs("dask.config", "cluster", "dask_client")
    address = config.get("scheduler-address", None)
    if address is None:
        yield None
        return
    distributed = needs("distributed", "cluster", f"dask.scheduler = {address}")  # takes 0.5 s
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise HyperribbonError(
            f'dask.scheduler = "{address}": no scheduler answers there ({first_line(error)}); '
            "expected the address of a running one, such as tcp://10.0.0.1:8786, or no such key, "
            "to use the threads of each job"
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
                raise  # not the cluster's fault
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
    progress_bar: str | None = None,
) -> list:
    """Results of a function for all items, in order.

    Parameters
    ----------
    function : callable
        Function of one item.
    items : sequence
        The items. With a client, they and the function are sent to other processes.
    threads : int, optional
        Number of threads without a client; by default, all cores.
    client : distributed.Client, optional
        Client of a cluster.
    progress_bar : str, optional
        Name of a progress bar to show; none is shown if the output is not a terminal.

    Returns
    -------
    list
        The results.

    Examples
    --------
    >>> each(abs, [-1, 2], threads=2)
    [1, 2]
    """
    if client is None:
        # With a pool of its own, nothing is left running after a fault.
        with ThreadPoolExecutor(threads or n_threads()) as pool:
            return list(bar_over(pool.map(function, items), progress_bar, total=len(items)))
    from distributed import as_completed

    futures = client.map(function, items, pure=False)
    done = as_completed(futures, loop=client.loop)
    for _ in bar_over(done, progress_bar, total=len(items)):
        pass
    return client.gather(futures)
