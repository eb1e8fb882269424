"""Progress bars on stderr; nothing is shown without a title, or if stderr is no terminal."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import click

T = TypeVar("T")


def bar_over(items: Iterable[T], title: str | None, *, total: int | None = None) -> Iterator[T]:
    """Yield items, and show how many of them are done.

    Parameters
    ----------
    items : iterable
        What to iterate over.
    title : str, optional
        What is shown before the bar.
    total : int, optional
        Number of items; by default their length, if they have one.

    Examples
    --------
    >>> [n**2 for n in bar_over(range(3), "squares")]
    [0, 1, 4]
    """
    with _bar(title, items, total) as shown:
        yield from shown


def step_bar(total: int | None, title: str | None) -> AbstractContextManager[Any]:
    """Context manager whose value has a method ``update(n)``, to be called after ``n`` steps.

    The method takes a second argument, a text that is shown after the bar.

    Parameters
    ----------
    total : int, optional
        Number of steps, if it is known.
    title : str, optional
        What is shown before the bar.

    Examples
    --------
    >>> with step_bar(10, "steps") as bar:
    ...     bar.update(4)
    """
    return _bar(title, None if total is not None else itertools.count(), total)


def _bar(title: str | None, items: Iterable[T] | None, total: int | None):
    return click.progressbar(
        items,
        length=total,
        label=title,
        hidden=not (title and sys.stderr.isatty()),
        item_show_func=lambda item: item if isinstance(item, str) else None,
        file=sys.stderr,
    )
