"""What figures and claims of users share: functions of some tables of a study."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hyperribbon.errors import DataError, HyperribbonError, in_own_code
from hyperribbon.studies.parts import TABLES

if TYPE_CHECKING:
    import pandas as pd


def checked_needs(needs: Sequence[str], given: str) -> tuple[str, ...]:
    """Names of tables, if some step writes them.

    Parameters
    ----------
    needs : sequence of str
        Names of tables.
    given : str
        Who needs them, for messages.
    """
    if isinstance(needs, str) or not isinstance(needs, Sequence) or not needs:
        raise DataError(f"{given}: needs = {needs!r}, expected a list of names of tables")
    for table in needs:
        if table not in TABLES:
            close = difflib.get_close_matches(str(table), TABLES, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            expected = f"expected some of {', '.join(TABLES)}{hint}"
            raise DataError(f"{given}: needs = {table!r}, {expected}")
    return tuple(needs)


def call_with_tables(
    function: Callable[..., Any],
    needs: Sequence[str],
    tables: Mapping[str, pd.DataFrame],
    given: str,
    excuse: type[Exception],
    **more: str,
) -> Any:
    """What a function of a user makes of the tables that it needs, and of no others.

    Parameters
    ----------
    function : callable
        Function of tables by name.
    needs : sequence of str
        Their names.
    tables : mapping
        All tables of a study.
    given : str
        What the function is for, for messages.
    excuse : type
        What is raised, by this function or the user's, if there is nothing to compute.
    **more : str
        Further arguments of the function.

    Raises
    ------
    DataError
        If the function fails.
    """
    missing = [table for table in needs if table not in tables]
    if missing:
        raise excuse(f"This study has no table {missing[0]}.")
    try:
        return function({table: tables[table] for table in needs}, **more)
    except (HyperribbonError, excuse):
        raise
    except Exception as error:  # another author's code may raise anything
        wanted = error.args[0] if isinstance(error, KeyError) and error.args else None
        hint = f"; needs has only {', '.join(needs)}" if wanted in TABLES else ""
        raise DataError(f"{given}: {in_own_code(error)}{hint}") from None
