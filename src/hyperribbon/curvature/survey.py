"""Everything chapter 4 asks of one network at one moment of its training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hyperribbon.curvature.correlations import layer_spectra
from hyperribbon.curvature.gram import FisherEigenpairs, JacobianGram
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.operators import Fisher, Hessian
from hyperribbon.curvature.problem import Problem
from hyperribbon.curvature.spectrum import extreme_eigenpairs
from hyperribbon.errors import DataError

WHOLE = 6_000  # rows of a Gram matrix that is formed, N C: 0.3 GB, and as much again


@dataclass
class Survey:
    """Spectra, and the eigenvectors that are compared.

    Attributes
    ----------
    spectra : dict by name of eigenvalues, descending: ``"fisher"``, ``"empirical_fisher"``,
        ``"hessian"`` (leading ones, by magnitude), ``"kfac"``, ``"jacobian_<class>"``,
        ``"jacobian_summed"``, ``"jacobian_all"``, ``"activations_<layer>"``,
        ``"gradients_<layer>"``; those of the first layer's activations are the inputs
    fisher_vectors, hessian_vectors : (p, k), the leading eigenvectors
    fisher : FisherEigenpairs, all that are not 0, of as few samples as allow it; else None
    """

    spectra: dict[str, np.ndarray] = field(default_factory=dict)
    fisher_vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    hessian_vectors: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    fisher: FisherEigenpairs | None = None


def survey(problem: Problem, k: int, *, progress: str | None = None) -> Survey:
    """Spectra of correlations, Jacobians, Fisher matrices, Hessian and KFAC.

    With N C up to 6,000 the Jacobian's and the Fisher matrices' are complete; of more samples,
    only the k leading eigenvalues of the Fisher matrix are found. Of the Hessian these are k
    always. KFAC is left out of networks that it does not know.

    Parameters
    ----------
    problem : Problem, of cross-entropy
    k : int, leading eigenpairs
    progress : name of bars to show; quiet when the output is not a terminal
    """
    found = Survey()
    for name, spectra in layer_spectra(problem).items():
        for kind, values in spectra.items():
            found.spectra[f"{kind}_{name}"] = values
    k = min(k, problem.n_parameters)
    if problem.n_samples * problem.n_outputs <= WHOLE:
        gram = JacobianGram(problem, progress=progress and f"{progress}, Jacobian")
        for c in range(problem.n_outputs):
            found.spectra[f"jacobian_{c}"] = gram.logit(c)
        found.spectra["jacobian_summed"] = gram.summed()
        found.spectra["jacobian_all"] = gram.all_logits()
        found.spectra["empirical_fisher"] = gram.empirical_fisher()
        found.fisher = gram.fisher_eigenpairs()
        found.spectra["fisher"] = found.fisher.eigenvalues
        found.fisher_vectors = found.fisher.vectors(min(k, len(found.fisher.eigenvalues)))
    else:
        label = progress and f"{progress}, Fisher"
        values, found.fisher_vectors = extreme_eigenpairs(Fisher(problem), k, progress=label)
        found.spectra["fisher"] = values
    label = progress and f"{progress}, Hessian"
    values, found.hessian_vectors = extreme_eigenpairs(Hessian(problem), k, progress=label)
    found.spectra["hessian"] = values
    try:
        found.spectra["kfac"] = np.sort(KFAC(problem).eigenvalues)[::-1]
    except DataError:
        pass
    return found
