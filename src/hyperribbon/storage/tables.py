"""The tidy tables of a study as CSV files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.storage.files import written_whole

TRAINING_KEYS = ["configuration", "network", "optimiser", "augmentation", "stage", "seed"]
# Columns that hold names, which may look like numbers.
NAMES = ["configuration", "other", "network", "optimiser", "augmentation", "stage"]
NAMES += ["near_geodesic", "near_end", "figure", "model"]
MODEL_KEYS = [*TRAINING_KEYS, "checkpoint", "step", "epoch"]


def coordinate_table(X: np.ndarray, count: int | None = None) -> pd.DataFrame:
    """Coordinates (m, k), or the first ``count`` of them, as columns ``pc1``, ``pc2``, ...

    Examples
    --------
    >>> coordinate_table(np.zeros((2, 5)), 3).columns.tolist()
    ['pc1', 'pc2', 'pc3']
    """
    X = X[:, :count]
    return pd.DataFrame(X, columns=[f"pc{k + 1}" for k in range(X.shape[1])])


def read_tables(paths: Sequence[Path]) -> dict[str, pd.DataFrame]:
    """CSV tables, by file name. Names stay text, even ``NA`` or ``01``."""
    names = dict.fromkeys(NAMES, str)
    return {
        path.stem: pd.read_csv(path, dtype=names, keep_default_na=False, na_values=[""])
        for path in paths
    }


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a CSV table, completely or not at all."""
    with written_whole(path) as partial:
        table.to_csv(partial, index=False)


def join_tables(parts: Sequence[Path], output: Sequence[Path]) -> None:
    """Put tables that several jobs wrote together.

    Parameters
    ----------
    parts : sequence of Path
        CSV files, TABLE-PIECE.csv.
    output : sequence of Path
        CSV files to write, TABLE.csv.
    """
    for path in output:
        chosen = [part for part in parts if part.stem.startswith(f"{path.stem}-")]
        # As text, so that numbers stay as they are written.
        found = [pd.read_csv(part, dtype=str, keep_default_na=False) for part in chosen]
        write_table(pd.concat(found), path)
