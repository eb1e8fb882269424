"""Draw one figure from tables, as PNG and SVG."""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt

from hyperribbon.figures import FIGURES
from hyperribbon.figures.style import apply_style
from hyperribbon.steps import run_step, step_parser
from hyperribbon.tables import read_tables


def main(args: argparse.Namespace) -> None:
    apply_style()
    tables = read_tables(args.tables)
    figure = FIGURES[args.figure](tables)
    for path in args.output:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--figure", choices=FIGURES, required=True)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="PNG, SVG, ...")
    run_step(main, parser)
