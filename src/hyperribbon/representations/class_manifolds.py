"""Class manifolds: the representations of the samples of each class, their size and distance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_numpy

BLOCK_BYTES = 2**26  # of representations worked on at once


class ClassManifolds(NamedTuple):
    """Sizes of class manifolds, and how far apart they are.

    Attributes
    ----------
    radii : ndarray of shape (..., C)
        Gyration radius of each class, the root mean square distance from its centre.
    distances : ndarray of shape (..., C, C)
        Distances between the centres.
    """

    radii: np.ndarray
    distances: np.ndarray


def class_manifolds(H: np.ndarray, labels: np.ndarray, normalise: bool = True) -> ClassManifolds:
    """Gyration radii of class manifolds, and distances between their centres.

    With the centre mu_c = mean of the representations x of class c, the radius is
    ``R_c = sqrt(mean |x - mu_c|^2) = sqrt(mean |x|^2 - |mu_c|^2)``, and ``D_cd = |mu_c - mu_d|``.
    For vectors of unit length ``R_c^2 = 1 - |mu_c|^2``. Only sums over classes are computed, from
    which radii below 1e-7 of the vectors' length are rounding errors.

    Parameters
    ----------
    H : array of shape (..., N, n)
        Representations of N samples, n numbers each. Any axes may precede, such as seeds, epochs
        and layers.
    labels : array of int, shape (N,)
        Classes from 0 to C - 1.
    normalise : bool
        Whether each representation is divided by its length first, as in the paper.

    Returns
    -------
    ClassManifolds
        In float64.

    Raises
    ------
    DataError
        If shapes do not agree; if there is one class, or a class has no or one sample; if a
        representation is not finite, or is zero and to be normalised.

    References
    ----------
    Ciceri, Cassani, Osella, Rotondo, Valle, Gherardi, "Inversion dynamics of class manifolds in
    deep learning reveals tradeoffs underlying generalisation" (2024), arXiv:2303.05161.

    Examples
    --------
    >>> H = np.array([[3.0, 0.0], [0.0, 2.0], [-1.0, 0.0], [-5.0, 0.0]])
    >>> radii, distances = class_manifolds(H, np.array([0, 0, 1, 1]))
    >>> radii.round(3).tolist(), distances.round(3).tolist()
    ([0.707, 0.0], [[0.0, 1.581], [1.581, 0.0]])
    """
    H = as_numpy(H, "H")
    if H.ndim < 2:
        raise DataError(f"H: shape {H.shape}, expected (..., samples, features)")
    labels = check_classes(labels, H.shape[-2])
    n_classes = labels.max() + 1
    members = (labels == np.arange(n_classes)[:, None]).astype(float)
    counts = members.sum(axis=1)
    flat = H.reshape(-1, *H.shape[-2:])
    radii = np.empty((len(flat), n_classes))
    distances = np.empty((len(flat), n_classes, n_classes))
    at_once = max(1, BLOCK_BYTES // max(1, 8 * H.shape[-2] * H.shape[-1]))
    for start in range(0, len(flat), at_once):
        x = flat[start : start + at_once].astype(float)
        squares = np.einsum("kni,kni->kn", x, x)
        _check_vectors(squares, normalise, start, H.shape[:-2])
        if normalise:
            x /= np.sqrt(squares)[:, :, None]
            squares[:] = 1
        centres = members @ x / counts[:, None]
        here = slice(start, start + len(x))
        radii[here], distances[here] = from_centres(centres, squares @ members.T / counts)
    shape = H.shape[:-2]
    return ClassManifolds(
        radii.reshape(*shape, n_classes), distances.reshape(*shape, n_classes, n_classes)
    )


def from_centres(centres: np.ndarray, squares: np.ndarray | float) -> ClassManifolds:
    """Class manifolds from centres (..., C, n) and mean squared lengths (..., C)."""
    radii = np.sqrt(np.maximum(squares - np.square(centres).sum(axis=-1), 0))
    apart = centres[..., :, None, :] - centres[..., None, :, :]
    return ClassManifolds(radii, np.linalg.norm(apart, axis=-1))


def check_classes(labels: np.ndarray, n_samples: int) -> np.ndarray:
    """Labels (N,) of two or more classes, each with two samples at least, or a `DataError`."""
    labels = np.asarray(labels)
    if labels.shape != (n_samples,) or labels.dtype.kind not in "iu":
        raise DataError(
            f"labels: {labels.dtype} of shape {labels.shape}, expected integers of shape "
            f"({n_samples},), one per sample"
        )
    if not n_samples or labels.min() < 0:
        given = labels.min() if n_samples else "none"
        raise DataError(f"labels: {given}, expected classes from 0 to C - 1")
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise DataError("labels: one class, expected two or more")
    if counts.min() < 2:
        few = int(counts.argmin())
        raise DataError(
            f"labels: class {few} has {counts[few]} samples, expected two or more of each of "
            f"the classes 0 to {len(counts) - 1}"
        )
    return labels.astype(np.int64)


def _check_vectors(
    squares: np.ndarray, normalise: bool, start: int, shape: tuple[int, ...]
) -> None:
    """Refuse representations that are not finite, or zero, by their squared lengths (k, N)."""
    wrong = ~np.isfinite(squares)
    what = "not finite"
    if normalise and not wrong.any():
        wrong, what = squares == 0, "zero, which has no direction; expected normalise=False"
    if wrong.any():
        k, sample = np.argwhere(wrong)[0]
        place = (*np.unravel_index(start + k, shape), sample) if shape else (sample,)
        raise DataError(f"H[{', '.join(map(str, place))}]: {what}")
