"""Compiled functions whose machine code is kept on disk, so that each process need not make it."""

from __future__ import annotations

from collections.abc import Callable

from numba import njit


def compiled(**options) -> Callable[[Callable], Callable]:
    """Decorate a function as `numba.njit` does, and keep its machine code in a cache.

    The cache is ``__pycache__`` beside the module, or the user's cache folder where that cannot be
    written; where neither can, the function is compiled in each process. Code is looked up by the
    processor, the types of the arguments and the text of the module, so what a function uses must
    stand in the same module or be numba's own.

    Not for functions that call other compiled ones: a process that compiles them calls one copy of
    their code, a process that finds them another, which may round otherwise (numba 0.68).

    Examples
    --------
    >>> @compiled(nogil=True)
    ... def twice(x):
    ...     return 2 * x
    >>> twice(3)
    6
    """

    def decorate(function: Callable) -> Callable:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no folder to keep it in, as for a function that is in no file
            return njit(**options)(function)

    return decorate
