"""Tables of curvature: spectra, how sloppy they are, eigenspaces, reduced models."""

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.curvature.sloppiness import (
    critical_number,
    effective_dimension,
    elbow,
    loose_bound,
    sloppy_factor,
    stiff_fraction,
    strength,
)
from hyperribbon.curvature.spectrum import SpectralDensity
from hyperribbon.curvature.tables import (
    SLOPES_FROM,
    SLOPPINESS_COLUMNS,
    SPECTRUM_COLUMNS,
    named_spectra,
    sloppiness_row,
    thinned,
)
from hyperribbon.embedding import InPCA
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import GRID, best_epsilon, loose_objective
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step, step_parser

WHO = ["configuration", "network", "optimiser", "augmentation"]
KEYS = [*WHO, "moment"]
OF_SPECTRA = [*KEYS, "epoch", *SPECTRUM_COLUMNS]
OF_SLOPPINESS = [*KEYS, "epoch", *SLOPPINESS_COLUMNS]
OF_DIMENSION = [*KEYS, "epoch", "n", "parameters", "squared_distance", "epsilon"]
OF_DIMENSION += ["effective_dimension", "strength", "sloppy_factor", "loose_bound", "objective"]
OF_OVERLAPS = [*KEYS, "epoch", "spaces", "k", "overlap", "random"]
OF_PRODUCTS = [*WHO, "fisher", "hessian"]
OF_PRODUCTS += ["inner_product", "random"]
OF_REDUCTION = [*WHO, "fraction", "kept"]
OF_REDUCTION += ["train_error", "test_error"]
OF_CERTIFICATES = [*WHO, "n", "parameters"]
CERTIFIED = ["train_error", "test_error", "epsilon", "squared_distance", "effective_dimension"]
CERTIFIED += ["error", "posterior_test_error", "error_limit", "kl", "penalty", "bound"]
CERTIFIED += ["non_vacuous"]
OF_CERTIFICATES += CERTIFIED
OF_POINTS = [*WHO, "fraction", "kept"]
OF_POINTS += ["sample", "label", "pc1", "pc2", "pc3"]
OF_DENSITY = [*WHO, "magnitude", "sign"]
OF_DENSITY += ["beyond", "standard_error"]
OF_BOUNDS = [*WHO, "statement", "quantity"]
OF_BOUNDS += ["layer", "index", "measured", "bound", "ratio"]
OF_CRITICAL = [*WHO, "parameters", "samples"]
OF_CRITICAL += ["test_error", "critical", "critical_fraction", "input_elbow", "stiff_fraction"]
RESOLVED = 1e-3  # of the largest; what is smaller 60 products cannot tell from 0


def main(args: argparse.Namespace) -> None:
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for path in args.curvature:
        store = open_dataset(store_path(path))
        if "fisher_eigenvalue" not in store:
            continue  # all seeds diverged
        who = {key: store.attrs[key] for key in ("network", "optimiser", "augmentation")}
        who = {"configuration": store.attrs["configuration_id"], **who}
        for name, function in FUNCTIONS.items():
            found[name].append(function(store).assign(**who))
    for path in args.output:
        parts, columns = found[path.stem], TABLES[path.stem]
        table = pd.concat(parts) if parts else pd.DataFrame(columns=columns)
        write_table(table[columns], path)
        logger.info("%s: %d rows", path.stem, len(table))


def moments(store: xr.Dataset) -> list[dict[str, object]]:
    """What each snapshot is: initialisation, middle or end, and its epoch."""
    steps, last = store["snapshot_step"].values, store.sizes["snapshot"] - 1
    names = ["initialisation" if step == 0 else "middle" for step in steps]
    names[last] = "end"
    epochs = store["snapshot_epoch"].values
    return [{"moment": m, "epoch": float(e)} for m, e in zip(names, epochs, strict=True)]


def all_spectra(store: xr.Dataset):
    """Of each spectrum: moment and epoch, its matrix and part, and eigenvalues, descending."""
    names = [name for name in store.data_vars if name.endswith("_eigenvalue")]
    for k, moment in enumerate(moments(store)):
        found = {
            name.removesuffix("_eigenvalue"): store[name].isel(snapshot=k).values for name in names
        }
        for about, values in named_spectra(found, store["layer"].values):
            yield {**moment, **about}, values


