"""Write the interactive picture as one HTML file that loads nothing from the network."""

import argparse
from pathlib import Path

from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.manifold.explorer import explorer
from hyperribbon.studies.step import run_step, step_parser


def main(args: argparse.Namespace) -> None:
    page = explorer(read_tables(args.tables))
    with written_whole(args.output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    run_step(main, parser)
