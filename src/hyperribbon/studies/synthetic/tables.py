"""The tables of a study of synthetic data, of what was computed decay by decay."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.data.sloppy import load
from hyperribbon.data.spectrum import input_spectrum
from hyperribbon.storage.tables import read_tables, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.synthetic.config import SyntheticDataConfig

SHOWN = ("embedding", "geodesic")  # of some decays only: they have one row per model


def main(
    parts: list[Path],
    data: SyntheticDataConfig,
    decays: list[float],
    shown: list[float],
    output: list[Path],
) -> None:
    """Put the tables of all decays together.

    Parameters
    ----------
    parts : CSV files, KIND-DECAY.csv
    data : section of the study, JSON
    decays : of the inputs
    shown : decays whose models are embedded
    output : CSV files to write
    """
    found: dict[str, list[pd.DataFrame]] = {}
    for name, table in read_tables(parts).items():
        kind = name.split("-")[0]
        if kind not in SHOWN or table["decay"].isin(shown).all():
            found.setdefault(kind, []).append(table)
    for decay in decays:
        train, _ = load(decay=decay, **data.model_dump())
        spectrum = input_spectrum(np.asarray(train.images), decay)
        spectrum.insert(0, "data", "synthetic")
        spectrum.insert(1, "decay", decay)
        found.setdefault("spectra", []).append(spectrum)
    for path in output:
        write_table(pd.concat(found[path.stem.removeprefix("synthetic_")]), path)
    logger.info("%d tables of %d decays", len(output), len(decays))


if __name__ == "__main__":
    run_step(main)
