r"""Bounds that are tighter than Eq. 4.2.1, or simpler, from the same quantities.

All take a ``cost`` B, an upper limit on kl(error of Q on the samples || error of Q) that holds with
probability 1 - delta for all Q at once. Langford and Seeger (2001) have
:math:`(\mathrm{KL} + \ln(n / \delta)) / (n - 1)`, as in `hyperribbon.pac_bayes.bound.certificate`;
Maurer (2004), :math:`(\mathrm{KL} + \ln(2 \sqrt{n} / \delta)) / n`. The other bounds relax the
inverse of kl, so that they hold together with it: to report several costs no further probability.
What each needs: n independent samples of one distribution, a loss between 0 and 1, and a prior that
does not depend on the samples.
"""

from __future__ import annotations

import numpy as np

from hyperribbon.curvature.checks import check_count, check_nonnegative, check_positive
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.bound import inverse_binary_kl, penalty


def maurer_cost(kl: float, n: int, j: int, delta: float) -> float:
    r"""The cost B of Maurer's theorem, with the union bound over scales of the prior.

    .. math:: \frac{\mathrm{KL} + \ln(2 \sqrt{n} / \delta_j)}{n},
              \qquad \delta_j = \frac{6 \delta}{\pi^2 j^2}

    Parameters
    ----------
    kl : KL(Q || P) in nats
    n : int, number of samples, 8 or more, for which the theorem is proved
    j : int, index of the prior's scale on its grid
    delta : probability that the bound fails

    Raises
    ------
    DataError
        If an argument is not as above.

    References
    ----------
    Maurer (2004), A note on the PAC Bayesian theorem, Theorem 5.

    Examples
    --------
    >>> round(maurer_cost(5000.0, 55_000, 37, 0.025), 6)
    0.091228
    """
    n, kl = check_count(n, "n", 8), check_nonnegative(kl, "kl")
    return float((kl + penalty(j, n, delta) + np.log(2) - np.log(n) / 2) / n)


def pinsker_bound(error: float, cost: float) -> float:
    r"""Pinsker's relaxation, :math:`e + \sqrt{B / 2}`, at most 1 (thesis 4.7.2.1).

    Raises
    ------
    DataError
        If the error is not within 0 and 1, or the cost is negative.

    Examples
    --------
    >>> round(pinsker_bound(0.05, 0.08), 4)
    0.25
    """
    error, cost = _checked(error, cost)
    return min(1.0, error + float(np.sqrt(cost / 2)))


def quadratic_bound(error: float, cost: float) -> float:
    r"""The quadratic bound, :math:`(\sqrt{e + B / 2} + \sqrt{B / 2})^2`, at most 1.

    It follows from :math:`\mathrm{kl}(q \| p) \ge (p - q)^2 / (2 p)` for q below p, and is tighter
    than Pinsker's where it is below 1/4.

    Raises
    ------
    DataError
        If the error is not within 0 and 1, or the cost is negative.

    References
    ----------
    Rivasplata, Tankasali & Szepesvari (2019), PAC-Bayes with backprop; Perez-Ortiz et al. (2021),
    Tighter risk certificates for neural networks.

    Examples
    --------
    >>> round(quadratic_bound(0.05, 0.08), 4)
    0.25
    """
    error, cost = _checked(error, cost)
    return min(1.0, float((np.sqrt(error + cost / 2) + np.sqrt(cost / 2)) ** 2))


def lambda_bound(error: float, cost: float, weight: float | None = None) -> float:
    r"""The lambda bound, which is convex in the posterior, at most 1.

    .. math:: \frac{e}{1 - \lambda / 2} + \frac{B}{\lambda (1 - \lambda / 2)}

    It holds for all :math:`\lambda` in (0, 2) at once, so that the best may be taken; there it
    equals the `quadratic_bound`.

    Parameters
    ----------
    error, cost : e and B
    weight : lambda, between 0 and 2; by default the best,
        :math:`2 / (\sqrt{2 e / B + 1} + 1)`

    Raises
    ------
    DataError
        If an argument is outside its range.

    References
    ----------
    Thiemann, Igel, Wintenberger & Seldin (2017), A strongly quasiconvex PAC-Bayesian bound,
    Theorem 3.

    Examples
    --------
    >>> round(lambda_bound(0.05, 0.08), 4), round(lambda_bound(0.05, 0.08, 0.5), 4)
    (0.25, 0.28)
    """
    error, cost = _checked(error, cost)
    if weight is None:
        if cost == 0:
            return error  # the limit of small lambda
        weight = 2 / (np.sqrt(2 * error / cost + 1) + 1)
    weight = check_positive(weight, "weight")
    if weight >= 2:
        raise DataError(f"weight: {weight}, expected between 0 and 2")
    return min(1.0, float((error + cost / weight) / (1 - weight / 2)))


def other_bounds(error_limit: float, kl: float, n: int, j: int, delta: float) -> dict[str, float]:
    """All bounds beside the certificate's, by name: maurer, quadratic, lambda and pinsker.

    The first inverts kl at Maurer's cost, the next two relax this, and ``pinsker`` relaxes the
    certificate itself. All hold at once, with the certificate's probability.

    Parameters
    ----------
    error_limit : upper limit on the error of Q on the samples
    kl, n, j, delta : as in `maurer_cost`

    Examples
    --------
    >>> found = other_bounds(0.05, kl=5000.0, n=55_000, j=37, delta=0.025)
    >>> {name: round(bound, 3) for name, bound in found.items()}
    {'maurer': 0.197, 'quadratic': 0.273, 'lambda': 0.273, 'pinsker': 0.264}
    """
    cost = maurer_cost(kl, n, j, delta)
    return {
        "maurer": float(inverse_binary_kl(error_limit, cost)),
        "quadratic": quadratic_bound(error_limit, cost),
        "lambda": lambda_bound(error_limit, cost),
        "pinsker": pinsker_bound(error_limit, (kl + penalty(j, n, delta)) / (n - 1)),
    }


def _checked(error: float, cost: float) -> tuple[float, float]:
    error, cost = check_nonnegative(error, "error"), check_nonnegative(cost, "cost")
    if error > 1:
        raise DataError(f"error: {error}, expected within 0 and 1")
    return error, cost
