"""One thread of BLAS for work that is too small for several."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from threadpoolctl import ThreadpoolController

from hyperribbon.numerics.blocks import in_threads


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that are loaded, which takes milliseconds to find out."""
    return ThreadpoolController()


def one_blas_thread():
    """A context in which BLAS uses one thread, entered in microseconds."""
    return _libraries().limit(limits=1, user_api="blas")


def over_blocks(function: Callable, blocks: Iterable) -> Iterator:
    """Yield the results of a function for blocks, as `in_threads`; a single one needs no thread.

    Examples
    --------
    >>> list(over_blocks(abs, [-1])), list(over_blocks(abs, [-1, 2, -3]))
    ([1], [1, 2, 3])
    """
    blocks = list(blocks)
    if len(blocks) > 1:
        yield from in_threads(function, blocks)
    elif blocks:
        with one_blas_thread():
            found = function(blocks[0])
        yield found
