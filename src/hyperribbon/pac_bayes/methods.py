"""Methods of optimised certificates: families of posteriors and priors (thesis 4.3.3)."""

from __future__ import annotations

from typing import NamedTuple

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.samples import PriorSamples


class Method(NamedTuple):
    """A family of posteriors and priors.

    Attributes
    ----------
    about : what it is
    basis : in which the covariances are diagonal: "weights", "initial" (eigenbasis of the
        Kronecker-factored Fisher matrix at the prior's centre) or "trained" (at the trained
        weights, where it approximates the Hessian)
    optimised : whether the posterior is; otherwise it is the analytic one
    shaped : whether the prior's covariance follows from its Fisher matrix
    stiff : whether the posterior differs from the prior in stiff directions only
    """

    about: str
    basis: str
    optimised: bool = True
    shaped: bool = False
    stiff: bool = False


METHODS = {
    "baseline": Method("posterior diagonal in the weights (Dziugaite & Roy 2017)", "weights"),
    "analytic": Method("analytic posterior around the trained weights (Method 1)", "trained",
                       optimised=False),
    "fisher": Method("posterior diagonal in the initial Fisher eigenbasis (Method 2)", "initial"),
    "hessian": Method("posterior diagonal in the Hessian's eigenbasis (Method 3)", "trained"),
    "fisher_prior": Method("prior covariance from the initial Fisher matrix as well (Method 4)",
                           "initial", shaped=True),
    "stiff": Method("posterior that differs from the prior in stiff directions only", "trained",
                    stiff=True),
}  # fmt: skip


def find_method(method: str, prior_samples: PriorSamples | None) -> Method:
    """The method of a name, if it goes with these samples; otherwise a DataError."""
    if method not in METHODS:
        raise DataError(f"method = {method!r}: expected one of {', '.join(METHODS)}")
    found = METHODS[method]
    if found.shaped and prior_samples is None:
        raise DataError(f'prior_samples: None, but method "{method}" needs PriorSamples')
    if not found.shaped and prior_samples is not None:
        raise DataError(f'prior_samples: given, but method "{method}" makes no use of them; '
                        "expected None")  # fmt: skip
    return found
