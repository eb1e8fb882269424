"""Everything that chapter 4 measures of one network at one moment of its training."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from hyperribbon.curvature.correlations import layer_spectra
from hyperribbon.curvature.gram import FisherEigenpairs, JacobianGram
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.operators import Fisher, Hessian
from hyperribbon.curvature.problem import Problem
from hyperribbon.curvature.spectrum import DENSE, WholeEigenpairs, extreme_eigenpairs
from hyperribbon.errors import DataError

WHOLE = 6_000  # most rows N C of a Gram matrix: 0.3 GB, and as much again
TOLERANCE = 1e-4  # relative residual of eigenpairs, far below what a figure shows
KFAC_EIGENVALUES = 2_000


@dataclass
class Survey:
    """Spectra of a network, and the leading eigenvectors of Fisher matrix and Hessian.

    Attributes
    ----------
    spectra : dict of eigenvalues, descending, by ``"activations"`` and ``"gradients"`` (layer,
        index), ``"jacobian"`` of each logit (class, index), ``"jacobian_summed"``,
        ``"jacobian_all"``, ``"fisher"``, ``"empirical_fisher"``, ``"hessian"`` (by magnitude) and
        ``"kfac"``
    partial : names of the spectra of which only leading eigenvalues are known
    layers : names of the layers; the first layer's activations are the network's inputs
    fisher_vectors, hessian_vectors : (p, k), leading eigenvectors
    fisher : all p eigenpairs of the Fisher matrix, or all with nonzero eigenvalue; None where
        neither is feasible
    """

    spectra: dict[str, np.ndarray]
    partial: set[str]
    layers: list[str]
    fisher_vectors: np.ndarray
    hessian_vectors: np.ndarray
    fisher: FisherEigenpairs | WholeEigenpairs | None


def survey(problem: Problem, k: int, *, progress_bar: str | None = None) -> Survey:
    """Compute spectra of correlations, Jacobians, Fisher matrices, Hessian and KFAC.

    With up to 5,000 weights, the spectra of Fisher matrix and Hessian are complete. With N C up to
    6,000, the spectra of the Jacobians and of both Fisher matrices are complete except for zeros.
    With more samples and weights, only the k leading eigenvalues of Fisher matrix and Hessian are
    computed. KFAC is left out for networks that it does not support.

    Parameters
    ----------
    problem : Problem with cross-entropy
    k : int, number of leading eigenpairs
    progress_bar : name of progress bars to show; none if the output is not a terminal
    """

    def label(matrix: str) -> str | None:
        return progress_bar and f"{progress_bar}, {matrix}"

    layers = layer_spectra(problem)
    spectra = {
        kind: padded([layer[kind] for layer in layers.values()])
        for kind in ("activations", "gradients")
    }
    k, partial = min(k, problem.n_parameters), {"kfac"}
    fisher: FisherEigenpairs | WholeEigenpairs | None = None
    few_weights = problem.n_parameters <= DENSE
    if problem.n_samples * problem.n_outputs <= WHOLE:
        gram = JacobianGram(problem, progress_bar=label("Jacobian"))
        spectra["jacobian"] = np.stack([gram.logit(c) for c in range(problem.n_outputs)])
        spectra["jacobian_summed"] = gram.summed()
        spectra["jacobian_all"] = gram.all_logits()
        spectra["empirical_fisher"] = gram.empirical_fisher()
        if not few_weights:
            fisher = gram.fisher_eigenpairs()
        del gram
    if few_weights:
        fisher = WholeEigenpairs(Fisher(problem), progress_bar=label("Fisher"))
        hessian = WholeEigenpairs(Hessian(problem), progress_bar=label("Hessian"))
        by_size = np.argsort(-np.abs(hessian.eigenvalues), kind="stable")
        spectra["hessian"], hessian_vectors = hessian.eigenvalues[by_size], hessian.leading(k)
    else:
        partial.add("hessian")
        spectra["hessian"], hessian_vectors = extreme_eigenpairs(
            Hessian(problem), k, tol=TOLERANCE, progress_bar=label("Hessian")
        )
    if fisher is not None:
        spectra["fisher"] = np.maximum(fisher.eigenvalues, 0)  # only rounding makes one negative
        fisher_vectors = fisher.leading(min(k, len(fisher.eigenvalues)))
    else:
        partial.add("fisher")
        spectra["fisher"], fisher_vectors = extreme_eigenpairs(
            Fisher(problem), k, tol=TOLERANCE, progress_bar=label("Fisher")
        )
    # Some layers have no Kronecker factors.
    with suppress(DataError):
        spectra["kfac"] = np.sort(KFAC(problem).eigenvalues)[: -KFAC_EIGENVALUES - 1 : -1]
    return Survey(spectra, partial, list(layers), fisher_vectors, hessian_vectors, fisher)


def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of different lengths as one array (n, longest), filled up with NaN."""
    found = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for k, row in enumerate(rows):
        found[k, : len(row)] = row
    return found
