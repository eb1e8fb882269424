"""Tables of the metric of networks of images, from the surveys of all configurations."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xarray as xr

from hyperribbon.representations.image_tables import (
    contrast_means,
    contrast_table,
    corner_table,
    crossing_table,
    path_table,
    picture_table,
    plane_table,
    spectrum_table,
)
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step

WHO = ["configuration", "network", "optimiser", "augmentation", "family"]
MOMENT = ["seed", "step", "epoch"]
PATH = ["kind", "path", "pair", "label_start", "label_stop"]
TABLES = {
    "image_paths": [*WHO, *MOMENT, *PATH, "position", "log_volume", "rank", "predicted"],
    "image_crossings": [*WHO, *MOMENT, *PATH, "position", "before", "after", "contrast", "peak"],
    "image_contrasts": [
        *WHO, *MOMENT, *PATH, "crossings", "position", "smallest_rank", "largest_rank", "contrast",
        "change", "peak", "excess",
    ],
    "image_contrast_means": [
        *WHO, "step", "epoch", "kind", "pair", "statistic", "mean", "low", "high", "positive",
        "paths", "left_out",
    ],
    "image_spectra": [
        *WHO, *MOMENT, "image", "label", "index", "eigenvalue", "rank", "condition"
    ],
    "image_planes": [*WHO, *MOMENT, "plane", "x", "y", "log_volume", "ricci", "predicted"],
    "image_plane_corners": ["plane", "image", "x", "y", "label"],
    "image_pictures": ["kind", "path", "position", "shape", "pixels"],
}  # fmt: skip
FUNCTIONS: dict[str, Callable[[xr.Dataset], pd.DataFrame]] = {
    "image_paths": path_table,
    "image_crossings": crossing_table,
    "image_contrasts": contrast_table,
    "image_spectra": spectrum_table,
    "image_planes": plane_table,
}
# Of images, which are the same for all configurations.
ONCE: dict[str, Callable[[xr.Dataset], pd.DataFrame]] = {
    "image_plane_corners": corner_table,
    "image_pictures": picture_table,
}


def main(surveys: list[Path], output: list[Path]) -> None:
    """Write the tables of all configurations whose metric was surveyed.

    Parameters
    ----------
    surveys : manifests
    output : CSV files, TABLE.csv
    """
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for path in surveys:
        store = open_dataset(store_path(path)).load()
        if "log_volume" not in store:  # all of its trainings diverged
            continue
        who = {"configuration": store.attrs["configuration_id"]}
        who |= {name: store.attrs[name] for name in WHO[1:]}
        for name, function in FUNCTIONS.items():
            found[name].append(function(store).assign(**who))
        for name, function in ONCE.items():
            found[name] = found[name] or [function(store)]
    if found["image_contrasts"]:
        contrasts = pd.concat(found["image_contrasts"])
        found["image_contrast_means"].append(contrast_means(contrasts, WHO))
    for path in output:
        parts, columns = found[path.stem], TABLES[path.stem]
        whole = pd.concat(parts) if parts else pd.DataFrame()
        write_table(whole.reindex(columns=columns), path)
        logger.info("%s: %d rows", path.stem, len(whole))


if __name__ == "__main__":
    run_step(main)
