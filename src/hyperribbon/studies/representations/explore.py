"""Write the maps of the plane as one HTML file that loads nothing from the network."""

from pathlib import Path

from hyperribbon.storage.files import written_whole
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.representations.explorer import representations_maps
from hyperribbon.studies.step import run_step


def main(maps: Path, output: Path) -> None:
    """Write the interactive maps.

    Parameters
    ----------
    maps : plane_maps.csv
    output : HTML file to write
    """
    page = representations_maps(read_tables([maps]))
    with written_whole(output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
