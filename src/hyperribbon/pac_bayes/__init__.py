"""PAC-Bayes bounds on the error of stochastic networks on new samples (thesis 4.2, 4.3, 4.7).

Begin with `bound`: certificates from numbers alone (errors, KL divergence, number of samples). The
module `analytic` has Gaussian posteriors whose precisions follow from curvature (Method 1), and
`certificate` certifies a trained network with one of them.
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

__all__ = [
    "Certificate",
    "Certified",
    "GaussianPosterior",
    "analytic_precisions",
    "best_epsilon",
    "binary_kl",
    "certify",
    "expected_rise",
    "gaussian_kl",
    "inverse_binary_kl",
    "sample_convergence_bound",
]
