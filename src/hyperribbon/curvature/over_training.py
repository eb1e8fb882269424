"""What chapter 4 asks of one network over its training, as one labelled data set."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from hyperribbon.curvature.bounds import Bound, norm_bounds
from hyperribbon.curvature.gram import FisherEigenpairs
from hyperribbon.curvature.operators import Hessian
from hyperribbon.curvature.overlap import overlaps, subspace_overlap
from hyperribbon.curvature.problem import Problem, kinks
from hyperribbon.curvature.reduction import reduced_models
from hyperribbon.curvature.spectrum import WholeEigenpairs, spectral_density
from hyperribbon.curvature.survey import WHOLE, Survey, padded, survey
from hyperribbon.errors import DataError
from hyperribbon.networks.weights import put_weights

logger = logging.getLogger(__name__)

FRACTIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)  # of the weights
_DENSITY = {"steps": 60, "probes": 4}
_LAYERED = {"activations": "layer", "gradients": "layer", "jacobian": "class"}
_TEXTS = ("statement", "quantity")  # of a bound
Variables = dict[str, Any]


class Moment(NamedTuple):
    """A moment of a training at which its weights were kept."""

    step: int
    epoch: float
    weights: Mapping[str, np.ndarray]
    """Weights, and statistics of BatchNorm, by name, as in ``network.state_dict()``."""


def survey_training(
    problem: Problem,
    test: Problem,
    moments: Iterable[Moment],
    k: int,
    *,
    label: str = "curvature",
) -> xr.Dataset:
    """Survey a network at several moments, and the model at the end beyond that.

    Parameters
    ----------
    problem : a network on training samples; the weights of each moment are put into it, and the
        last ones stay there
    test : the same network on test samples
    moments : in the order of training; read one by one
    k : int, leading eigenpairs
    label : name of bars to show, and of the network in the log

    Returns
    -------
    Dataset with

    - ``X_eigenvalue`` (snapshot, ...) for every matrix X of `hyperribbon.curvature.survey.Survey`,
      NaN beyond the end of shorter spectra; its attribute ``spectrum`` is ``complete`` or
      ``leading``
    - ``overlap_fisher_hessian``, ``overlap_fisher_initial``, ``overlap_hessian_initial``
      (snapshot, k): overlaps of the spaces of the stiffest directions
    - ``inner_product``: of leading eigenvectors of Fisher matrix and Hessian, at the end
    - ``squared_distance`` (snapshot): of the weights from the first ones
    - of the model at the end, as far as they can be had: ``kept``, ``reduced_error`` and
      ``reduced_predictions`` of reduced models, ``density_node`` and ``density_weight`` of the
      Hessian's spectral density, and ``bound_...`` of bounds by the norms of the weights

    and the attributes ``n_inputs`` and ``n_parameters``. `hyperribbon.curvature.survey_tables`
    makes tables of it.

    Examples
    --------
    >>> import torch
    >>> network = torch.nn.Linear(3, 2).double().eval()
    >>> problem = Problem(network, torch.eye(3).double(), torch.tensor([0, 1, 0]))
    >>> states = [{"bias": np.zeros(2), "weight": np.full((2, 3), w)} for w in (0.1, 0.2)]
    >>> moments = [Moment(step, float(step), state) for step, state in enumerate(states)]
    >>> found = survey_training(problem, problem, moments, k=2)
    >>> found["fisher_eigenvalue"].shape, found["squared_distance"].values.round(2).tolist()
    ((2, 8), [0.0, 0.06])
    """
    steps, epochs, spectra, agreements, weights = [], [], [], [], []
    first: Survey | None = None
    for step, epoch, state in moments:
        put_weights(problem.network, state)
        moment = f"{label} step {step}"
        now = survey(problem, k, progress_bar=moment)
        first = first or replace(now, fisher=None)  # of the first, no whole eigenspace is kept
        steps.append(step)
        epochs.append(epoch)
        spectra.append(now.spectra)
        agreements.append(_agreement(first, now))
        weights.append(problem.flat_weights())
        if at_kink := kinks(problem):
            logger.warning("%s: %d inputs of ReLU are exactly 0, at its kink", moment, at_kink)
        logger.info("%s: p = %d, %d samples", moment, problem.n_parameters, problem.n_samples)
    if first is None:
        raise DataError("moments: there are none, expected one or more")
    variables = _eigenvalues(spectra, now.partial)
    for name in agreements[0]:
        variables[name] = (("snapshot", "k"), padded([found[name] for found in agreements]))
    products = overlaps(now.fisher_vectors, now.hessian_vectors)
    variables["inner_product"] = (("fisher_vector", "hessian_vector"), products, {"of": "the end"})
    distance = [float(((w - weights[0]) ** 2).sum()) for w in weights]
    about = {"long_name": "squared, from the first weights kept"}
    variables["squared_distance"] = ("snapshot", distance, about)
    if now.fisher is not None:
        variables |= _reduction(now.fisher, test)
    if "hessian" in now.partial:
        variables |= _density(problem, label)
    variables |= _bounds(problem)
    coordinates = {
        "snapshot_step": ("snapshot", np.array(steps)),
        "snapshot_epoch": ("snapshot", np.array(epochs)),
        "layer": np.array(now.layers, dtype=object),
        "class": np.arange(problem.n_outputs),
        "split": np.array(["train", "test"], dtype=object),
        "train_label": ("train_sample", problem.targets.cpu().numpy()),
    }
    counts = {
        "n_inputs": prod(problem.inputs.shape[1:]),
        "n_parameters": problem.n_parameters,
    }
    return xr.Dataset(variables, coordinates, counts)


def _eigenvalues(spectra: list[dict[str, np.ndarray]], partial: set[str]) -> Variables:
    """Eigenvalues by snapshot; NaN beyond the end of shorter ones."""
    found: Variables = {}
    for name in spectra[0]:
        values = [of_moment[name] for of_moment in spectra]
        known = {"spectrum": "leading" if name in partial else "complete"}
        index = f"{name}_index"
        if name in _LAYERED:
            dims: tuple[str, ...] = ("snapshot", _LAYERED[name], index)
            found[f"{name}_eigenvalue"] = (dims, np.stack(values), known)
        else:
            found[f"{name}_eigenvalue"] = (("snapshot", index), padded(values), known)
    return found


def _agreement(first: Survey, now: Survey) -> dict[str, np.ndarray]:
    """How far stiff directions agree: of Fisher matrix and Hessian, and with those at first."""
    F, H = now.fisher_vectors, now.hessian_vectors
    return {
        "overlap_fisher_hessian": subspace_overlap(F, H),
        "overlap_fisher_initial": subspace_overlap(first.fisher_vectors, F),
        "overlap_hessian_initial": subspace_overlap(first.hessian_vectors, H),
    }


def _reduction(eigenpairs: FisherEigenpairs | WholeEigenpairs, test: Problem) -> Variables:
    """Models reduced to the first k eigenvectors, to all that are not 0, and the whole one."""
    found = reduced_models(eigenpairs, test, FRACTIONS)
    return {
        "kept": ("reduced", found.kept, {"long_name": "eigenvectors; at last, all weights"}),
        "reduced_error": (("reduced", "split"), found.errors),
        "reduced_predictions": (("reduced", "train_sample", "class"), found.predictions),
    }


def _density(problem: Problem, label: str) -> Variables:
    """Density of the Hessian's spectrum."""
    found = spectral_density(Hessian(problem), **_DENSITY, progress_bar=f"{label}, density")
    dims, about = ("probe", "node"), {"of": "the Hessian at the end"}
    return {
        "density_node": (dims, found.nodes, about),
        "density_weight": (dims, found.weights, about),
    }


def _bounds(problem: Problem) -> Variables:
    """Bounds by the norms of the weights, of networks for which they were proved."""
    if problem.n_samples * problem.n_outputs > WHOLE:
        return {}
    try:
        found = norm_bounds(problem)
    except DataError as error:
        logger.info("no bounds by norms: %s", error)
        return {}
    columns = zip(Bound._fields, zip(*found, strict=True), strict=True)
    return {
        f"bound_{name}": ("bound", np.array(values, object if name in _TEXTS else None))
        for name, values in columns
    }
