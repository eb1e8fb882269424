"""The tidy tables of a study, as files."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from hyperribbon.files import written_whole

TRAINING_KEYS = ["configuration", "network", "optimiser", "augmentation", "stage", "seed"]
MODEL_KEYS = [*TRAINING_KEYS, "checkpoint", "step", "epoch"]


def read_tables(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """CSV tables by file name. Names stay text, were they ``NA`` or ``01``."""
    names = dict.fromkeys(["configuration", "other", "network", "optimiser", "augmentation"], str)
    return {
        path.stem: pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])
        for path in paths
    }


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV table, whole or not at all."""
    with written_whole(path) as partial:
        table.to_csv(partial, index=False)
