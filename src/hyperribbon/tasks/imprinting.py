"""Imprinting: a network's features become predictions of any classes, without training (3.2.1)."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy
from hyperribbon.tasks.class_sums import (
    ClassSums,
    as_type,
    is_tensor,
    matrix,
    refuse_two_kinds,
    unit_length,
)


def imprint(
    features, labels, n_classes: int, *, normalise: bool = False, class_names=None
) -> np.ndarray:
    r"""Weights of a linear classifier, imprinted from the features of its classes (Eq. 3.2.1).

    .. math:: w_c = h_c / \lVert h_c \rVert, \qquad h_c = \sum_{n: y_n = c} \varphi(x_n)

    This direction maximises the sum of the logits of the class's own samples among weights of
    length 1 (3.5.4). It takes one pass over the features; nothing is trained.

    Parameters
    ----------
    features : (N, F)
        Features of the samples that form the weights, train samples as a rule: those of the
        backbone, in evaluation mode. A torch tensor on any device, or an array of NumPy or another
        library.
    labels : (N,) int
        Classes, from 0 to C - 1; the network need not have been trained on them.
    n_classes : int
        Number of classes, C.
    normalise : bool
        Whether every feature vector is first scaled to length 1, so that all samples count alike.
        Eq. 3.2.1 does not do so; give `imprinted_predictions` the same.
    class_names : sequence of str, optional
        Names of the classes in error messages; by default, their numbers.

    Returns
    -------
    (C, F)
        Rows of length 1. A tensor on the same device if the features are one, a NumPy array
        otherwise; float64 if the features are float64 or integers, float32 otherwise. Sums are
        computed in float64.

    Raises
    ------
    DataError
        If a class has no samples, features that are not finite, or features that sum to zero; if
        shapes do not fit; or if a label is out of range.

    Examples
    --------
    >>> features, labels = np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([0, 0, 1])
    >>> imprint(features, labels, 2)
    array([[1., 0.],
           [0., 1.]])
    >>> imprint(features, labels, 3, class_names=["cat", "dog", "frog"])
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: features: class frog: no samples, expected one or more
    """
    sums = ClassSums(n_classes, normalise=normalise, class_names=class_names)
    sums.add(features, labels)
    return sums.weights()


def imprinted_predictions(features, weights, *, scale: float = 1.0, normalise: bool = False):
    r"""Probabilities of the classes whose weights were imprinted (3.2, after Eq. 3.2.1).

    .. math:: p(c \mid x) \propto \exp(\text{scale} \cdot w_c \cdot \varphi(x))

    The weights have length 1 and, by Eq. 3.2.1, the features keep theirs. It acts as an inverse
    temperature: scaling all features of a network by a factor is the same as ``scale``. How
    confident predictions are, and so how far progress reaches, follows from it; features scaled to
    length 1 stay near ignorance whatever their accuracy. An orthogonal map of the features, of
    weights and predictions alike, changes nothing (3.5.5).

    Parameters
    ----------
    features : (N, F)
        Features of the samples to predict, test samples as a rule: a tensor or an array.
    weights : (C, F)
        Weights of `imprint`, of the same kind.
    scale : float
        Inverse temperature, above 0; 1 in the thesis.
    normalise : bool
        Whether every feature vector is first scaled to length 1; not by Eq. 3.2.1.

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
    >>> imprinted_predictions(np.array([[2.0, 0.0]]), np.eye(2)).round(3)
    array([[0.881, 0.119]])
    >>> imprinted_predictions(np.array([[2.0, 0.0]]), np.eye(2), normalise=True).round(3)
    array([[0.731, 0.269]])
    """
    features = matrix(features, "features")
    if normalise:
        features = unit_length(features)
    return linear_predictions(features, weights, scale=scale, name="weights")


def linear_predictions(features, weights, bias=None, *, scale: float = 1.0, name: str):
    """Softmax of scale * (features @ weights.T + bias); a DataError unless all is finite.

    Parameters
    ----------
    features : (N, F)
    weights : (C, F)
    bias : (C,), optional
    scale : float, above 0
    name : str
        What to call the weights in errors.
    """
    features, weights = matrix(features, "features"), matrix(weights, name)
    if features.shape[1] != weights.shape[1]:
        given = f"{tuple(features.shape)} and {tuple(weights.shape)}"
        raise DataError(f"features, {name}: shapes {given}, expected (N, F) and (C, F)")
    refuse_two_kinds(features, weights, "features", name)
    if not np.isfinite(scale) or scale <= 0:
        raise DataError(f"scale = {scale}: expected a number above 0")
    with np.errstate(invalid="ignore", over="ignore"):
        logits = features @ as_type(weights, features).T
        if bias is not None:
            logits = logits + as_type(bias, features)
        logits = float(scale) * logits
        P = logits.softmax(1) if is_tensor(logits) else softmax(logits, axis=1)
    bad = np.isnan(as_numpy(P[:, 0], "P"))  # if one entry is, then the whole row
    if bad.any():
        raise DataError(
            f"features: NaN or infinite, or too large, in {bad.sum()} of {len(bad)} samples"
        )
    return P
