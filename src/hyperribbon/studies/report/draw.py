"""Draw figures from tables, each as PNG and SVG, and say which ones the study is too small for."""

import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt

from hyperribbon.config.plugins import load_in_job
from hyperribbon.reporting.saving import FORMATS, save
from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.step import logger, run_step


def main(
    tables: list[Path], figures: list[str], threads: int, key: str, folder: Path, output: Path
) -> list[Path]:
    """Draw figures.

    Parameters
    ----------
    tables : CSV files
    figures : names
    threads : number of figures drawn at once
    key : of the tables and the code; it goes on the list
    folder : where NAME.png and NAME.svg go
    output : JSON file to write: what was drawn, and what was left out and why

    Returns
    -------
    Files of the figures
    """
    folder.mkdir(parents=True, exist_ok=True)
    shares = [figures[k::threads] for k in range(min(threads, len(figures)))]
    # Not by forking: threads of the libraries may hold locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(len(shares) - 1, 1), context) as pool:
        others = pool.map(partial(draw, tables, folder), shares[1:])
        left_out = draw(tables, folder, shares[0])
        for reasons in others:
            left_out |= reasons
    drawn = [name for name in figures if name not in left_out]
    for path in folder.iterdir():  # of a run when the study was another
        if path.suffix in FORMATS and path.stem not in drawn:
            path.unlink()
    found = {"key": key, "drawn": drawn, "left_out": left_out}
    output.write_text(json.dumps(found, indent=1) + "\n")
    for name, reason in left_out.items():
        logger.info("%s left out: %s", name, reason)
    logger.info("%d figures", len(drawn))
    return [folder / f"{name}{suffix}" for name in drawn for suffix in FORMATS]


def draw(tables: list[Path], folder: Path, names: list[str]) -> dict[str, str]:
    """Write some figures; return why others are left out, for which the study is too small."""
    apply_style()
    load_in_job()  # this may be a process of its own
    found = read_tables(tables)
    left_out: dict[str, str] = {}
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
    run_step(main)
