"""What projecting the classes to fewer at random does to distances and embedding (3.5.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hyperribbon.embedding.from_few import embed_from_few
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.distributions import check_shape, check_size, sliceable
from hyperribbon.probability.views import Projected


class ProjectionChange(NamedTuple):
    """Change by one random projection; see `projection_change`."""

    n_classes: int
    """Number of classes after the projection."""
    draw: int
    """Number of the draw, which is the seed of the projection."""
    factor: float
    """Sum of the original distances over that of the projected ones, above 1."""
    correlation: float
    """Pearson correlation of projected and original distances."""
    relative_error: float
    """Mean absolute difference of the distances after the factor, over the mean distance."""
    explained_stress: float
    """Of the projected distances in k dimensions (Eq. 2.2.8)."""
    rmsd: float
    """From the original embedding after Procrustes alignment, in units of its size; NaN where the
    dimensions have other signatures."""


def projection_change(
    P, sizes: Sequence[int], draws: int, *, n_components: int = 3, threads: int | None = None
) -> list[ProjectionChange]:
    """Measure how a random stochastic projection of the classes changes distances and embedding.

    The projection shrinks all distances, so one factor is undone before they are compared.

    Parameters
    ----------
    P : (m, N, C) distributions: any sliceable array, or a list of such arrays
    sizes : sequence of int, numbers of classes to project to, as of `random_stochastic_projection`
    draws : int, random projections of each size
    n_components : int, dimensions k of the InPCA embeddings
    threads : int, number of threads; all cores by default

    Returns
    -------
    list of ProjectionChange, one per size and draw: the rows of a table

    Raises
    ------
    DataError
        If rows are not distributions, or a number is out of range.

    Notes
    -----
    A projection to c classes takes m N C c multiplications, and distances m^2 N c / 2. In memory
    are blocks of models and two matrices (m, m).

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.full(50, 0.05), size=(12, 40))
    >>> found = projection_change(P, [5, 25], 1)
    >>> [(change.n_classes, change.factor > 1) for change in found]
    [(5, True), (25, True)]
    """
    parts = [sliceable(part, "P") for part in (P if isinstance(P, list) else [P])]
    for part in parts:
        check_shape(part, ndim=3)
    draws = check_size(draws, "draws")
    whole = pairwise_distance(parts, threads=threads)
    original = InPCA(n_components, metric="precomputed", random_state=0).fit(whole)
    upper = np.triu_indices(len(whole), 1)
    found = []
    for size in sizes:
        for draw in range(draws):
            projected = [Projected(part, size, draw) for part in parts]
            D = pairwise_distance(projected, threads=threads)
            factor = whole.sum() / D.sum() if D.any() else 1.0
            D *= factor
            few = embed_from_few(D, whole, original, aligned=n_components)
            found.append(
                ProjectionChange(
                    int(size),
                    draw,
                    float(factor),
                    float(np.corrcoef(D[upper], whole[upper])[0, 1]),
                    float(np.abs(D - whole).sum() / whole.sum()),
                    float(few.explained_stress[-1]),
                    float(few.rmsd[-1]),
                )
            )
    return found
