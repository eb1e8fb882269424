"""Loss and error of a checkpoint."""

from __future__ import annotations

import numpy as np

from hyperribbon.probability.scores import loss_and_error

_AT_ONCE = 2**24  # predictions in float64


def loss_and_error_of(
    P: np.ndarray, labels: np.ndarray, others: np.ndarray | None = None
) -> dict[str, float]:
    """Loss and error of predictions (N, C), some samples at a time if the vocabulary is large.

    Parameters
    ----------
    P : ndarray of shape (N, C)
        Probabilities.
    labels : ndarray of shape (N,)
        True classes.
    others : ndarray of shape (N, 1), optional
        Where few classes are kept and the first is the true one: the largest probability among the
        others. The true class must then be likelier than any other.
    """
    n, loss, error = len(P), 0.0, 0.0
    step = max(1, _AT_ONCE // P.shape[1])
    for start in range(0, n, step):
        part = slice(start, start + step)
        some = P[part]
        of_loss, of_error = (float(x[0]) for x in loss_and_error(some[None], labels[part]))
        if others is not None:
            rivals = np.column_stack([some[:, 1:-1], others[part]])
            of_error = float((rivals.max(axis=1) >= some[:, 0]).mean())
        share = len(some) / n
        loss, error = loss + of_loss * share, error + of_error * share
    return {"loss": loss, "error": error}
