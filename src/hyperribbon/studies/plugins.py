"""Figures and claims of users, for the report of a study.

A study lists the files that register them under ``plugins``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeVar

from hyperribbon.errors import DataError, HyperribbonError, in_own_code
from hyperribbon.registry import Registry
from hyperribbon.reporting.claims import Claim, NotHere, Ours, rule_named
from hyperribbon.studies.part import OwnFigure
from hyperribbon.studies.parts import FIGURES, TABLES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Function = TypeVar("Function", bound=Callable[..., Any])
CLAIMS: Registry[Claim] = Registry("claim", {})
OWN = "Your own figures"
CATEGORIES = [*dict.fromkeys(figure.category for figure in FIGURES.values()), OWN]
COMPARED = ("at least", "at most", "within")  # with the published value


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
            function=partial(_draw, function, _checked(needs, given)),
        )
        for other in FIGURES.values():
            taken = other.drawn().keys() & figure.drawn().keys()
            if other.name != name and taken:
                raise DataError(f"{given}: {min(taken)} is a file of the figure {other.name}")
        FIGURES.register(name, figure, definition=function)
        return function

    return register


def register_claim(
    text: str, *, source: str, rule: str, needs: Sequence[str], published: float = nan
) -> Callable[[Function], Function]:
    """Register a claim of your own, by a decorator of the function that measures it.

    A study whose ``plugins`` register it judges it, and shows the verdict on its page of claims. It
    is not comparable in a study that lacks one of its tables, or if the function raises
    `hyperribbon.reporting.claims.NotHere`.

    Parameters
    ----------
    text : str
        The claim, in a sentence.
    source : str
        Who makes it, and where.
    rule : str
        When it counts as reproduced: what the study measured, or its interval, is "at least" or
        "at most" the published value, "within 0.05" of it (or another number), "positive" or
        "negative".
    needs : sequence of str
        Names of the tables that it is measured from; ``results/README.md`` lists them.
    published : float
        The published value, for a rule that compares with it.

    Returns
    -------
    callable
        Decorator of a function of the tables, a mapping from name to DataFrame. It returns a
        number, or a number and both ends of its 95% interval.

    Raises
    ------
    DataError
        If the function's name is taken, there is no such rule or table, or the rule needs a
        published value.

    Examples
    --------
    >>> @register_claim(
    ...     "Models end with an error below one half.",
    ...     source="common sense",
    ...     rule="at most",
    ...     published=0.5,
    ...     needs=["models"],
    ... )
    ... def last_error(tables):
    ...     return tables["models"].groupby("configuration")["error"].last().mean()
    """

    def register(function: Function) -> Function:
        name = getattr(function, "__name__", repr(function))
        given = f"claim = {name!r}"
        for key, value in {"text": text, "source": source}.items():
            if not isinstance(value, str) or not value.strip():
                raise DataError(f"{given}: {key} = {value!r}, expected words")
        try:
            judged_by = rule_named(rule)
        except DataError as error:
            raise DataError(f"{given}: {error}") from None
        number = isinstance(published, int | float) and not isinstance(published, bool)
        if not number or (rule.startswith(COMPARED) and not isfinite(published)):
            expected = f"expected a number, with which the rule {rule!r} compares"
            raise DataError(f"{given}: published = {published!r}, {expected}")
        measure = partial(_measure, function, _checked(needs, given))
        claim = Claim(text, source, judged_by, measure, float(published))
        CLAIMS.register(name, claim, definition=function)
        return function

    return register


def _checked(needs: Sequence[str], given: str) -> tuple[str, ...]:
    """Names of tables, if some step writes them."""
    if isinstance(needs, str) or not isinstance(needs, Sequence) or not needs:
        raise DataError(f"{given}: needs = {needs!r}, expected a list of names of tables")
    for table in needs:
        if table not in TABLES:
            close = difflib.get_close_matches(str(table), TABLES, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            expected = f"expected some of {', '.join(TABLES)}{hint}"
            raise DataError(f"{given}: needs = {table!r}, {expected}")
    return tuple(needs)


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
    missing = [table for table in needs if table not in tables]
    if missing:
        raise LeftOut(f"This study has no table {missing[0]}.")
    try:
        drawn = function({table: tables[table] for table in needs}, **split)
    except (HyperribbonError, LeftOut):
        raise
    except Exception as error:  # another author's code may raise anything
        raise DataError(f"{given}: {in_own_code(error)}{_undeclared(error, needs)}") from None
    found = getattr(drawn, "figure", drawn)  # of axes
    if not isinstance(found, Figure):
        kind = type(drawn).__name__
        raise DataError(f"{given}: returned {kind}, expected a figure of matplotlib, or axes")
    return found


def _measure(
    function: Callable, needs: tuple[str, ...], tables: Mapping[str, pd.DataFrame]
) -> Ours:
    """What a function of a user measures."""
    given = f"claim = {function.__name__!r}"
    missing = [table for table in needs if table not in tables]
    if missing:
        raise NotHere(f"this study has no table {missing[0]}")
    try:
        found = function({table: tables[table] for table in needs})
    except (HyperribbonError, NotHere):
        raise
    except Exception as error:  # another author's code may raise anything
        raise DataError(f"{given}: {in_own_code(error)}{_undeclared(error, needs)}") from None
    if isinstance(found, Ours):
        return found
    try:
        numbers = [float(number) for number in (found if isinstance(found, tuple) else (found,))]
        if len(numbers) not in (1, 3):
            raise ValueError
    except (TypeError, ValueError):
        expected = "expected a number, or a number and both ends of its interval"
        raise DataError(f"{given}: returned {repr(found)[:60]}, {expected}") from None
    value, low, high = numbers if len(numbers) == 3 else (*numbers, nan, nan)
    return Ours(value, low, high)


def _undeclared(error: Exception, needs: Sequence[str]) -> str:
    """A remark on a table that exists, but was not asked for."""
    name = error.args[0] if isinstance(error, KeyError) and error.args else None
    return f"; needs has only {', '.join(needs)}" if name in TABLES else ""
