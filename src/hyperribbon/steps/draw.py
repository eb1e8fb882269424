"""Draw figures from tables, each as PNG and SVG."""

import argparse
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.collections import PathCollection

from hyperribbon.figures import ALL_FIGURES
from hyperribbon.figures.style import apply_style
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.tables import read_tables

MANY = 5000  # points; as many would make an SVG of megabytes, so they are an image in it


def main(args: argparse.Namespace) -> None:
    files: dict[str, list[Path]] = {}
    for path in args.output:
        files.setdefault(path.stem, []).append(path)
    names = list(files)
    shares = [
        {name: files[name] for name in names[k :: args.threads]}
        for k in range(min(args.threads, len(names)))
    ]
    # Not by forking: threads of the libraries may hold locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares), context) as pool:
        list(pool.map(partial(draw, args.tables), shares))
    logger.info("%d figures", len(names))


def draw(tables: list[Path], files: dict[str, list[Path]]) -> None:
    """Write some figures, each to its files."""
    apply_style()
    found = read_tables(tables)
    for name, paths in files.items():
        figure = ALL_FIGURES[name](found)
        for points in figure.findobj(lambda artist: type(artist) is PathCollection):  # not in 3-D
            points.set_rasterized(len(points.get_offsets()) > MANY)
        for path in paths:
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        plt.close(figure)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--threads", type=int, required=True, help="figures drawn at once")
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="FIGURE.png, FIGURE.svg, ..."
    )
    run_step(main, parser)
