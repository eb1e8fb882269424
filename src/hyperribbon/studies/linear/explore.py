"""Write the interactive phase diagram as one HTML file that loads nothing from the network."""

from pathlib import Path

from hyperribbon.linear.phase import true_weights
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.linear.explorer import linear_explorer
from hyperribbon.studies.step import run_step


def main(phase: Path, linear: LinearConfig, output: Path) -> None:
    """Write the interactive phase diagram.

    Parameters
    ----------
    phase : linear_phase.csv
    linear : section of the study, JSON
    output : HTML file to write
    """
    true = true_weights(linear.draws, linear.samples, linear.seed)
    page = linear_explorer(read_tables([phase]), true, linear.fraction)
    with written_whole(output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
