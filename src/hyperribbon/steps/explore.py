"""Write the interactive picture as one HTML file that loads nothing from the network."""

import argparse
from pathlib import Path

from hyperribbon.figures.explorer import explorer
from hyperribbon.files import written_whole
from hyperribbon.steps import run_step, step_parser
from hyperribbon.tables import read_tables


def main(args: argparse.Namespace) -> None:
    page = explorer(read_tables(args.tables))
    with written_whole(args.output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    run_step(main, parser)
