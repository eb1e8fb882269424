"""The report's chapters, in the order of the story: Snakemake sorts them by name."""

from collections.abc import Iterable

OVERVIEW, TABLES = "Overview", "Tables"  # the first and the last


def chapters(categories: Iterable[str]) -> dict[str, str]:
    """Names to sort by, of the overview, then categories as they come, then the tables.

    >>> chapters(["Predictions", "Progress", "Predictions"])["Progress"]
    '3 Progress'
    """
    names = list(dict.fromkeys([OVERVIEW, *categories, TABLES]))
    width = len(str(len(names)))
    return {name: f"{k:0{width}} {name}" for k, name in enumerate(names, start=1)}
