"""Curvature of a network's loss, and the spectra of what it follows from (thesis 4).

A `Problem` is a network with samples, targets and a loss. Its matrices are known through products
(`Fisher`, `GaussNewton`, `EmpiricalFisher`, `Hessian`), whole through the Jacobian's Gram matrix
(`JacobianGram`), or approximately (`KFAC`). What a spectrum says of the weights is in `sloppiness`,
what it says of the error of new samples in `pac_bayes` and `posterior`.
"""

from hyperribbon.curvature.bounds import Bound, norm_bounds
from hyperribbon.curvature.correlations import correlation_eigenvalues, layer_spectra
from hyperribbon.curvature.gram import FisherEigenpairs, JacobianGram
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.operators import EmpiricalFisher, Fisher, GaussNewton, Hessian
from hyperribbon.curvature.overlap import overlaps, subspace_overlap
from hyperribbon.curvature.problem import Problem, kinks
from hyperribbon.curvature.reduction import ReducedModels, reduced_models, reduced_weights
from hyperribbon.curvature.spectrum import (
    SpectralDensity,
    WholeEigenpairs,
    all_eigenvalues,
    extreme_eigenpairs,
    spectral_density,
)

__all__ = [
    "KFAC",
    "Bound",
    "EmpiricalFisher",
    "Fisher",
    "FisherEigenpairs",
    "GaussNewton",
    "Hessian",
    "JacobianGram",
    "Problem",
    "ReducedModels",
    "SpectralDensity",
    "WholeEigenpairs",
    "all_eigenvalues",
    "correlation_eigenvalues",
    "extreme_eigenpairs",
    "kinks",
    "layer_spectra",
    "norm_bounds",
    "overlaps",
    "reduced_models",
    "reduced_weights",
    "spectral_density",
    "subspace_overlap",
]
