"""Imprinting: a network's features become predictions of any classes, without training (3.2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csc_array
from scipy.special import softmax

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distributions import as_numpy, check_labels, check_size


class Imprinting:
    """Imprinted weights from features that come in batches.

    The sums over classes are all that it holds, (C, F) float64. The result is that of `imprint` on
    all features at once.

    Parameters
    ----------
    n_classes : int
        Number of classes, C.
    normalise : bool
        Whether every feature vector is first scaled to length 1; not by Eq. 3.2.1.
    class_names : sequence of str, optional
        Names of the classes in error messages; by default, their numbers.

    Raises
    ------
    DataError
        If the number of classes is below 1, or is not that of the names.

    Examples
    --------
    >>> features, labels = np.array([[3.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([0, 0, 1])
    >>> imprinting = Imprinting(2)
    >>> for part in (slice(0, 2), slice(2, 3)):
    ...     imprinting.add(features[part], labels[part])
    >>> imprinting.weights()
    array([[1., 0.],
           [0., 1.]])
    """

    def __init__(
        self,
        n_classes: int,
        *,
        normalise: bool = False,
        class_names: Sequence[str] | None = None,
    ):
        self._n_classes = check_size(n_classes, "n_classes")
        self._normalise = normalise
        self._names = [str(c) for c in (range(n_classes) if class_names is None else class_names)]
        if len(self._names) != n_classes:
            raise DataError(f"class_names: {len(self._names)}, expected {n_classes}")
        self._counts = np.zeros(n_classes, np.int64)
        self._sums: Any = None
        self._like: Any = None  # features of no sample, of the type that the weights will have

    def add(self, features, labels) -> None:
        """Add the features of some samples.

        Parameters
        ----------
        features : (n, F)
            Features, as of `imprint`; all batches have the same F and are of the same kind.
        labels : (n,) int
            Classes, from 0 to C - 1.

        Raises
        ------
        DataError
            If shapes do not fit, a label is out of range, or a vector to normalise is zero.
        """
        features = _matrix(features, "features")
        labels = check_labels(labels, self._n_classes, len(features)).astype(np.int64)
        if self._like is None:
            self._like = features[:0]
            self._sums = _zeros((self._n_classes, features.shape[1]), features)
        if features.shape[1] != self._sums.shape[1]:
            given = tuple(features.shape)
            raise DataError(f"features: shape {given}, expected (samples, {self._sums.shape[1]})")
        _refuse_two_kinds(features, self._like, "features", "the features before them")
        for rows in slices(features):
            block = unit_length(features[rows]) if self._normalise else features[rows]
            _add_to_classes(self._sums, block, labels[rows])
        self._counts += np.bincount(labels, minlength=self._n_classes)

    def weights(self):
        """Weights of all classes from what was added so far.

        Returns
        -------
        (C, F)
            Rows of length 1, of the kind, type and device of the features.

        Raises
        ------
        DataError
            If a class has no samples, features that are not finite, or features that sum to zero.
        """
        self._refuse(self._counts == 0, "no samples", "at least one of every class")
        with np.errstate(invalid="ignore", over="ignore"):
            norms = (self._sums * self._sums).sum(1) ** 0.5
        found = as_numpy(norms, "norms")
        self._refuse(~np.isfinite(found), "features that are not finite", "finite numbers")
        self._refuse(found == 0, "features that sum to zero", "a direction to imprint")
        return _as_type(self._sums / norms[:, None], self._like)

    def _refuse(self, bad: np.ndarray, problem: str, expected: str) -> None:
        if bad.any():
            which = np.flatnonzero(bad)
            names = ", ".join(self._names[c] for c in which[:5]) + ", ..." * (len(which) > 5)
            classes = f"class {names}" if len(which) == 1 else f"{len(which)} classes ({names})"
            raise DataError(f"imprinting: {classes}: {problem}, expected {expected}")


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
    hyperribbon.errors.DataError: imprinting: class frog: no samples, expected at least one of \
every class
    """
    imprinting = Imprinting(n_classes, normalise=normalise, class_names=class_names)
    imprinting.add(features, labels)
    return imprinting.weights()


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
    features, weights = _matrix(features, "features"), _matrix(weights, "weights")
    if features.shape[1] != weights.shape[1]:
        given = f"{tuple(features.shape)} and {tuple(weights.shape)}"
        raise DataError(f"features, weights: shapes {given}, expected (N, F) and (C, F)")
    _refuse_two_kinds(features, weights, "features", "weights")
    if not np.isfinite(scale) or scale <= 0:
        raise DataError(f"scale = {scale}: expected a number above 0")
    if normalise:
        features = unit_length(features)
    with np.errstate(invalid="ignore", over="ignore"):
        logits = float(scale) * (features @ _as_type(weights, features).T)
        P = logits.softmax(1) if _is_tensor(logits) else softmax(logits, axis=1)
    bad = np.isnan(as_numpy(P[:, 0], "P"))  # if one entry is, then the whole row
    if bad.any():
        raise DataError(
            f"features: NaN or infinite, or too large, in {bad.sum()} of {len(bad)} samples"
        )
    return P


def unit_length(features):
    """Features (N, F) scaled to length 1; a DataError if one is zero."""
    norms = (features * features).sum(1) ** 0.5
    zero = int((norms == 0).sum())
    if zero:
        raise DataError(f"features: zero in {zero} of {len(features)} samples; no length to scale")
    return features / norms[:, None]


def _matrix(array, name: str):
    """A tensor or NumPy array (N, F) of float32 or float64; a DataError for another shape."""
    if _is_tensor(array):
        import torch  # only if the features are a tensor

        wide = array.dtype == torch.float64 or not array.is_floating_point()
        array = array.detach().to(torch.float64 if wide else torch.float32)
    else:
        array = as_numpy(array, name)
        array = array if array.dtype.kind == "f" else array.astype(np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{name}: shape {tuple(array.shape)}, expected two axes, neither empty")
    return array


def _is_tensor(array) -> bool:
    return hasattr(array, "detach")


def _refuse_two_kinds(one, other, name: str, other_name: str) -> None:
    """Refuse a tensor together with an array, and tensors on two devices."""
    kinds = [array.device if _is_tensor(array) else None for array in (one, other)]
    if kinds[0] != kinds[1]:
        said = ["a NumPy array" if kind is None else f"a tensor on {kind}" for kind in kinds]
        raise DataError(f"{name}: {said[0]}, and {other_name} {said[1]}; expected the same")


def _zeros(shape: tuple[int, int], like):
    """Zeros in float64, beside the features."""
    if _is_tensor(like):
        import torch

        return like.new_zeros(shape, dtype=torch.float64)
    return np.zeros(shape)


def _as_type(array, like):
    return array.to(like.dtype) if _is_tensor(array) else array.astype(like.dtype, copy=False)


def _add_to_classes(sums, features, labels: np.ndarray) -> None:
    """Add features (n, F) to the rows of their classes, in the order of the samples."""
    if _is_tensor(features):
        import torch

        rows = torch.from_numpy(labels).to(features.device)
        sums.index_add_(0, rows, features.to(torch.float64))
    else:
        n = len(labels)
        one_hot = csc_array((np.ones(n), labels, np.arange(n + 1)), shape=(len(sums), n))
        sums += one_hot @ features.astype(np.float64, copy=False)
