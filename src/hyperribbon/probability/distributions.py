"""Models as points in prediction space: a distribution over the classes for each sample."""

import math
import operator

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_numpy, dtype_name, sliceable

SUM_TOLERANCE = 1e-4
MOST = 2**48  # largest count accepted; some counts are bytes of memory
# Half precision: the spacing of numbers near 1 and near 0.
_HALF = {"float16": (2.0**-10, 2.0**-24), "bfloat16": (2.0**-7, 2.0**-133)}

__all__ = [
    "SUM_TOLERANCE",
    "as_distributions",
    "as_numpy",
    "check_labels",
    "check_shape",
    "check_size",
    "class_prior",
    "ignorance",
    "read_rows",
    "sliceable",
    "sum_tolerance",
    "truth",
]


def ignorance(n_samples: int, n_classes: int, prior=None, labels=None) -> np.ndarray:
    """Ignorance P0, (N, C) float64: what is known of every sample before any is seen.

    By default every class is equally probable. Where classes are unequal, a predictor of the base
    rates knows nothing either; with their frequencies as ``prior``, it is ignorance.

    Parameters
    ----------
    n_samples : int
    n_classes : int
    prior : "uniform", "frequencies" of the classes among the labels, or (C,) probabilities; None
        is "uniform"
    labels : (N,) true classes, needed for "frequencies"

    Raises
    ------
    DataError
        If a size is not a positive integer, or the prior is no distribution over the classes.

    Examples
    --------
    >>> ignorance(1, 4)
    array([[0.25, 0.25, 0.25, 0.25]])
    >>> ignorance(4, 2, "frequencies", [0, 0, 0, 1])[0]
    array([0.75, 0.25])
    """
    n_samples = check_size(n_samples, "n_samples")
    n_classes = check_size(n_classes, "n_classes")
    if prior is None:
        return np.full((n_samples, n_classes), 1 / n_classes)
    return np.tile(class_prior(prior, n_classes, labels), (n_samples, 1))


def class_prior(prior, n_classes: int, labels=None) -> np.ndarray:
    """Probabilities (C,) float64 of the classes before any sample is seen, as in `ignorance`.

    Raises
    ------
    DataError
        If the prior is no distribution over the classes, is certain of one, or is "frequencies"
        without labels.
    """
    if prior is None or (isinstance(prior, str) and prior == "uniform"):
        return np.full(n_classes, 1 / n_classes)
    if isinstance(prior, str):
        if prior != "frequencies":
            raise DataError(
                f'prior = {prior!r}: expected "uniform", "frequencies" or {n_classes} probabilities'
            )
        if labels is None:
            raise DataError('prior = "frequencies": expected labels, whose frequencies to take')
        counts = np.bincount(check_labels(labels, n_classes), minlength=n_classes)
        given = counts / counts.sum()
    else:
        given = as_numpy(prior, "prior")
        if given.shape != (n_classes,):
            raise DataError(f"prior: shape {given.shape}, expected ({n_classes},), one per class")
        given = as_distributions(given[None], "prior")[0]
    if given.max() == 1:
        raise DataError(
            f"prior: class {given.argmax()} has probability 1, so there is nothing to learn; "
            "expected less"
        )
    return given


def truth(labels: np.ndarray, n_classes: int, smoothing: float = 0.0) -> np.ndarray:
    """Truth P*: probability 1 for the true class, or the label-smoothed training target.

    With smoothing s, a row is (1 - s) onehot + s / C, as in torch's
    ``CrossEntropyLoss(label_smoothing=s)``.

    Parameters
    ----------
    labels : (N,) true classes
    n_classes : int
    smoothing : float in [0, 1)

    Returns
    -------
    (N, C) float64

    Raises
    ------
    DataError
        If a label is outside 0..C-1 or the smoothing outside [0, 1).

    Examples
    --------
    >>> truth([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    >>> truth([1, 0], 2, smoothing=0.2)
    array([[0.1, 0.9],
           [0.9, 0.1]])
    """
    n_classes = check_size(n_classes, "n_classes")
    labels = check_labels(labels, n_classes)
    if not isinstance(smoothing, int | float | np.number) or not 0 <= smoothing < 1:
        raise DataError(f"smoothing = {smoothing!r}: expected a number in [0, 1)")
    rows = np.full((len(labels), n_classes), smoothing / n_classes)
    rows[np.arange(len(labels)), labels] += 1 - smoothing
    return rows


def check_size(size: int, name: str, least: int = 1, most: int | None = MOST) -> int:
    """Return a count as an int; a DataError unless it is from ``least`` to ``most``."""
    try:
        number = operator.index(size)
    except TypeError:
        number = least - 1
    if number < least or isinstance(size, bool):
        raise DataError(f"{name} = {size}: expected an integer, {least} or more")
    if most is not None and number > most:
        raise DataError(f"{name} = {size}: expected an integer, {least} to {most:,}")
    return number


