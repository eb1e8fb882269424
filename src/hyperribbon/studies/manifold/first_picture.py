"""Draw the figure `manifold_train` while most tables are not there yet."""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt

from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.step import run_step, step_parser


def main(args: argparse.Namespace) -> None:
    apply_style()
    try:
        figure = figure_function("manifold_train")(read_tables(args.tables))
    except LeftOut as reason:
        figure = plt.figure(figsize=(5, 1))
        figure.text(0.5, 0.5, str(reason), ha="center", va="center", wrap=True)
    with written_whole(args.output) as partial:
        figure.savefig(partial, format="png")


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, required=True, help="PNG file to write")
    run_step(main, parser)
