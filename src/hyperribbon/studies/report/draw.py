"""Draw figures from tables, each as PNG and SVG, and say which ones the study is too small for."""

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt

from hyperribbon.reporting.saving import FORMATS, save
from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> list[Path]:
    names, left_out = args.figures, {}
    args.folder.mkdir(parents=True, exist_ok=True)
    shares = [names[k :: args.threads] for k in range(min(args.threads, len(names)))]
    # Not by forking: threads of the libraries may hold locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares), context) as pool:
        for reasons in pool.map(partial(draw, args.tables, args.folder), shares):
            left_out |= reasons
    drawn = [name for name in names if name not in left_out]
    for path in args.folder.iterdir():  # of a run when the study was another
        if path.suffix in FORMATS and path.stem not in drawn:
            path.unlink()
    found = {"key": args.key, "drawn": drawn, "left_out": left_out}
    args.output.write_text(json.dumps(found, indent=1) + "\n")
    for name, reason in left_out.items():
        logger.info("%s left out: %s", name, reason)
    logger.info("%d figures", len(drawn))
    return [args.folder / f"{name}{suffix}" for name in drawn for suffix in FORMATS]


def draw(tables: list[Path], folder: Path, names: list[str]) -> dict[str, str]:
    """Write some figures; why those are left out for which the study is too small."""
    apply_style()
    found, left_out = read_tables(tables), {}
    for name in names:
        try:
            figure = figure_function(name)(found)
        except LeftOut as reason:
            left_out[name] = str(reason)
            continue
        save(figure, folder, name)
        plt.close(figure)
    return left_out


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--figures", nargs="+", required=True, metavar="NAME")
    parser.add_argument("--threads", type=int, required=True, help="figures drawn at once")
    parser.add_argument("--key", required=True, help="of the tables and the code; goes on the list")
    parser.add_argument("--folder", type=Path, required=True, help="where NAME.png and NAME.svg go")
    parser.add_argument(
        "--output", type=Path, required=True, help="JSON file: what was drawn and what left out"
    )
    run_step(main, parser)
