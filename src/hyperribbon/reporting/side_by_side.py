"""The verdicts of several studies side by side."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from hyperribbon.errors import DataError
from hyperribbon.reporting.verdicts import VERDICTS

NEEDED = ["claim", "source", "ours", "low", "high", "verdict", "note"]


def check_claims(claims: pd.DataFrame, where: str) -> None:
    """Refuse a table that is not one of claims, or has verdicts of another version.

    Raises
    ------
    DataError
        In one line that says where.

    Examples
    --------
    >>> check_claims(pd.DataFrame({"claim": ["1 + 1 = 2"]}), "claims.csv")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: claims.csv: no column source, expected a study's table of claims
    """
    for column in NEEDED:
        if column not in claims:
            raise DataError(f"{where}: no column {column}, expected a study's table of claims")
    unknown = claims.loc[~claims["verdict"].isin(VERDICTS), "verdict"]
    if len(unknown):
        raise DataError(
            f"{where}: verdict {unknown.iloc[0]!r}, expected one of {', '.join(VERDICTS)}; if "
            "another version of hyperribbon wrote it, run the study again"
        )


def claims_side_by_side(claims: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table with one row per claim, and the value, interval, verdict and note of each study.

    Parameters
    ----------
    claims : mapping
        Tables of claims, by study.

    Returns
    -------
    DataFrame of str
        The claim and its source are the index, in the order in which claims first occur. Columns
        have two levels: study, then value, 95% interval, verdict and note. They are empty where a
        study does not judge a claim.

    Examples
    --------
    >>> one = pd.DataFrame([["1 < 2", "Eq. 1", 0.5, 0.4, 0.6, "reproduced", None]], columns=NEEDED)
    >>> claims_side_by_side({"a": one})["a"].iloc[0].tolist()
    ['0.5', '0.4 to 0.6', 'reproduced', '']
    """
    columns = {}
    rows: dict[tuple, None] = {}
    for study, table in claims.items():
        # A claim may occur twice, with different rules.
        again = table.groupby(["claim", "source"], dropna=False).cumcount()
        keys = list(zip(table["claim"], table["source"], again, strict=True))
        rows |= dict.fromkeys(keys)
        words = pd.DataFrame(
            {
                "value": [_number(value) for value in table["ours"]],
                "interval": interval_in_words(table),
                "verdict": table["verdict"].tolist(),
                "note": table["note"].fillna("").astype(str).tolist(),
            },
            index=pd.MultiIndex.from_tuples(keys, names=["claim", "source", "again"]),
        )
        columns[study] = words
    found = pd.concat(columns, axis=1).reindex(
        pd.MultiIndex.from_tuples(rows, names=["claim", "source", "again"])
    )
    return found.fillna("").droplevel("again")


def interval_in_words(claims: pd.DataFrame) -> list[str]:
    """Both ends of each interval; empty where there is none."""
    ends = zip(claims["low"], claims["high"], strict=True)
    return ["" if pd.isna(low) else f"{low:.3g} to {high:.3g}" for low, high in ends]


def count_verdicts(claims: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Number of claims by study (rows) and verdict (columns).

    Examples
    --------
    >>> count_verdicts({"a": pd.DataFrame({"verdict": ["reproduced"]})}).loc["a", "reproduced"]
    np.int64(1)
    """
    counts = {study: table["verdict"].value_counts() for study, table in claims.items()}
    return pd.DataFrame(counts).reindex(list(VERDICTS)).fillna(0).astype(int).T


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3g}"
