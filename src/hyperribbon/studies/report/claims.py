"""Each claim that the study can judge beside what it measured, and the verdict."""

import argparse
from importlib import import_module
from pathlib import Path

import pandas as pd

from hyperribbon.reporting.claims import NOT_COMPARABLE, NOT_REPRODUCED, REPRODUCED, Claim, judge
from hyperribbon.reporting.page import write_page
from hyperribbon.storage.tables import read_tables, write_table
from hyperribbon.studies.part import Part
from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.step import logger, run_step, step_parser

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


def main(args: argparse.Namespace) -> None:
    tables = read_tables(args.tables)
    claims = pd.concat(
        [
            judge(claims_of(part), tables, args.study, part.data or args.data)
            for part in PARTS
            if part.name in args.parts
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


def claims_of(part: Part) -> list[Claim]:
    """All claims of a part."""
    return [claim for name in part.claims for claim in import_module(part.module(name)).CLAIMS]


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
    parser.add_argument("--parts", nargs="+", required=True, help="whose claims are judged")
    parser.add_argument("--data", required=True, help="name of its data set, if it has one")
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV and HTML files to write"
    )
    run_step(main, parser)
