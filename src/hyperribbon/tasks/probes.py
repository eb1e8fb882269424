"""What imprinting is compared with: Euclidean prototypes, and a trained linear probe (3.5.4).

All three classify the same features about equally well, but their temperatures differ, and so does
the progress of the models that they make. A small network's features have a length of 2 to 5,
which is the inverse temperature of imprinting. Of one network with an error of 0.6, imprinting made
a model of progress 0.15, imprinting of features scaled to length 1 one of 0.03, and Euclidean
prototypes, whose logits are squares of distances, one of 0.67. A probe learns its temperature.
Compare distances or progress of models only if one mapping made them all.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy
from hyperribbon.tasks.class_sums import ClassSums, matrix
from hyperribbon.tasks.imprinting import linear_predictions


def prototypes(features, labels, n_classes: int, *, class_names=None):
    """Mean features of each class, as of prototypical networks (Snell et al. 2017).

    Parameters
    ----------
    features, labels, n_classes, class_names
        As of `imprint`; from batches, use `ClassSums.means`.

    Returns
    -------
    (C, F)
        Of the kind of the features.

    Raises
    ------
    DataError
        If a class has no samples or features that are not finite, shapes do not fit, or a label is
        out of range.

    Examples
    --------
    >>> prototypes(np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([0, 0, 1]), 2)
    array([[2., 0.],
           [0., 2.]])
    """
    sums = ClassSums(n_classes, class_names=class_names)
    sums.add(features, labels)
    return sums.means()


def prototype_predictions(features, prototypes, *, scale: float = 1.0):
    r"""Probabilities of the classes by the distance of features from prototypes.

    .. math:: p(c \mid x) \propto \exp(-\text{scale} \cdot \lVert \varphi(x) - m_c \rVert^2)

    Scaling all features of a network by a factor is the same as its square as ``scale``: a
    temperature that falls faster with the length of the features than that of imprinting.

    Parameters
    ----------
    features : (N, F)
        Features of the samples to predict: a tensor or an array.
    prototypes : (C, F)
        Mean features of the classes, of the same kind.
    scale : float
        Inverse temperature, above 0.

    Returns
    -------
    (N, C)
        Of the kind of the features; float64 or float32, as in `imprint`.

    Raises
    ------
    DataError
        If shapes do not fit, features are not finite, or the scale is not above 0.

    Examples
    --------
    >>> prototype_predictions(np.array([[1.0, 0.0]]), np.eye(2)).round(3)
    array([[0.881, 0.119]])
    """
    prototypes = matrix(prototypes, "prototypes")
    # The square of the feature's own length is the same for all classes.
    squares = (prototypes * prototypes).sum(1)
    return linear_predictions(features, 2 * prototypes, -squares, scale=scale, name="prototypes")


class LinearProbe(NamedTuple):
    """A linear classifier of features; see `linear_probe`."""

    weights: np.ndarray
    """(C, F) float64"""
    bias: np.ndarray
    """(C,) float64"""

    def predictions(self, features) -> np.ndarray:
        """Probabilities (N, C) float64 of features (N, F)."""
        given = matrix(as_numpy(features, "features"), "features").astype(np.float64)
        return linear_predictions(given, self.weights, self.bias, name="weights")


def linear_probe(
    features,
    labels,
    n_classes: int,
    *,
    l2: float = 1e-3,
    standardise: bool = True,
    class_names=None,
) -> LinearProbe:
    r"""Train a linear classifier of features: multinomial logistic regression.

    .. math:: \frac{1}{N} \sum_n -\ln p(y_n \mid x_n) + \frac{\text{l2}}{2} \lVert W \rVert^2

    is minimised by L-BFGS, to its one minimum. The bias is not penalised.

    Parameters
    ----------
    features, labels, n_classes, class_names
        As of `imprint`.
    l2 : float
        Strength of the penalty, above 0.
    standardise : bool
        Whether every feature is first scaled to mean 0 and standard deviation 1 over these samples.
        The weights returned apply to features as they are. Otherwise the length of the features
        changes how much the penalty counts.

    Returns
    -------
    LinearProbe
        Its ``predictions(features)`` are probabilities. Their temperature is learned: predictions
        are about as confident as they are accurate, unless the penalty is strong.

    Raises
    ------
    DataError
        If a class has no samples or features that are not finite, shapes do not fit, a label is
        out of range, l2 is not above 0, or 1,000 iterations do not find the minimum.

    Notes
    -----
    An iteration takes 4 N F C multiplications. 5,000 samples of 64 features in 10 classes take
    about 0.1 s.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(60) % 3
    >>> features = np.eye(3)[labels] + 0.1 * rng.normal(size=(60, 3))
    >>> P = linear_probe(features, labels, 3).predictions(features)
    >>> bool((P.argmax(axis=1) == labels).all())
    True
    """
    if not l2 > 0:
        raise DataError(f"l2 = {l2}: expected a number above 0")
    prototypes(features, labels, n_classes, class_names=class_names)  # refuses what is wrong
    X, y = as_numpy(features, "features").astype(np.float64), as_numpy(labels, "labels")
    centre, spread = X.mean(axis=0), X.std(axis=0)
    if not standardise:
        spread = np.ones_like(spread)
    # A constant feature tells nothing; up to rounding, its standardised values are 0.
    spread[spread <= 1e-12 * np.abs(centre)] = np.inf
    Z = (X - centre) / spread
    rows = np.arange(len(y))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        W, b = parameters[:-n_classes].reshape(n_classes, -1), parameters[-n_classes:]
        logarithms = log_softmax(Z @ W.T + b, axis=1)
        value = -logarithms[rows, y].mean() + l2 / 2 * (W**2).sum()
        residuals = np.exp(logarithms)
        residuals[rows, y] -= 1
        residuals /= len(y)
        return value, np.append(residuals.T @ Z + l2 * W, residuals.sum(axis=0))

    start = np.zeros(n_classes * (Z.shape[1] + 1))
    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 0, "gtol": 1e-6}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    if np.abs(found.jac).max() > 1e-4:
        raise DataError(
            f"linear probe: no minimum after {found.nit} iterations (gradient "
            f"{np.abs(found.jac).max():.1g}); expected features of similar size or a larger l2"
        )
    W, b = found.x[:-n_classes].reshape(n_classes, -1) / spread, found.x[-n_classes:]
    return LinearProbe(W, b - W @ centre)
