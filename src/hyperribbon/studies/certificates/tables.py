"""Put the tables of all certificates of a study together."""

from pathlib import Path

from hyperribbon.storage.tables import join_tables
from hyperribbon.studies.step import run_step


def main(parts: list[Path], output: list[Path]) -> None:
    """Put tables together.

    Parameters
    ----------
    parts : CSV files, TABLE-CONFIGURATION-METHOD.csv
    output : CSV files, TABLE.csv
    """
    join_tables(parts, output)


if __name__ == "__main__":
    run_step(main)
