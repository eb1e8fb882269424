"""Draw the figure `manifold_train` while most tables are not there yet."""

from pathlib import Path

import matplotlib.pyplot as plt

from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.parts import figure_function
from hyperribbon.studies.step import run_step


def main(tables: list[Path], output: Path) -> None:
    """Draw the first picture.

    Parameters
    ----------
    tables : CSV files
    output : PNG file to write
    """
    apply_style()
    try:
        figure = figure_function("manifold_train")(read_tables(tables))
    except LeftOut as reason:
        figure = plt.figure(figsize=(5, 1))
        figure.text(0.5, 0.5, str(reason), ha="center", va="center", wrap=True)
    with written_whole(output) as partial:
        figure.savefig(partial, format="png")


if __name__ == "__main__":
    run_step(main)
