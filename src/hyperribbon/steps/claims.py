"""Each claim that the study can judge beside what it measured, and the verdict."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from hyperribbon.claims import Claim, chapter2, curvature, judge, linear, regression, synthetic
from hyperribbon.claims.rules import NOT_COMPARABLE, NOT_REPRODUCED, REPRODUCED
from hyperribbon.page import write_page
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.tables import read_tables, write_table

INTRODUCTION = (
    "Claims of The Hidden Geometry of Learning, and what this study measured. Each is judged by "
    "the rule beside it, which was fixed before the numbers: first the rules, then the numbers; "
    "those on synthetic data when a first, reduced study of them had been run, some on linear "
    "regression after a first look at its phase diagram. A published value "
    "is compared only with one from the data set it was published for; networks, samples and "
    "epochs of this study may be fewer than the dissertation's, and the study says how many. "
    "Intervals are 95%, from drawing configurations again with all their seeds, unless the note "
    "says otherwise; none where there is one configuration."
)


class Part(NamedTuple):
    """Claims on one part of a study.

    table : which only a study with that part has
    claims : to judge
    data : name of its data set, if that is not the study's
    """

    table: str
    claims: Sequence[Claim]
    data: str = ""


PARTS = [
    Part("explained_stress", chapter2.CLAIMS),
    Part("eigenspace_overlaps", curvature.CLAIMS),
    Part("synthetic_stress", synthetic.CLAIMS, "synthetic"),
    Part("regression_sloppiness", regression.CLAIMS, "boston"),
    Part("linear_phase", linear.CLAIMS, "linear"),
]


def main(args: argparse.Namespace) -> None:
    tables = read_tables(args.tables)
    claims = pd.concat(
        [
            judge(part.claims, tables, args.study, part.data or args.data)
            for part in PARTS
            if part.table in tables
        ],
        ignore_index=True,
    )
    write_table(claims, args.output[0])
    counts = (
        claims["verdict"]
        .value_counts()
        .reindex([REPRODUCED, NOT_REPRODUCED, NOT_COMPARABLE], fill_value=0)
    )
    found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    data = ", ".join(claims["data"].unique())
    numbers = claims.assign(interval=interval(claims), ours=claims["ours"].map("{:.3g}".format))
    shown = ["claim", "published", "ours", "interval", "verdict", "note"]
    write_page(
        args.output[1],
        "Claims",
        {
            "Claims": INTRODUCTION,
            "Rules": claims[["claim", "source", "rule"]].rename(columns={"rule": "reproduced if"}),
            f"Verdicts: {found} (study {args.study}, data {data})": numbers[shown],
        },
    )
    logger.info("%d claims: %s", len(claims), found)


def interval(claims: pd.DataFrame) -> list[str]:
    """Both ends, in words."""
    return [
        "" if pd.isna(row.low) else f"{row.low:.3g} to {row.high:.3g}"
        for row in claims.itertuples()
    ]


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--study", required=True, help="its name")
    parser.add_argument("--data", required=True, help="name of its data set, if it has one")
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV and HTML files to write"
    )
    run_step(main, parser)