def spectra(store: xr.Dataset) -> pd.DataFrame:
    """One row an eigenvalue that is not rounding, thinned out."""
    return pd.concat(thinned(values).assign(**about) for about, values in all_spectra(store))


def sloppiness(store: xr.Dataset) -> pd.DataFrame:
    """One row a spectrum: how many are stiff, and how fast the sloppy ones decay."""
    rows = []
    for about, values in all_spectra(store):
        name = "activations" if about["matrix"] == "input" else about["matrix"]
        complete = store[f"{name}_eigenvalue"].attrs["spectrum"] == "complete"
        rows.append({**about, **sloppiness_row(values, complete)})
    return pd.DataFrame(rows, columns=[c for c in OF_SLOPPINESS if c not in WHO])


def dimension(store: xr.Dataset) -> pd.DataFrame:
    """One row a moment after the first: effective dimension and what follows from it (4.4).

    Of the Fisher matrix, which is the Hessian's positive semidefinite part, divided by ln 2; the
    scale of the prior is where the loose objective is least, n the training samples.
    """
    rows, n = [], int(store.attrs["train_samples"])
    for k, moment in enumerate(moments(store)):
        distance = float(store["squared_distance"][k])
        if distance == 0:
            continue  # the prior is around these weights
        values = store["fisher_eigenvalue"].values[k]
        values = values[np.isfinite(values)] / math.log(2)
        epsilon = best_epsilon(values, n, distance, **GRID).epsilon
        stiff = effective_dimension(values, n, epsilon)
        factor = sloppy_factor(values, stiff) if 0 < stiff < len(values) else math.nan
        s = strength(values, n, epsilon)
        rows.append({
            **moment, "n": n, "parameters": int(store.attrs["n_parameters"]),
            "squared_distance": distance, "epsilon": epsilon, "effective_dimension": stiff,
            "strength": s, "sloppy_factor": factor,
            "loose_bound": loose_bound(s, factor, n, epsilon, distance) if factor > 0 else math.nan,
            "objective": loose_objective(values, n, epsilon, distance),
        })  # fmt: skip
    return pd.DataFrame(rows, columns=[c for c in OF_DIMENSION if c not in WHO])


def eigenspace_overlaps(store: xr.Dataset) -> pd.DataFrame:
    """One row a moment, pair of spaces and number of leading eigenvectors k."""
    rows, p = [], int(store.attrs["n_parameters"])
    names = {
        "overlap_fisher_hessian": "Fisher and Hessian",
        "overlap_fisher_initial": "Fisher, with the initial one",
        "overlap_hessian_initial": "Hessian, with the initial one",
    }
    for variable, spaces in names.items():
        for moment, values in zip(moments(store), store[variable].values, strict=True):
            values = values[np.isfinite(values)]
            k = np.arange(1, len(values) + 1)
            table = pd.DataFrame({"k": k, "overlap": values, "random": k / p})
            rows.append(table.assign(spaces=spaces, **moment))
    return pd.concat(rows)


def eigenvector_products(store: xr.Dataset) -> pd.DataFrame:
    """One row a pair of leading eigenvectors at the end; random ones have sqrt(2 / (pi p))."""
    values = store["inner_product"].values
    fisher, hessian = (axis.ravel() + 1 for axis in np.indices(values.shape))
    random = math.sqrt(2 / (math.pi * store.attrs["n_parameters"]))
    columns = {"fisher": fisher, "hessian": hessian, "inner_product": values.ravel()}
    return pd.DataFrame(columns).assign(random=random)


def reduction(store: xr.Dataset) -> pd.DataFrame:
    """One row a reduced model."""
    if "kept" not in store:
        return pd.DataFrame(columns=OF_REDUCTION)
    kept, errors = store["kept"].values, store["reduced_error"]
    columns = {f"{split}_error": errors.sel(split=split).values for split in ("train", "test")}
    return pd.DataFrame({"fraction": kept / store.attrs["n_parameters"], "kept": kept, **columns})


