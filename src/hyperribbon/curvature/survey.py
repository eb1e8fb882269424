"""Everything chapter 4 asks of one network at one moment of its training."""

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

WHOLE = 6_000  # rows of a Gram matrix that is formed, N C: 0.3 GB, and as much again
TOLERANCE = 1e-4  # relative residual of eigenpairs: far below what is seen in a figure
KFAC_EIGENVALUES = 2_000


@dataclass
class Survey:
    """Spectra, and the eigenvectors that are compared.

    Attributes
    ----------
    spectra : dict of eigenvalues, descending, by ``"activations"`` and ``"gradients"`` (layer,
        index), ``"jacobian"`` of each logit (class, index), ``"jacobian_summed"``,
        ``"jacobian_all"``, ``"fisher"``, ``"empirical_fisher"``, ``"hessian"`` (by magnitude) and
        ``"kfac"``
    partial : names of those of which only leading eigenvalues are known
    layers : names of the layers; what goes into the first are the inputs
    fisher_vectors, hessian_vectors : (p, k), leading eigenvectors
    fisher : eigenpairs, all p of them, or all that are not 0; None where neither can be had
    """

    spectra: dict[str, np.ndarray]
    partial: set[str]
    layers: list[str]
    fisher_vectors: np.ndarray
    hessian_vectors: np.ndarray
    fisher: FisherEigenpairs | WholeEigenpairs | None


def survey(problem: Problem, k: int, *, progress: str | None = None) -> Survey:
    """Spectra of correlations, Jacobians, Fisher matrices, Hessian and KFAC.

    Of up to 5,000 weights, Fisher matrix and Hessian are complete. With N C up to 6,000 so are the
    Jacobian's and both Fisher matrices' spectra, but for zeros. Of more samples and weights, only
    the k leading eigenvalues of Fisher matrix and Hessian are found. KFAC is left out of networks
    that it does not know.

    Parameters
    ----------
    problem : Problem, of cross-entropy
    k : int, leading eigenpairs
    progress : name of bars to show; quiet when the output is not a terminal
    """

    def label(matrix: str) -> str | None:
        return progress and f"{progress}, {matrix}"

    layers = layer_spectra(problem)
    spectra = {
        kind: padded([layer[kind] for layer in layers.values()])
        for kind in ("activations", "gradients")
    }
    k, fisher, partial = min(k, problem.n_parameters), None, {"kfac"}
    few_weights = problem.n_parameters <= DENSE
    if problem.n_samples * problem.n_outputs <= WHOLE:
        gram = JacobianGram(problem, progress=label("Jacobian"))
        spectra["jacobian"] = np.stack([gram.logit(c) for c in range(problem.n_outputs)])
        spectra["jacobian_summed"] = gram.summed()
        spectra["jacobian_all"] = gram.all_logits()
        spectra["empirical_fisher"] = gram.empirical_fisher()
        if not few_weights:
            fisher = gram.fisher_eigenpairs()
        del gram
    if few_weights:
        fisher = WholeEigenpairs(Fisher(problem), progress=label("Fisher"))
        hessian = WholeEigenpairs(Hessian(problem), progress=label("Hessian"))
        by_size = np.argsort(-np.abs(hessian.eigenvalues), kind="stable")
        spectra["hessian"], hessian_vectors = hessian.eigenvalues[by_size], hessian.leading(k)
    else:
        partial.add("hessian")
        spectra["hessian"], hessian_vectors = extreme_eigenpairs(
            Hessian(problem), k, tol=TOLERANCE, progress=label("Hessian")
        )
    if fisher is not None:
        spectra["fisher"] = np.maximum(fisher.eigenvalues, 0)  # but for rounding, none is below
        fisher_vectors = fisher.leading(min(k, len(fisher.eigenvalues)))
    else:
        partial.add("fisher")
        spectra["fisher"], fisher_vectors = extreme_eigenpairs(
            Fisher(problem), k, tol=TOLERANCE, progress=label("Fisher")
        )
    # Of layers without Kronecker factors there is no such approximation.
    with suppress(DataError):
        spectra["kfac"] = np.sort(KFAC(problem).eigenvalues)[: -KFAC_EIGENVALUES - 1 : -1]
    return Survey(spectra, partial, list(layers), fisher_vectors, hessian_vectors, fisher)


def padded(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of several lengths as one array (n, longest), NaN beyond the ends."""
    found = np.full((len(rows), max(map(len, rows), default=0)), np.nan)
    for k, row in enumerate(rows):
        found[k, : len(row)] = row
    return found
