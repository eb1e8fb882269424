"""Write the interactive picture as one HTML file that loads nothing from the network."""

from pathlib import Path

from hyperribbon.analysis.explorer import explorer
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.step import run_step


def main(tables: list[Path], output: Path) -> None:
    """Write the interactive picture of all models.

    Parameters
    ----------
    tables : CSV files
    output : HTML file to write
    """
    page = explorer(read_tables(tables))
    with written_whole(output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
