"""Put the tables of the data sets of a study of linear regression together."""

from pathlib import Path

import pandas as pd

from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import run_step


def main(parts: list[Path], output: list[Path]) -> None:
    """Put tables together.

    Parameters
    ----------
    parts : CSV files, TABLE-DATA.csv
    output : CSV files, TABLE.csv
    """
    for path in output:
        chosen = [part for part in parts if part.stem.startswith(f"{path.stem}-")]
        # As text, so that numbers stay as they are written.
        found = [pd.read_csv(part, dtype=str, keep_default_na=False) for part in chosen]
        write_table(pd.concat(found), path)


if __name__ == "__main__":
    run_step(main)
