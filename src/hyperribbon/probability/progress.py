"""Progress along the geodesic from ignorance to truth."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import n_threads, slices
from hyperribbon.probability.distributions import (
    SUM_TOLERANCE,
    as_distributions,
    check_labels,
    check_shape,
    check_size,
    class_prior,
    read_rows,
    sliceable,
    truth,
)
from hyperribbon.probability.views import in_sequence, trajectories_of

# Resolution of alpha. A minimum closer than this to an end counts as exactly at the end.
RESOLUTION = 1e-7


def progress(
    P, labels: np.ndarray, *, smoothing: float = 0.0, prior=None, threads: int | None = None
) -> np.ndarray | float:
    r"""Progress towards the truth (Eq. 2.2.4).

    Progress is the alpha in [0, 1] that minimises the mean over samples of the arc from P to the
    point at alpha on the geodesic from ignorance to the truth. On each sample's sphere the
    geodesic is part of a great circle, at angle
    :math:`\theta = \theta_0 + \alpha (\theta_1 - \theta_0)` with
    :math:`\sin \theta_0 = 1 / \sqrt C` and :math:`\theta_1 = \pi/2` for a one-hot truth, in the
    plane of the true class's axis and the uniform direction of the others. A sample enters through
    its coordinates in that plane, :math:`a = \sqrt{p_y}` and
    :math:`b = \sum_{c \ne y} \sqrt{p_c} / \sqrt{C - 1}`. With its squared distance from the
    plane, :math:`h = 1 - a^2 - b^2 \ge 0`, and :math:`u = a \cos\theta - b \sin\theta`, its arc
    has slope :math:`-u / \sqrt{h + u^2}`, which increases with the angle. With another prior
    :math:`\pi`, :math:`\sin \theta_0 = \sqrt{\pi_y}` and :math:`b = \sum_{c \ne y}
    \sqrt{\pi_c p_c} / \sqrt{1 - \pi_y}`, so that the angles depend on the class. The mean arc is
    convex in alpha and has one minimum (with two classes every sample lies in the plane, and there
    may be an interval of minima, of which one is returned). A bracketed Newton iteration on the
    mean slope finds the minimum to 2e-7, and to rounding where the mean arc is smooth.

    Parameters
    ----------
    P : (m, N, C) or (N, C) distributions; any sliceable array: numpy, torch, dask, zarr. Each
        block of models is read once; memory is O(N C) per thread. Also (S, K, N, C), K checkpoints
        of S trainings, or a sequence of arrays, such as trajectories of different lengths
    labels : (N,) true classes
    smoothing : float in [0, 1), label smoothing of the truth, as in `truth`
    prior : of ignorance, as in `ignorance`; only without smoothing
    threads : int, number of threads; all cores by default

    Returns
    -------
    (m,) float64, or a float for a single model; (S, K) for trainings, and for a sequence one value
    per model, (m,)

    Raises
    ------
    DataError
        If rows are not distributions, labels do not fit, the smoothing is outside [0, 1), or the
        prior is no distribution over the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> labels = np.array([0, 2, 1])
    >>> halfway = geodesic(ignorance(3, 3), truth(labels, 3), 0.5)
    >>> round(progress(halfway, labels), 7)
    0.5
    """
    options = {"smoothing": smoothing, "prior": prior, "threads": threads}
    if in_sequence(P):
        return np.concatenate([np.atleast_1d(progress(p, labels, **options)) for p in P])
    P = sliceable(P, "P")
    if len(P.shape) == 2:
        return float(np.asarray(progress(P[None], labels, **options))[0])
    if len(P.shape) == 4:
        return np.stack([progress(p, labels, **options) for p in trajectories_of(P)])
    n_models, n_samples, n_classes = check_shape(P, ndim=3)
    if n_classes == 1:
        raise DataError("P: one class; progress needs two or more")
    labels = check_labels(labels, n_classes, n_samples).astype(np.int64)
    roots, start, arc = _ends(labels, n_classes, smoothing, prior)
    from hyperribbon.probability.kernels import progress_of_models  # 0.3 s to import

    threads = n_threads() if threads is None else check_size(threads, "threads")
    values = np.empty(n_models)

    def compute(block: slice) -> None:
        models = np.ascontiguousarray(read_rows(P[block]))
        if models.dtype not in (np.float32, np.float64):
            models = models.astype(np.float64)
        fixed = (labels, roots, SUM_TOLERANCE, RESOLUTION, start, arc, values[block])
        if not progress_of_models(models, *fixed):
            # Raises with what is wrong, unless sums are within a rounding error of the tolerance.
            progress_of_models(as_distributions(models), *fixed)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(compute, slices(P, parts=threads)))
    return values


@dataclass(frozen=True)
class PlaneCoordinates:
    """Samples of models in the planes of ignorance and truth; see `progress`.

    Attributes
    ----------
    along, across : (..., N) coordinates a and b
    start : (N,) angle of ignorance, radians
    arc : (N,) length of the geodesic from ignorance to the truth, radians
    """

    along: np.ndarray
    across: np.ndarray
    start: np.ndarray
    arc: np.ndarray

    def coefficients(self, s) -> np.ndarray:
        """Bhattacharyya coefficient (..., N) of each sample with the geodesic's point at s, (...).

        The cosine of the arc between them.
        """
        angle = self.start + self.arc * np.asarray(s)[..., None]
        return self.along * np.sin(angle) + self.across * np.cos(angle)

    def slopes(self, s) -> np.ndarray:
        """Slope (..., N) of each sample's arc to the geodesic's point at s, (...); 0 at a kink."""
        angle = self.start + self.arc * np.asarray(s)[..., None]
        turn = self.along * np.cos(angle) - self.across * np.sin(angle)
        off_plane = np.maximum(1 - self.along**2 - self.across**2, 0)
        length = np.sqrt(off_plane + turn**2)
        return -self.arc * np.divide(turn, length, out=np.zeros_like(turn), where=length > 1e-12)


def plane_coordinates(
    P, labels: np.ndarray, *, smoothing: float = 0.0, prior=None
) -> PlaneCoordinates:
    """Coordinates of models (..., N, C) in the plane of ignorance and truth of each sample.

    Labels, smoothing and prior are those of `progress`.

    Examples
    --------
    >>> found = plane_coordinates(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]))
    >>> found.along.round(3).tolist(), found.across.round(3).tolist()
    ([0.707, 1.0], [0.707, 0.0])
    """
    P = np.asarray(read_rows(P))
    n_samples, n_classes = check_shape(P)[-2:]
    labels = check_labels(labels, n_classes, n_samples).astype(np.int64)
    roots, start, arc = _ends(labels, n_classes, smoothing, prior)
    from hyperribbon.probability.kernels import coordinates_of_models  # 0.3 s to import

    along, across = np.empty(P.shape[:-1]), np.empty(P.shape[:-1])
    places = along.reshape(-1, n_samples), across.reshape(-1, n_samples)
    models = np.ascontiguousarray(P).reshape(-1, n_samples, n_classes)
    if models.dtype not in (np.float32, np.float64):
        models = models.astype(np.float64)
    fixed = (labels, roots, SUM_TOLERANCE, *places)
    if not coordinates_of_models(models, *fixed):
        coordinates_of_models(as_distributions(models), *fixed)  # which raises with what is wrong
    return PlaneCoordinates(along, across, start[labels], arc[labels])


def _ends(labels: np.ndarray, n_classes: int, smoothing: float, prior) -> tuple[np.ndarray, ...]:
    """Roots of ignorance up to a factor, its angle and the arc to the truth, each (C,)."""
    along = truth(np.zeros(1, int), n_classes, smoothing)[0, 0]
    if prior is None:
        arc = math.acos(1 / math.sqrt(n_classes)) - math.acos(math.sqrt(along))
        start = math.asin(1 / math.sqrt(n_classes))
        return np.ones(n_classes), np.full(n_classes, start), np.full(n_classes, arc)
    if smoothing:
        raise DataError(f"smoothing = {smoothing}, prior: both given, expected one of them")
    roots = np.sqrt(class_prior(prior, n_classes, labels))
    start = np.arcsin(roots)
    return roots, start, np.pi / 2 - start
