"""What each dimension of an embedding explains, as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.embedding.fidelity import kinds
from hyperribbon.embedding.inpca import InPCA


def dimension_table(inpca: InPCA) -> pd.DataFrame:
    """What each dimension of an InPCA explains, with those before it.

    Parameters
    ----------
    inpca : fitted

    Returns
    -------
    DataFrame, one row per dimension: dimension (from 1), eigenvalue (in the units of the
    distances), kind (``space-like`` or ``time-like``), explained_stress (Eq. 2.2.8),
    explained_pairwise_distance (Eq. 2.4.2)

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0]])
    >>> inpca = InPCA(1, metric="precomputed").fit((x - x.T) ** 2)
    >>> dimension_table(inpca).round(3).to_csv(index=False).split()[-1]
    '1,4.667,space-like,1.0,1.0'
    """
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(inpca.eigenvalues_) + 1),
            "eigenvalue": inpca.eigenvalues_,
            "kind": kinds(inpca.eigenvalues_),
            "explained_stress": inpca.explained_stress_,
            "explained_pairwise_distance": inpca.explained_pairwise_distance_,
        }
    )
