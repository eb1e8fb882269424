"""Put the tables of the data sets of a study of linear regression together."""

import argparse
from pathlib import Path

import pandas as pd

from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import run_step, step_parser


def main(args: argparse.Namespace) -> None:
    for path in args.output:
        parts = [part for part in args.parts if part.stem.startswith(f"{path.stem}-")]
        # As text, so that numbers stay as they are written.
        found = [pd.read_csv(part, dtype=str, keep_default_na=False) for part in parts]
        write_table(pd.concat(found), path)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="TABLE-DATA.csv, ...")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="TABLE.csv, ...")
    run_step(main, parser)
