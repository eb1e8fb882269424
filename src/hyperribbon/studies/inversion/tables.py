"""Put the tables of the data sets of a study of class manifolds together."""

from pathlib import Path

from hyperribbon.studies.linear.tables import main as put_together
from hyperribbon.studies.step import run_step


def main(parts: list[Path], output: list[Path]) -> None:
    """Put tables together.

    Parameters
    ----------
    parts : CSV files, TABLE-DATA.csv
    output : CSV files, TABLE.csv
    """
    put_together(parts, output)


if __name__ == "__main__":
    run_step(main)
