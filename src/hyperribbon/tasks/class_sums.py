"""Features summed by class, as imprinted weights and class means are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csc_array

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distributions import as_numpy, check_labels, check_size

NO_SAMPLES = "no samples"


class ClassSums:
    """Sums of features over the samples of each class, which may come in batches.

    The sums are all that it holds: (C, F) float64.

    Parameters
    ----------
    n_classes : int
        Number of classes, C.
    normalise : bool
        Whether every feature vector is first scaled to length 1.
    class_names : sequence of str, optional
        Names of the classes in error messages; by default, their numbers.

    Raises
    ------
    DataError
        If the number of classes is below 1, or is not that of the names.

    Examples
    --------
    >>> sums = ClassSums(2)
    >>> for features, labels in (([[3.0, 0.0], [1.0, 0.0]], [0, 0]), ([[0.0, 2.0]], [1])):
    ...     sums.add(features, labels)
    >>> sums.weights(), sums.means()
    (array([[1., 0.],
           [0., 1.]]), array([[2., 0.],
           [0., 2.]]))
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
        self._like: Any = None  # no rows, but of the kind and type that the weights will have

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
        features = matrix(features, "features")
        labels = check_labels(labels, self._n_classes, len(features)).astype(np.int64)
        if self._like is None:
            self._like = features[:0] + 0  # a copy, so that the features are not kept
            self._sums = _zeros((self._n_classes, features.shape[1]), features)
        if features.shape[1] != self._sums.shape[1]:
            given = tuple(features.shape)
            raise DataError(f"features: shape {given}, expected (samples, {self._sums.shape[1]})")
        refuse_two_kinds(features, self._like, "features", "the features before them")
        for rows in slices(features):
            block = unit_length(features[rows]) if self._normalise else features[rows]
            _add_to_classes(self._sums, block, labels[rows])
        self._counts += np.bincount(labels, minlength=self._n_classes)

    def weights(self):
        """Sums scaled to length 1: the imprinted weights of Eq. 3.2.1.

        Returns
        -------
        (C, F)
            Of the kind, type and device of the features.

        Raises
        ------
        DataError
            If a class has no samples, features that are not finite, or features that sum to zero.
        """
        norms = self._norms()
        zero = as_numpy(norms, "norms") == 0
        self._refuse(zero, "features that sum to zero", "a direction to imprint")
        return as_type(self._sums / norms[:, None], self._like)

    def means(self):
        """Mean features of each class.

        Returns
        -------
        (C, F)
            Of the kind, type and device of the features.

        Raises
        ------
        DataError
            If a class has no samples, or features that are not finite.
        """
        self._norms()
        counts: Any = self._counts[:, None]
        if is_tensor(self._sums):
            import torch

            counts = torch.from_numpy(counts).to(self._sums.device)
        return as_type(self._sums / counts, self._like)

    def _norms(self):
        """Lengths (C,) of the sums; a DataError unless every class has finite ones."""
        self._refuse(self._counts == 0, NO_SAMPLES, "one or more")
        with np.errstate(invalid="ignore", over="ignore"):
            norms = (self._sums * self._sums).sum(1) ** 0.5
        bad = ~np.isfinite(as_numpy(norms, "norms"))
        self._refuse(bad, "features that are not finite", "finite numbers")
        return norms

    def _refuse(self, bad: np.ndarray, problem: str, expected: str) -> None:
        refuse_classes(bad, problem, expected, class_names=self._names, name="features")


def refuse_classes(
    bad: np.ndarray, problem: str, expected: str, *, class_names: Sequence[str], name: str
) -> None:
    """Refuse classes for which something is wrong, by their names.

    Parameters
    ----------
    bad : (C,) bool
    problem, expected : str
    class_names : sequence of C names
    name : str, what is wrong with them
    """
    if bad.any():
        which = np.flatnonzero(bad)
        names = ", ".join(class_names[c] for c in which[:5]) + ", ..." * (len(which) > 5)
        classes = f"class {names}" if len(which) == 1 else f"{len(which)} classes ({names})"
        raise DataError(f"{name}: {classes}: {problem}, expected {expected}")


def refuse_empty_classes(
    labels, n_classes: int, *, class_names: Sequence[str] | None = None, name: str = "labels"
) -> None:
    """Refuse labels without a sample of every class, which could not be imprinted.

    Parameters
    ----------
    labels : (N,) int, from 0 to C - 1
    n_classes : int, C
    class_names : sequence of str, optional
    name : str, what to call the labels

    Raises
    ------
    DataError
        If a class has no sample; the message names it.

    Examples
    --------
    >>> refuse_empty_classes(np.array([0, 2]), 3, class_names=["cat", "dog", "frog"])
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: labels: class dog: no samples, expected one or more
    """
    names = list(map(str, range(n_classes) if class_names is None else class_names))
    counts = np.bincount(labels, minlength=n_classes)
    refuse_classes(counts == 0, NO_SAMPLES, "one or more", class_names=names, name=name)


def unit_length(features):
    """Features (N, F) scaled to length 1; a DataError if one is zero."""
    norms = (features * features).sum(1) ** 0.5
    zero = int((norms == 0).sum())
    if zero:
        raise DataError(f"features: zero in {zero} of {len(features)} samples; no length to scale")
    return features / norms[:, None]


def matrix(array, name: str):
    """A tensor or NumPy array (N, F) of float32 or float64; a DataError for another shape."""
    if is_tensor(array):
        import torch  # only if the features are a tensor

        wide = array.dtype == torch.float64 or not array.is_floating_point()
        array = array.detach().to(torch.float64 if wide else torch.float32)
    else:
        array = as_numpy(array, name)
        array = array if array.dtype.kind == "f" else array.astype(np.float64)
    if array.ndim != 2 or 0 in array.shape:
        raise DataError(f"{name}: shape {tuple(array.shape)}, expected two axes, neither empty")
    return array


def is_tensor(array) -> bool:
    """Whether this is a torch tensor."""
    return hasattr(array, "detach")


def refuse_two_kinds(one, other, name: str, other_name: str) -> None:
    """Refuse a tensor together with an array, and tensors on two devices."""
    kinds = [array.device if is_tensor(array) else None for array in (one, other)]
    if kinds[0] != kinds[1]:
        said = ["a NumPy array" if kind is None else f"a tensor on {kind}" for kind in kinds]
        raise DataError(f"{name}: {said[0]}, and {other_name} {said[1]}; expected the same")


def _zeros(shape: tuple[int, int], like):
    """Zeros in float64, beside the features."""
    if is_tensor(like):
        import torch

        return like.new_zeros(shape, dtype=torch.float64)
    return np.zeros(shape)


def as_type(array, like):
    """The array in the floating-point type of another of its kind."""
    return array.to(like.dtype) if is_tensor(array) else array.astype(like.dtype, copy=False)


def _add_to_classes(sums, features, labels: np.ndarray) -> None:
    """Add features (n, F) to the rows of their classes, in the order of the samples."""
    if is_tensor(features):
        import torch

        rows = torch.from_numpy(labels).to(features.device)
        sums.index_add_(0, rows, features.to(torch.float64))
    else:
        n = len(labels)
        one_hot = csc_array((np.ones(n), labels, np.arange(n + 1)), shape=(len(sums), n))
        sums += one_hot @ features.astype(np.float64, copy=False)
