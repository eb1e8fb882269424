"""How well bases of models and of samples do on models that they were not fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import clone

from hyperribbon.embedding.bases.mixtures import Mixtures
from hyperribbon.embedding.bases.models import ModelBasis
from hyperribbon.embedding.bases.samples import SampleBasis
from hyperribbon.embedding.bases.weights import nearest_mixtures
from hyperribbon.embedding.fidelity import (
    explained_by,
    explained_pairwise_distance,
    explained_stress_by,
)
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.errors import DataError


def judge_model_basis(basis: ModelBasis, fitted, judged, D, sizes: Sequence[int]) -> pd.DataFrame:
    """What bases of several sizes keep of the distances between models that they do not know.

    Parameters
    ----------
    basis : ModelBasis, whose parameters but ``n_basis`` count
    fitted : (m, N, C) models to fit, or several trajectories
    judged : (k, N, C) models to judge by, likewise
    D : (k, k) Bhattacharyya distances of the judged models, nats
    sizes : numbers of basis models, increasing

    Returns
    -------
    DataFrame, one row per size

        - size, explained_pairwise_distance (Eq. 2.4.2), explained_stress (`explained_stress_by`)
        - explained_with_residuals: explained pairwise distance if the distances of both models to
          their mixtures are added; see `ModelBasis.score`
        - residual, worst_residual: mean and largest Bhattacharyya distance of a judged model to its
          mixture, nats

    Raises
    ------
    DataError
        If shapes do not fit, rows are not distributions or a basis cannot be that large.

    Examples
    --------
    >>> P = np.linspace(0.1, 0.9, 9)[:, None, None] * [1, -1] + [0, 1]
    >>> from hyperribbon.pairwise import pairwise_distance
    >>> D = pairwise_distance(P)
    >>> judge_model_basis(ModelBasis(), P, P, D, [2])["explained_pairwise_distance"].round(6).item()
    1.0
    """
    sizes = _increasing(sizes)
    whole = clone(basis).set_params(n_basis=sizes[-1]).fit(fitted)
    rows = []
    for size in sizes:
        if size == sizes[-1] or whole.indices_ is not None:
            few = whole.basis_[:size]  # as of `ModelBasis.smaller`, without weights of ``fitted``
        else:
            few = clone(basis).set_params(n_basis=size).fit(fitted).basis_
        found = nearest_mixtures(judged, few, whole.mixture)
        mixtures = Mixtures(few, found.weights, whole.mixture, whole.X_fit_.dtype)
        approximate = mixtures.pairwise_distances()
        residuals = found.residuals
        with_residuals = approximate + residuals[:, None] + residuals
        np.fill_diagonal(with_residuals, 0)
        rows.append(
            {
                "size": size,
                **_kept(D, approximate),
                "explained_with_residuals": explained_by(D, with_residuals),
                "residual": residuals.mean(),
                "worst_residual": residuals.max(),
            }
        )
    return pd.DataFrame(rows)


def judge_sample_basis(basis: SampleBasis, fitted, judged, D, sizes: Sequence[int]) -> pd.DataFrame:
    """What bases of samples of several sizes keep of distances; see `judge_model_basis`.

    Parameters
    ----------
    basis : SampleBasis, whose parameters but ``n_basis`` count
    fitted, judged, D, sizes : as of `judge_model_basis`

    Returns
    -------
    DataFrame, one row per size: size, explained_pairwise_distance, explained_stress

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 5))
    >>> from hyperribbon.pairwise import pairwise_distance
    >>> found = judge_sample_basis(SampleBasis(), P, P, pairwise_distance(P), [1, 5])
    >>> found["explained_pairwise_distance"].round(6).tolist()[1]
    1.0
    """
    sizes = _increasing(sizes)
    whole = clone(basis).set_params(n_basis=sizes[-1]).fit(fitted)
    return pd.DataFrame(
        {"size": size, **_kept(D, whole.smaller(size).pairwise_distances(judged))} for size in sizes
    )


def judge_inpca(D_fitted, D_between, D, sizes: Sequence[int]) -> pd.DataFrame:
    """What InPCA's own coordinates keep: those of the fitted models, in which others are placed.

    Parameters
    ----------
    D_fitted : (m, m) distances of the fitted models, nats
    D_between : (k, m) distances of the judged models to them
    D, sizes : as of `judge_model_basis`; a size is a number of coordinates

    Returns
    -------
    DataFrame, one row per size: size, explained_pairwise_distance, explained_stress

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0]])
    >>> D = (x - x.T) ** 2
    >>> judge_inpca(D, D, D, [1]).round(6).values.tolist()
    [[1.0, 1.0, 1.0]]
    """
    sizes = _increasing(sizes)
    inpca = InPCA(sizes[-1], metric="precomputed", random_state=0).fit(D_fitted)
    X, signs = inpca.transform(D_between), inpca.signature_
    shares = explained_pairwise_distance(D, X, signs)
    rows = []
    for size in sizes:
        Y = X[:, :size]
        squares = (Y * signs[:size]) @ Y.T
        own = np.diag(squares)
        approximate = own[:, None] + own - 2 * squares
        stress = explained_stress_by(D, approximate)
        rows.append(
            {
                "size": size,
                "explained_pairwise_distance": shares[size - 1],
                "explained_stress": stress,
            }
        )
    return pd.DataFrame(rows)


def size_reaching(table: pd.DataFrame, share: float) -> float:
    """Least size whose explained pairwise distance is at least a share; NaN if none is.

    Examples
    --------
    >>> found = pd.DataFrame({"size": [2, 5], "explained_pairwise_distance": [0.8, 0.96]})
    >>> size_reaching(found, 0.95)
    5.0
    """
    enough = table.loc[table["explained_pairwise_distance"] >= share, "size"]
    return float(enough.min()) if len(enough) else np.nan


def _kept(D, approximate: np.ndarray) -> dict[str, float]:
    return {
        "explained_pairwise_distance": explained_by(D, approximate),
        "explained_stress": explained_stress_by(D, approximate),
    }


def _increasing(sizes: Sequence[int]) -> list[int]:
    found = list(sizes)
    if not found or found != sorted(set(found)):
        raise DataError(f"sizes: {found}, expected one or more, increasing")
    return found
