"""Parts and projections of models that are read only where they are sliced."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

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
