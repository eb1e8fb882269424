"""Claims of users, which a study judges whose ``plugins`` register them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, TypeVar

from hyperribbon.errors import DataError
from hyperribbon.registry import Registry
from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import rule_named
from hyperribbon.studies.plugins.tables import call_with_tables, checked_needs

if TYPE_CHECKING:
    import pandas as pd

Function = TypeVar("Function", bound=Callable[..., Any])
CLAIMS: Registry[Claim] = Registry("claim", {})
COMPARED = ("at least", "at most", "within")  # with the published value


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
        When it counts as reproduced: the whole interval of what the study measured is "at least"
        or "at most" the published value, "within 0.05" of it (or another number), "positive" or
        "negative". If none of it is, the claim is contradicted, otherwise undecided.
    needs : sequence of str
        Names of the tables that it is measured from; ``results/README.md`` lists them.
    published : float
        The published value, for a rule that compares with it.

    Returns
    -------
    callable
        Decorator of a function of the tables, a mapping from name to DataFrame. It returns a
        number and both ends of its 95% interval, or what a function of
        `hyperribbon.reporting.statistics` returns, such as `with_interval`. A number alone leaves
        the claim undecided; return ``(value, value, value)`` if it is exact.

    Raises
    ------
    DataError
        If the function's name is taken, there is no such rule or table, or the rule needs a
        published value.

    Examples
    --------
    >>> from hyperribbon.reporting.statistics import weighted_mean, with_interval
    >>> @register_claim(
    ...     "Models end with an error below one half.",
    ...     source="common sense",
    ...     rule="at most",
    ...     published=0.5,
    ...     needs=["models"],
    ... )
    ... def last_error(tables):
    ...     ends = tables["models"].groupby(["configuration", "seed"])["error"].last().reset_index()
    ...     return with_interval(lambda w: weighted_mean(ends["error"], w), ends)
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
        measure = partial(_measure, function, checked_needs(needs, given))
        claim = Claim(text, source, judged_by, measure, float(published))
        CLAIMS.register(name, claim, definition=function)
        return function

    return register


def _measure(
    function: Callable, needs: tuple[str, ...], tables: Mapping[str, pd.DataFrame]
) -> Ours:
    """What a function of a user measures."""
    given = f"claim = {function.__name__!r}"
    found = call_with_tables(function, needs, tables, given, NotHere)
    if isinstance(found, Ours):
        return found
    try:
        numbers = [float(number) for number in (found if isinstance(found, tuple) else (found,))]
        if len(numbers) not in (1, 3) or numbers[1:] != sorted(numbers[1:]):
            raise ValueError
    except (TypeError, ValueError):
        expected = "expected a number, or a number and both ends of its interval"
        shown = " ".join(repr(found).split())[:60]
        raise DataError(f"{given}: returned {shown}, {expected}") from None
    value, low, high = numbers if len(numbers) == 3 else (*numbers, nan, nan)
    if len(numbers) == 1:
        return Ours(value, note="no interval: the function returned one number")
    return Ours(value, low, high, drawn="by the plugin")