def check_labels(labels: np.ndarray, n_classes: int, n_samples: int | None = None) -> np.ndarray:
    """Return labels as integers (N,); a DataError unless there is one per sample in 0..C-1."""
    labels = as_numpy(labels, "labels")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"labels: shape {labels.shape} of {labels.dtype}, expected integers of shape (N,)"
        )
    if labels.size == 0:
        raise DataError("labels: empty, expected one per sample")
    if n_samples is not None and len(labels) != n_samples:
        raise DataError(f"labels: {len(labels)}, expected one per sample, {n_samples}")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(
            f"labels: from {labels.min()} to {labels.max()}, expected 0 to {n_classes - 1}"
        )
    return labels


def check_shape(P, name: str = "P", ndim: int | None = None) -> tuple[int, ...]:
    """Return the shape (..., N, C) of P; a DataError if it has another form or is empty.

    Reads no entry, so it costs nothing for arrays on disk.
    """
    shape = tuple(P.shape)
    expected = "(models, samples, classes)" if ndim == 3 else "(..., samples, classes)"
    if len(shape) < 2 or 0 in shape or (ndim is not None and len(shape) != ndim):
        raise DataError(f"{name}: shape {shape}, expected {expected}, none of them 0")
    return shape


def sum_tolerance(array) -> float:
    r"""How far the sum of a row of probabilities may be from 1, given its precision.

    1e-4, or in half precision, if larger, the rounding error of a softmax over C classes:

    .. math:: (3 + \log_2 C)\, \epsilon / 2 + C \delta / 2.

    Numerators, their pairwise sum and their quotients are each rounded by :math:`\epsilon / 2`, and
    entries next to 0 by half the smallest positive number, :math:`\delta`.

    Parameters
    ----------
    array : (..., C), before conversion to numpy, which has no bfloat16; or a list of such arrays

    Examples
    --------
    >>> sum_tolerance(np.ones((2, 10))), round(sum_tolerance(np.ones((2, 10), np.float16)), 4)
    (0.0001, 0.0031)
    """
    if isinstance(array, list | tuple):
        return max(map(sum_tolerance, array), default=SUM_TOLERANCE)
    name = dtype_name(array)
    if name not in _HALF or not len(array.shape):
        return SUM_TOLERANCE
    (epsilon, least), n_classes = _HALF[name], max(1, array.shape[-1])
    return max(SUM_TOLERANCE, ((3 + math.log2(n_classes)) * epsilon + n_classes * least) / 2)


def read_rows(P, name: str = "P") -> np.ndarray:
    """Read rows without checking them, except rows in half precision: these are normalised.

    Once converted, nothing shows that sums differ from 1 by the rounding of half precision.
    """
    return as_distributions(P, name) if dtype_name(P) in _HALF else as_numpy(P, name)


def as_distributions(P: np.ndarray, name: str = "P") -> np.ndarray:
    """Check that rows are distributions, and normalise them in float64.

    Probabilities stored in float32 sum to 1 only to about 1e-7; without normalisation a model
    would lie at a distance of that order from itself.

    Parameters
    ----------
    P : (..., N, C), any array: numpy, torch on any device, dask, zarr
    name : what to call P in errors

    Returns
    -------
    (..., N, C) float64, each row summing to 1

    Raises
    ------
    DataError
        If P is empty, an entry is negative or not finite, or a row's sum differs from 1 by more
        than 1e-4 (in half precision, by more than `sum_tolerance`).

    Examples
    --------
    >>> as_distributions([[1, 0], [0.50002, 0.50002]])
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    tolerance, given = sum_tolerance(P), as_numpy(P, name)
    check_shape(given, name)
    P = given.astype(np.float64, copy=False)
    # A product with ones reads P once; a sum over a short last axis is several times slower.
    with np.errstate(invalid="ignore", over="ignore"):
        sums = (P @ np.ones(P.shape[-1]))[..., None]
    lowest = P.min()
    if not (lowest >= 0 and np.abs(sums - 1).max() <= tolerance):
        if not np.isfinite(P).all():
            problem = "entries that are not finite"
        elif lowest < 0:
            problem = f"negative entries, down to {lowest:.3g}"
        else:
            worst = np.abs(sums - 1).argmax()
            problem = f"a row that sums to {sums.flat[worst]:.6g}"
        half = "" if tolerance == SUM_TOLERANCE else f", to {tolerance:.2g} in half precision"
        raise DataError(
            f"{name}: {problem}, expected probabilities that sum to 1 over the classes{half}"
        )
    return np.divide(P, sums, out=P if P is not given else None)
