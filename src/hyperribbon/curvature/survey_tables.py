"""Tables of what was found of a network over its training (thesis 4).

Each is made from the data set of `hyperribbon.curvature.over_training.survey_training`, called
``found``, and is empty where what it shows could not be had.

Examples
--------
>>> import torch
>>> from hyperribbon.curvature import Problem
>>> from hyperribbon.curvature.over_training import Moment, survey_training
>>> network = torch.nn.Linear(3, 2).double().eval()
>>> problem = Problem(network, torch.eye(3).double(), torch.tensor([0, 1, 0]))
>>> state = {"bias": np.zeros(2), "weight": np.full((2, 3), 0.1)}
>>> found = survey_training(problem, problem, [Moment(0, 0.0, state)], k=2)
>>> overlap_table(found)["spaces"].nunique(), len(reduction_table(found)) > 1
(3, True)
>>> density_table(found).empty  # the spectrum of few weights is complete
True
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.curvature.sloppiness import critical_number, elbow, stiff_fraction
from hyperribbon.curvature.spectrum import SpectralDensity
from hyperribbon.curvature.tables import SLOPES_FROM, named_spectra, sloppiness_row, thinned
from hyperribbon.embedding import InPCA
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance

RESOLVED = 1e-3  # of the largest; what is smaller 60 products cannot tell from 0


def moments(found: xr.Dataset) -> list[dict[str, object]]:
    """Name each snapshot ``initialisation``, ``middle`` or ``end``, with its epoch."""
    steps, last = found["snapshot_step"].values, found.sizes["snapshot"] - 1
    names = ["initialisation" if step == 0 else "middle" for step in steps]
    names[last] = "end"
    epochs = found["snapshot_epoch"].values
    return [{"moment": m, "epoch": float(e)} for m, e in zip(names, epochs, strict=True)]


def all_spectra(found: xr.Dataset) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    """Go through all spectra.

    Yields
    ------
    dict of moment, epoch, matrix and part, and the eigenvalues, descending
    """
    names = [name for name in map(str, found.data_vars) if name.endswith("_eigenvalue")]
    for k, moment in enumerate(moments(found)):
        spectra = {
            name.removesuffix("_eigenvalue"): found[name].isel(snapshot=k).values for name in names
        }
        for about, values in named_spectra(spectra, found["layer"].values.tolist()):
            yield {**moment, **about}, values


def spectrum_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per eigenvalue: moment, epoch, matrix, part, index and eigenvalue, thinned out."""
    return pd.concat(thinned(values).assign(**about) for about, values in all_spectra(found))


def sloppiness_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per spectrum: how many eigenvalues are stiff, and how fast sloppy ones decay.

    Columns are moment, epoch and those of `hyperribbon.curvature.tables.sloppiness_row`.
    """
    rows = []
    for about, values in all_spectra(found):
        name = "activations" if about["matrix"] == "input" else about["matrix"]
        complete = found[f"{name}_eigenvalue"].attrs["spectrum"] == "complete"
        rows.append({**about, **sloppiness_row(values, complete)})
    return pd.DataFrame(rows)


def overlap_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per moment, pair of spaces and number k of eigenvectors: overlap, and if random."""
    rows, p = [], int(found.attrs["n_parameters"])
    names = {
        "overlap_fisher_hessian": "Fisher and Hessian",
        "overlap_fisher_initial": "Fisher, with the initial one",
        "overlap_hessian_initial": "Hessian, with the initial one",
    }
    for variable, spaces in names.items():
        for moment, values in zip(moments(found), found[variable].values, strict=True):
            values = values[np.isfinite(values)]
            k = np.arange(1, len(values) + 1)
            table = pd.DataFrame({"k": k, "overlap": values, "random": k / p})
            rows.append(table.assign(spaces=spaces, **moment))
    return pd.concat(rows)


def product_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per pair of leading eigenvectors of Fisher matrix and Hessian, at the end.

    Next to their absolute inner product stands that of random directions, sqrt(2 / (pi p)).
    """
    values = found["inner_product"].values
    fisher, hessian = (axis.ravel() + 1 for axis in np.indices(values.shape))
    random = math.sqrt(2 / (math.pi * found.attrs["n_parameters"]))
    columns = {"fisher": fisher, "hessian": hessian, "inner_product": values.ravel()}
    return pd.DataFrame(columns).assign(random=random)


def reduction_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per reduced model: eigenvectors kept, their fraction of p, and both errors."""
    if "kept" not in found:
        return pd.DataFrame()
    kept, errors = found["kept"].values, found["reduced_error"]
    columns = {f"{split}_error": errors.sel(split=split).values for split in ("train", "test")}
    return pd.DataFrame({"fraction": kept / found.attrs["n_parameters"], "kept": kept, **columns})


def critical_table(found: xr.Dataset) -> pd.DataFrame:
    """One row: the fewest eigenvectors that predict about as well, and the stiff part of inputs."""
    if "kept" not in found:
        return pd.DataFrame()
    errors, p = found["reduced_error"].sel(split="test").values, int(found.attrs["n_parameters"])
    enough = critical_number(found["kept"].values, errors)
    inputs = found["activations_eigenvalue"].values[-1, 0]
    inputs = inputs[np.isfinite(inputs)]
    return pd.DataFrame([{
        "parameters": p, "samples": found.sizes["train_sample"], "test_error": errors[-1],
        "critical": enough, "critical_fraction": enough / p,
        "input_elbow": elbow(inputs, SLOPES_FROM),
        "stiff_fraction": stiff_fraction(inputs, int(found.attrs["n_inputs"])),
    }])  # fmt: skip


def density_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per size and sign: how many eigenvalues of the Hessian at the end are beyond it."""
    if "density_node" not in found:
        return pd.DataFrame()
    nodes, weights = found["density_node"].values, found["density_weight"].values
    p, largest = int(found.attrs["n_parameters"]), np.abs(nodes).max()
    sizes = np.geomspace(largest, RESOLVED * largest, 61)
    rows = []
    for sign, label in ((1, "positive"), (-1, "negative")):
        side = SpectralDensity(sign * nodes, weights, p)
        beyond, error = side.count_above(sizes)
        columns = {"magnitude": sizes, "beyond": beyond, "standard_error": error}
        rows.append(pd.DataFrame(columns).assign(sign=label))
    return pd.concat(rows)


def bound_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per bound by the norms of the weights, with the measured value, at the end."""
    names = [name for name in map(str, found.data_vars) if name.startswith("bound_")]
    if not names:
        return pd.DataFrame()
    table = pd.DataFrame({name.removeprefix("bound_"): found[name].values for name in names})
    return table.assign(ratio=table["measured"] / table["bound"])


def reduction_embedding_table(found: xr.Dataset) -> pd.DataFrame:
    """One row per sample and reduced model: its prediction as a point, by InPCA of the samples."""
    if "kept" not in found:
        return pd.DataFrame()
    rows, labels = [], found["train_label"].values
    for kept, P in zip(found["kept"].values, found["reduced_predictions"].values, strict=True):
        D = pairwise_distance(P[:, None, :])
        try:
            X = InPCA(3, metric="precomputed", random_state=0).fit_transform(D)
        except DataError:
            X = np.zeros((len(P), 3))  # all samples are predicted alike
        table = pd.DataFrame(X, columns=["pc1", "pc2", "pc3"])
        table = table.assign(kept=kept, sample=np.arange(len(P)), label=labels)
        rows.append(table.assign(fraction=kept / found.attrs["n_parameters"]))
    return pd.concat(rows)
