"""Random projection of the classes to fewer classes (thesis 3.5.2)."""

import numpy as np

from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distributions import (
    as_distributions,
    check_shape,
    check_size,
    sliceable,
)


def random_stochastic_projection(P, n_classes: int, seed: int) -> np.ndarray:
    r"""Project distributions over C classes to fewer classes: rows p become p R.

    R, (C, n_classes), is nonnegative with rows that sum to 1, so each new class is a random
    mixture of the old ones. The thesis (3.5.2) does not say how R is drawn; here each row is
    uniform on the simplex (Dirichlet with all parameters 1). All models and samples share R, so
    sets projected with the same seed can be compared. Bhattacharyya distances cannot grow
    (data-processing inequality), and usually shrink.

    Parameters
    ----------
    P : (..., N, C) distributions; read one block of the first axis at a time
    n_classes : int, 2 or more; number of new classes
    seed : int, 0 or more; the same seed gives the same R

    Returns
    -------
    (..., N, n_classes) float64

    Raises
    ------
    DataError
        If rows are not distributions, or n_classes or the seed is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> P = np.full((3, 5, 100), 0.01)
    >>> random_stochastic_projection(P, 10, seed=0).shape
    (3, 5, 10)
    """
    P = sliceable(P, "P")
    shape = check_shape(P)
    n_classes = check_size(n_classes, "n_classes", least=2)
    R = np.random.default_rng(check_size(seed, "seed", 0, None)).dirichlet(
        np.ones(n_classes), size=shape[-1]
    )
    projected = np.empty((*shape[:-1], n_classes))
    for block in slices(P):
        projected[block] = as_distributions(P[block]) @ R
    return projected
