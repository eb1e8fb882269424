"""Tables of curvature: spectra, how sloppy they are, eigenspaces, reduced models."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.curvature.survey_tables import (
    bound_table,
    critical_table,
    density_table,
    moments,
    overlap_table,
    product_table,
    reduction_embedding_table,
    reduction_table,
    sloppiness_table,
    spectrum_table,
)
from hyperribbon.curvature.tables import SLOPPINESS_COLUMNS, SPECTRUM_COLUMNS
from hyperribbon.pac_bayes.analytic import dimension_row
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step

WHO = ["configuration", "network", "optimiser", "augmentation"]
WHEN = ["moment", "epoch"]
DIMENSION = ["n", "parameters", "squared_distance", "epsilon", "effective_dimension", "strength"]
DIMENSION += ["sloppy_factor", "loose_bound", "objective"]
CRITICAL = ["parameters", "samples", "test_error", "critical", "critical_fraction", "input_elbow"]
CRITICAL += ["stiff_fraction"]


def main(curvature: list[Path], output: list[Path]) -> None:
    """Write the tables of all configurations whose curvature was computed.

    Parameters
    ----------
    curvature : manifests
    output : CSV files, TABLE.csv
    """
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for path in curvature:
        store = open_dataset(store_path(path))
        if "fisher_eigenvalue" not in store:
            continue  # all seeds diverged
        who = {key: store.attrs[key] for key in ("network", "optimiser", "augmentation")}
        who = {"configuration": store.attrs["configuration_id"], **who}
        for name, function in FUNCTIONS.items():
            table = function(store)
            if not table.empty:
                found[name].append(table.assign(**who))
    for path in output:
        parts, columns = found[path.stem], TABLES[path.stem]
        whole = pd.concat(parts) if parts else pd.DataFrame()
        write_table(whole.reindex(columns=columns), path)
        logger.info("%s: %d rows", path.stem, len(whole))


def dimension(store: xr.Dataset) -> pd.DataFrame:
    """One row per moment after the first: effective dimension and what follows from it."""
    rows, n = [], int(store.attrs["train_samples"])
    for k, moment in enumerate(moments(store)):
        distance = float(store["squared_distance"][k])
        if distance == 0:
            continue  # the prior is around these weights
        values = store["fisher_eigenvalue"].values[k]
        values = values[np.isfinite(values)] / math.log(2)
        about = {
            "n": n,
            "parameters": int(store.attrs["n_parameters"]),
            "squared_distance": distance,
        }
        rows.append({**moment, **about, **dimension_row(values, n, distance)})
    return pd.DataFrame(rows)


TABLES = {
    "spectra": [*WHO, *WHEN, *SPECTRUM_COLUMNS],
    "sloppiness": [*WHO, *WHEN, *SLOPPINESS_COLUMNS],
    "effective_dimension": [*WHO, *WHEN, *DIMENSION],
    "eigenspace_overlaps": [*WHO, *WHEN, "spaces", "k", "overlap", "random"],
    "eigenvector_products": [*WHO, "fisher", "hessian", "inner_product", "random"],
    "reduction": [*WHO, "fraction", "kept", "train_error", "test_error"],
    "reduction_embedding": [*WHO, "fraction", "kept", "sample", "label", "pc1", "pc2", "pc3"],
    "reduction_critical": [*WHO, *CRITICAL],
    "spectral_density": [*WHO, "magnitude", "sign", "beyond", "standard_error"],
    "norm_bounds": [*WHO, "statement", "quantity", "layer", "index", "measured", "bound", "ratio"],
}
FUNCTIONS: dict[str, Callable[[xr.Dataset], pd.DataFrame]] = {
    "spectra": spectrum_table,
    "sloppiness": sloppiness_table,
    "effective_dimension": dimension,
    "eigenspace_overlaps": overlap_table,
    "eigenvector_products": product_table,
    "reduction": reduction_table,
    "reduction_embedding": reduction_embedding_table,
    "reduction_critical": critical_table,
    "spectral_density": density_table,
    "norm_bounds": bound_table,
}


if __name__ == "__main__":
    run_step(main)
