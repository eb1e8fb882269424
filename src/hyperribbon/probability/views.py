"""Parts and projections of models that are read only where they are sliced."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import sliceable
from hyperribbon.probability.projection import random_stochastic_projection


class Selection:
    """Some models and samples of a trajectory, in any order, read where they are sliced.

    Parameters
    ----------
    P : (K, N, C), any array with slices
    models : positions of models; all by default
    samples : positions of samples; all by default

    Examples
    --------
    >>> P = np.arange(24).reshape(3, 4, 2) / 24
    >>> few = Selection(P, models=[2, 0], samples=[3, 1])
    >>> bool(np.array_equal(few[:2, :2], P[[2, 0]][:, [3, 1]]))
    True
    """

    def __init__(
        self,
        P,
        models: Sequence[int] | np.ndarray | None = None,
        samples: Sequence[int] | np.ndarray | None = None,
    ):
        self._P = P
        self._models = np.arange(P.shape[0]) if models is None else np.asarray(models)
        self._samples = samples if samples is None else np.asarray(samples)
        n_samples = P.shape[1] if samples is None else len(samples)
        self.shape = (len(self._models), n_samples, P.shape[2])
        self.dtype = P.dtype
        self.chunks = (1, *self.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        models = self._models[key[0]]
        if models.ndim == 0:
            block = self._read(models)
        else:
            block = np.stack([self._read(k) for k in models])
        return block[(slice(None),) * models.ndim + key[1:]]

    def _read(self, model: int) -> np.ndarray:
        P = np.asarray(self._P[int(model)])
        return P if self._samples is None else P[self._samples]


def selections(
    trajectories: Iterable, rows: np.ndarray, samples: np.ndarray | None = None
) -> list[Selection]:
    """Some models of several trajectories, and some samples of all of them.

    Parameters
    ----------
    trajectories : arrays (K, N, C) with slices, one after the other
    rows : positions of models among those of all trajectories, increasing
    samples : positions of samples; all by default

    Returns
    -------
    list of (b, n, C), read where they are sliced; trajectories without a model are left out

    Examples
    --------
    >>> P = np.arange(24).reshape(3, 4, 2) / 24
    >>> [part.shape for part in selections([P, P, P], rows=np.array([1, 2, 7]))]
    [(2, 4, 2), (1, 4, 2)]
    """
    parts, start = [], 0
    for P in trajectories:
        inside = rows[(start <= rows) & (rows < start + P.shape[0])]
        if len(inside):
            parts.append(Selection(P, inside - start, samples))
        start += P.shape[0]
    return parts


class Projected:
    """Models with their classes mixed at random, projected where they are sliced.

    Parameters
    ----------
    P : (m, N, C), any array with slices
    n_classes : int, as of `hyperribbon.probability.random_stochastic_projection`
    seed : int, as there

    Examples
    --------
    >>> P = np.full((3, 5, 100), 0.01, dtype=np.float32)
    >>> few = Projected(P, 10, seed=0)
    >>> few.shape, few[:1].shape, few[:1].dtype
    ((3, 5, 10), (1, 5, 10), dtype('float32'))
    """

    def __init__(self, P, n_classes: int, seed: int = 0):
        self._P, self._n_classes, self._seed = P, n_classes, seed
        self.shape, self.dtype = (*P.shape[:2], n_classes), P.dtype

    def __getitem__(self, key) -> np.ndarray:
        P = random_stochastic_projection(self._P[key], self._n_classes, self._seed)
        return P.astype(self.dtype)


class Training:
    """The checkpoints (K, N, C) of one training among several, read where they are sliced.

    Parameters
    ----------
    P : (S, K, N, C), any array with slices
    training : position of the training

    Examples
    --------
    >>> P = np.zeros((2, 3, 4, 5))
    >>> P[1, 2] = 1
    >>> second = Training(P, 1)
    >>> second.shape, float(second[2].mean())
    ((3, 4, 5), 1.0)
    """

    def __init__(self, P, training: int):
        self._P, self._training = P, training
        self.shape, self.dtype = tuple(P.shape[1:]), P.dtype
        chunks = getattr(P, "chunks", None)
        if chunks:  # of dask, or of Zarr
            self.chunks = chunks[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key):
        return self._P[(self._training, *(key if isinstance(key, tuple) else (key,)))]


def in_sequence(P) -> bool:
    """Whether P is a list or tuple of arrays, not an array or nested lists of numbers."""
    return isinstance(P, list | tuple) and any(hasattr(part, "shape") for part in P)


def are_trajectories(P) -> bool:
    """Whether P is several trajectories: (S, K, N, C), or a sequence of arrays (K, N, C)."""
    if in_sequence(P):
        return any(len(getattr(part, "shape", ())) > 2 for part in P)
    return len(getattr(P, "shape", ())) == 4


def trajectories_of(P, name: str = "P") -> list:
    """The trajectories in P, each a sliceable array (K, N, C).

    Parameters
    ----------
    P : (S, K, N, C), K checkpoints of S trainings; or (K, N, C); or a sequence of such arrays, and
        of single models (N, C)
    name : what to call P in errors

    Raises
    ------
    DataError
        If there is none, or an array has another number of dimensions.

    Examples
    --------
    >>> P = np.full((2, 3, 4, 5), 0.2)
    >>> [trajectory.shape for trajectory in trajectories_of([P, P[0, :2]])]
    [(3, 4, 5), (3, 4, 5), (2, 4, 5)]
    """
    if in_sequence(P):
        return [one for k, part in enumerate(P) for one in trajectories_of(part, f"{name}[{k}]")]
    P = sliceable(P, name)
    shape = tuple(P.shape)
    if len(shape) == 4 and shape[0]:
        return [Training(P, s) for s in range(shape[0])]
    if len(shape) == 2:
        return [P[None]]
    if len(shape) != 3:
        expected = "([trainings,] checkpoints, samples, classes)"
        raise DataError(f"{name}: shape {shape}, expected {expected}")
    return [P]
