"""Figures of users, for the report of a study whose ``plugins`` register them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from hyperribbon.errors import DataError
from hyperribbon.studies.part import OwnFigure
from hyperribbon.studies.parts import FIGURES
from hyperribbon.studies.plugins.tables import call_with_tables, checked_needs

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Function = TypeVar("Function", bound=Callable[..., Any])
OWN = "Your own figures"
CATEGORIES = [*dict.fromkeys(figure.category for figure in FIGURES.values()), OWN]


def register_figure(
    *, needs: Sequence[str], caption: str, category: str = OWN, splits: bool = False
) -> Callable[[Function], Function]:
    """Register a figure of your own, by a decorator of the function that draws it.

    A study whose ``plugins`` register it draws it as PNG and SVG, by the name of the function, and
    shows it in its report. It is left out, and the report says so, of a study that lacks one of
    its tables, or if the function raises `hyperribbon.reporting.style.LeftOut`.

    Parameters
    ----------
    needs : sequence of str
        Names of the tables that it is drawn from; ``results/README.md`` lists them.
    caption : str
        Its caption in the report, plain text.
    category : str
        The report's chapter: one of those that there are, or "Your own figures".
    splits : bool
        Whether there is one figure for each split. The function then takes ``split``, "train" or
        "test".

    Returns
    -------
    callable
        Decorator of a function of the tables, a mapping from name to DataFrame. It returns a
        figure of matplotlib, or axes of one.

    Raises
    ------
    DataError
        If the name is taken, or there is no such table or category.

    Examples
    --------
    >>> @register_figure(needs=["models"], caption="Losses of all models.")
    ... def losses(tables):
    ...     return tables["models"]["loss"].plot.hist()
    """

    def register(function: Function) -> Function:
        name = getattr(function, "__name__", repr(function))
        given = f"figure = {name!r}"
        if category not in CATEGORIES:
            expected = f"expected one of {', '.join(map(repr, CATEGORIES))}"
            raise DataError(f"{given}: category = {category!r}, {expected}")
        if not isinstance(caption, str) or not caption.strip():
            raise DataError(f"{given}: caption = {caption!r}, expected a sentence or more")
        figure = OwnFigure(
            name,
            category,
            about="",
            caption=_plain(caption),
            splits=splits,
            function=partial(_draw, function, checked_needs(needs, given)),
        )
        for other in FIGURES.values():
            taken = other.drawn().keys() & figure.drawn().keys()
            if other.name != name and taken:
                raise DataError(f"{given}: {min(taken)} is a file of the figure {other.name}")
        FIGURES.register(name, figure, definition=function)
        return function

    return register


def _plain(text: str) -> str:
    """Words that reStructuredText, and the templates around it, show as they are."""
    return "".join(c if c.isalnum() or c == " " else f"\\{c}" for c in " ".join(text.split()))


def _draw(
    function: Callable, needs: tuple[str, ...], tables: Mapping[str, pd.DataFrame], **split: str
) -> Figure:
    """The figure that a function of a user draws."""
    from matplotlib.figure import Figure

    from hyperribbon.reporting.style import LeftOut

    given = f"figure = {function.__name__!r}"
    drawn = call_with_tables(function, needs, tables, given, LeftOut, **split)
    found = getattr(drawn, "figure", drawn)  # of axes
    if not isinstance(found, Figure):
        kind = type(drawn).__name__
        raise DataError(f"{given}: returned {kind}, expected a figure of matplotlib, or axes")
    return found
