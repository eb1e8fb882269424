"""Train and test models in the same axes (thesis 2.3.1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.embedding.inpca import InPCA
from hyperribbon.embedding.operators import CentredDistances, check_square
from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import sliceable


class JointEmbedding(NamedTuple):
    """Coordinates of the same m models on two sets of samples; see `joint_embedding`."""

    train: np.ndarray
    """(m, n_components), from InPCA of the train distances."""
    test: np.ndarray
    """(m, n_components), in the axes of the train embedding."""
    inpca: InPCA
    """Fitted to the train distances."""


def joint_embedding(
    train_distance, test_distance, n_components: int = 3, *, random_state=None
) -> JointEmbedding:
    r"""Embed models by their train distances, and place their test versions in the same axes.

    .. math:: W'_{uv} = -\tfrac12 \Big( D'_{uv} - \frac1m \sum_{u'} (D_{uu'} + D_{vu'}
              - \frac1m \sum_{v'} D_{u'v'}) \Big), \qquad
              X' = W' U_k\, \mathrm{sign}(\lambda_k) / \sqrt{|\lambda_k|}

    (Eq. 2.3.1): the distances D' of the test models among themselves are centred by the train
    distances D and multiplied with the eigenpairs of the train embedding. Terms that do not depend
    on v vanish in X', because each U_k sums to 0, so this is Eq. 2.2.9 with D' in place of the
    distances from new models to the fitted ones. It is meaningful where train and test means are
    close.

    Parameters
    ----------
    train_distance, test_distance : (m, m) distances of the same models in the same order; any
        array that `InPCA` takes as precomputed
    n_components : int, number of coordinates; None keeps all m
    random_state : int, RandomState or None, as in `InPCA`

    Raises
    ------
    DataError
        If either matrix is not a matrix of distances, or their shapes differ.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0]])
    >>> train, test, _ = joint_embedding((x - x.T) ** 2, (x - x.T) ** 2, n_components=1)
    >>> bool(np.allclose(train, test))
    True
    """
    inpca = InPCA(n_components, metric="precomputed", random_state=random_state)
    train_distance = sliceable(train_distance, "train_distance")
    test_distance = sliceable(test_distance, "test_distance")
    for D, name in ((train_distance, "train_distance"), (test_distance, "test_distance")):
        check_square(D, name)
    if tuple(train_distance.shape) != tuple(test_distance.shape):
        raise DataError(
            f"test_distance: shape {tuple(test_distance.shape)}, expected that of train_distance, "
            f"{tuple(train_distance.shape)}"
        )
    train = inpca.fit_transform(train_distance)
    CentredDistances(test_distance, np.ones(len(train)), "test_distance")  # checks it
    return JointEmbedding(train, inpca.transform(test_distance), inpca)
