"""Verdicts on all claims that the study can judge."""

from importlib import import_module
from pathlib import Path

import pandas as pd

from hyperribbon.reporting.claims import Claim, judge
from hyperribbon.reporting.page import write_page
from hyperribbon.reporting.side_by_side import interval_in_words
from hyperribbon.reporting.verdicts import CONTRADICTED, REPRODUCED, UNDECIDED, VERDICTS
from hyperribbon.storage.tables import read_tables, write_table
from hyperribbon.studies.part import Part
from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.plugins.claims import CLAIMS
from hyperribbon.studies.step import logger, run_step

INTRODUCTION = (
    "Claims of The Hidden Geometry of Learning, and of papers beside it, compared with what "
    "this study measured. Each claim has a rule, which names the values for which the claim holds; "
    "a published value has a margin within which another value counts as equivalent. The verdict "
    "depends on the whole 95% interval of what was measured: reproduced, if all of it is where the "
    "claim holds; contradicted, if none of it is; undecided otherwise, and if there is no "
    "interval. The interval describes how much the value would vary if the study were "
    "repeated with other units of the kind that is named with it, such as other configurations; "
    "values that are computed without drawing anything are exact. Detectable is how far from the "
    "rule's limit a value must be for a verdict in four of five such studies. "
    "A published value is compared only with a value from the same data set. The networks, "
    "samples and epochs of this study may be fewer than the source's; the study says how many. "
)
WRITTEN_LATER = (
    "Rules and margins were fixed before the numbers were known, with exceptions: those on "
    "synthetic data were written after a first, reduced study of them, some of those on linear "
    "regression after a first look at its phase diagram, those on representations after a look at "
    "small runs, and those on linear classifiers and on equal numbers of removed samples after a "
    "first study of the inversion. In those on tasks, what is compared was limited to progress "
    "that all reach after a first study, in which means over different ranges said little. Numbers "
    "of samples and levels in those on bases were chosen after a look at the default study. "
    "Margins, and the four verdicts, were introduced when the default study and the small studies "
    "of CIFAR-10, synthetic data and linear regression had been judged by an earlier form of "
    "these rules, which counted a claim as reproduced if a part of the interval agreed. When "
    "cifar10_overnight had been judged, a check by somebody else found intervals without width: "
    "since then, units that all agree have the interval of a share, or none, as has one unit on a "
    "side of a comparison; and the share of AllCNN away is one of configurations. "
)


OWN = "The last ones are those that the study's own plugins register."


def main(
    tables: list[Path],
    study: str,
    parts: list[str],
    data: str,
    output: tuple[Path, Path],
    registered: tuple[str, ...] = (),
) -> None:
    """Judge all claims of the parts of a study.

    Parameters
    ----------
    tables : CSV files
    study : its name
    parts : names of the parts whose claims are judged
    data : name of its data set, if it has one
    output : CSV and HTML files to write
    registered : claims that plugins register
    """
    found = read_tables(tables)
    claims = pd.concat(
        [
            *(
                judge(claims_of(part), found, study, part.data or data)
                for part in PARTS
                if part.name in parts
            ),
            judge([CLAIMS.find(name) for name in registered], found, study, data),
        ],
        ignore_index=True,
    )
    write_table(claims, output[0])
    counts = claims["verdict"].value_counts().reindex(VERDICTS, fill_value=0)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    all_data = ", ".join(claims["data"].unique())
    numbers = claims.assign(interval=interval_in_words(claims))
    for name in ("ours", "detectable"):
        numbers[name] = ["" if pd.isna(value) else f"{value:.3g}" for value in claims[name]]
    rules = {"rule": "reproduced if the whole interval is", "drawn": "interval from"}
    write_page(
        output[1],
        "Claims",
        {
            "Claims": INTRODUCTION + WRITTEN_LATER + by_chance(claims) + OWN * bool(registered),
            "Rules": claims[["claim", "source", "rule", "margin", "drawn", "sample"]].rename(
                columns=rules
            ),
            f"Verdicts: {verdicts} (study {study}, data {all_data})": numbers[
                ["claim", "published", "ours", "interval", "detectable", "verdict", "note"]
            ],
        },
    )
    logger.info("%d claims: %s", len(claims), verdicts)


def by_chance(claims: pd.DataFrame) -> str:
    """How many claims would be contradicted by chance, in a sentence.

    If a value is just at its rule's limit, its interval misses the limit on that side in one of 40
    studies.
    """
    judged = claims["verdict"].isin((REPRODUCED, CONTRADICTED, UNDECIDED))
    drawn = (judged & (claims["low"] < claims["high"])).sum()
    return (
        f"Many claims are judged at once: {drawn} by intervals that were drawn. Even if all of "
        f"them held, each just at its limit, {drawn / 40:.1f} would be contradicted by chance; "
        "fewer, if they hold by more. "
    )


def claims_of(part: Part) -> list[Claim]:
    """All claims of a part."""
    return [claim for name in part.claims for claim in import_module(part.module(name)).CLAIMS]


if __name__ == "__main__":
    run_step(main)
