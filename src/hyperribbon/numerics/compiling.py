"""Compiled functions whose machine code is cached on disk for other processes."""

from __future__ import annotations

from collections.abc import Callable

from numba import njit


def compiled(**options) -> Callable[[Callable], Callable]:
    """Decorate a function as `numba.njit` does, and cache its machine code.

    The cache is ``__pycache__`` next to the module or, if that cannot be written, the user's cache
    folder; if neither can, each process compiles the function. Code is looked up by the processor,
    the types of the arguments and the text of the module, so everything that a function uses must
    be in the same module or part of numba.

    Not for functions that call other compiled functions: a process that compiles them and a process
    that finds them in the cache would call different copies of the inner function, which may round
    differently (numba 0.68).

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
        except RuntimeError:  # no folder for the cache, e.g. for a function that is in no file
            return njit(**options)(function)

    return decorate
