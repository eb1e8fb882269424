"""Curvature of a network's loss, and the spectra that explain it (thesis chapter 4).

Begin with `Problem`: a network with samples, targets and a loss. Its matrices are available through
matrix-vector products (`Fisher`, `GaussNewton`, `EmpiricalFisher`, `Hessian`), in full through the
Gram matrix of the Jacobian (`JacobianGram`), or approximately (`KFAC`). The module `sloppiness`
separates stiff from sloppy eigenvalues; `hyperribbon.pac_bayes` turns curvature into bounds on the
error on new samples.
"""

from hyperribbon.extras import needs

needs("torch", "curvature", "hyperribbon.curvature")

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