def critical(store: xr.Dataset) -> pd.DataFrame:
    """One row: the fewest eigenvectors that predict about as well, and the inputs' stiff part."""
    if "kept" not in store:
        return pd.DataFrame(columns=OF_CRITICAL)
    errors, p = store["reduced_error"].sel(split="test").values, int(store.attrs["n_parameters"])
    enough = critical_number(store["kept"].values, errors)
    inputs = store["activations_eigenvalue"].values[-1, 0]
    inputs = inputs[np.isfinite(inputs)]
    return pd.DataFrame([{
        "parameters": p, "samples": store.sizes["train_sample"], "test_error": errors[-1],
        "critical": enough, "critical_fraction": enough / p,
        "input_elbow": elbow(inputs, SLOPES_FROM),
        "stiff_fraction": stiff_fraction(inputs, int(store.attrs["n_inputs"])),
    }])  # fmt: skip


def density(store: xr.Dataset) -> pd.DataFrame:
    """How many eigenvalues of the Hessian at the end are beyond each size, on either side of 0."""
    if "density_node" not in store:
        return pd.DataFrame(columns=OF_DENSITY)
    nodes, weights = store["density_node"].values, store["density_weight"].values
    p, largest = int(store.attrs["n_parameters"]), np.abs(nodes).max()
    sizes = np.geomspace(largest, RESOLVED * largest, 61)
    rows = []
    for sign, label in ((1, "positive"), (-1, "negative")):
        side = SpectralDensity(sign * nodes, weights, p)
        beyond, error = side.count_above(sizes)
        columns = {"magnitude": sizes, "beyond": beyond, "standard_error": error}
        rows.append(pd.DataFrame(columns).assign(sign=label))
    return pd.concat(rows)


def bounds(store: xr.Dataset) -> pd.DataFrame:
    """Each bound by the norms of the weights, beside what is measured, at the end of training."""
    names = [name for name in store.data_vars if name.startswith("bound_")]
    if not names:
        return pd.DataFrame(columns=OF_BOUNDS)
    table = pd.DataFrame({name.removeprefix("bound_"): store[name].values for name in names})
    return table.assign(ratio=table["measured"] / table["bound"])


def reduction_embedding(store: xr.Dataset) -> pd.DataFrame:
    """Each sample's prediction as a point, by InPCA, of each reduced model and of the whole one."""
    if "kept" not in store:
        return pd.DataFrame(columns=OF_POINTS)
    rows, labels = [], store["train_label"].values
    for kept, P in zip(store["kept"].values, store["reduced_predictions"].values, strict=True):
        D = pairwise_distance(P[:, None, :])
        try:
            X = InPCA(3, metric="precomputed", random_state=0).fit_transform(D)
        except DataError:
            X = np.zeros((len(P), 3))  # all samples are predicted alike
        table = coordinate_table(X).assign(kept=kept, sample=np.arange(len(P)), label=labels)
        rows.append(table.assign(fraction=kept / store.attrs["n_parameters"]))
    return pd.concat(rows)


def certificates(store: xr.Dataset) -> pd.DataFrame:
    """One row, if networks were drawn: a bound of the error on new samples."""
    if "certified_bound" not in store:
        return pd.DataFrame(columns=OF_CERTIFICATES)
    row = {name: store[f"certified_{name}"].values[()] for name in CERTIFIED}
    counts = {"n": store.attrs["train_samples"], "parameters": store.attrs["n_parameters"]}
    return pd.DataFrame([{**counts, **row}])


TABLES = {
    "spectra": OF_SPECTRA,
    "sloppiness": OF_SLOPPINESS,
    "effective_dimension": OF_DIMENSION,
    "eigenspace_overlaps": OF_OVERLAPS,
    "eigenvector_products": OF_PRODUCTS,
    "reduction": OF_REDUCTION,
    "reduction_embedding": OF_POINTS,
    "reduction_critical": OF_CRITICAL,
    "spectral_density": OF_DENSITY,
    "norm_bounds": OF_BOUNDS,
    "certificates": OF_CERTIFICATES,
}
FUNCTIONS = {
    "spectra": spectra,
    "sloppiness": sloppiness,
    "effective_dimension": dimension,
    "eigenspace_overlaps": eigenspace_overlaps,
    "eigenvector_products": eigenvector_products,
    "reduction": reduction,
    "reduction_embedding": reduction_embedding,
    "reduction_critical": critical,
    "spectral_density": density,
    "norm_bounds": bounds,
    "certificates": certificates,
}


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--curvature", type=Path, nargs="+", required=True, help="manifests")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="TABLE.csv, ...")
    run_step(main, parser)
