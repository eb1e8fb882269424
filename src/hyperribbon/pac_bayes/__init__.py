"""PAC-Bayes bounds on the error of stochastic networks on new samples (thesis 4.2, 4.3, 4.7).

Begin with `bound` and `tighter`: certificates from numbers alone (errors, KL divergence, number of
samples). The module `analytic` has Gaussian posteriors whose precisions follow from curvature
(Method 1), and `certificate` certifies a trained network with one of them. `certify_optimised`
optimises the posterior, by one of `METHODS`; what its prior may depend on, `set_aside` keeps apart
from what the bound counts.
"""

from hyperribbon.extras import needs

needs("torch", "curvature", "hyperribbon.pac_bayes")

from hyperribbon.pac_bayes.analytic import (
    GaussianPosterior,
    analytic_precisions,
    best_epsilon,
    expected_rise,
    gaussian_kl,
)
from hyperribbon.pac_bayes.bound import (
    Certificate,
    binary_kl,
    inverse_binary_kl,
    sample_convergence_bound,
)
from hyperribbon.pac_bayes.certificate import Certified, certify
from hyperribbon.pac_bayes.methods import METHODS
from hyperribbon.pac_bayes.optimised import OptimisedCertificate, certify_optimised
from hyperribbon.pac_bayes.prior import Prior, PriorWeights
from hyperribbon.pac_bayes.samples import BoundedSamples, PriorSamples, SetAside, set_aside
from hyperribbon.pac_bayes.tighter import (
    lambda_bound,
    maurer_cost,
    other_bounds,
    pinsker_bound,
    quadratic_bound,
)

__all__ = [
    "METHODS",
    "BoundedSamples",
    "Certificate",
    "Certified",
    "GaussianPosterior",
    "OptimisedCertificate",
    "Prior",
    "PriorSamples",
    "PriorWeights",
    "SetAside",
    "analytic_precisions",
    "best_epsilon",
    "binary_kl",
    "certify",
    "certify_optimised",
    "expected_rise",
    "gaussian_kl",
    "inverse_binary_kl",
    "lambda_bound",
    "maurer_cost",
    "other_bounds",
    "pinsker_bound",
    "quadratic_bound",
    "sample_convergence_bound",
    "set_aside",
]
