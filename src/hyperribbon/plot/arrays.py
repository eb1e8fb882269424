"""Tables of arrays and of fitted estimators, with what their pictures show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.fidelity import kinds
from hyperribbon.errors import DataError
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.probability.arrays import as_numpy, sliceable
from hyperribbon.probability.scores import loss_and_error
from hyperribbon.probability.views import are_trajectories, trajectories_of
from hyperribbon.storage.tables import coordinate_table

ALPHA = np.linspace(0, 1, 11)  # points of the geodesic


def tables_of_estimator(estimator: Any, labels: Any = None) -> dict[str, pd.DataFrame]:
    """Tables models, explained_stress and, with labels, geodesic of a fitted InPCA or IsKL.

    Raises
    ------
    DataError
        If it is not fitted, or labels are given and it was fitted to distances.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(9, 20))
    >>> found = tables_of_estimator(InPCA(2).fit(P), labels=np.arange(20) % 3)
    >>> list(found), list(found["models"])
    (['models', 'explained_stress', 'geodesic'], ['pc1', 'pc2', 'loss', 'error', 'progress'])
    """
    if not hasattr(estimator, "embedding_"):
        name = type(estimator).__name__
        raise DataError(f"data: {name}, expected a fitted InPCA; call fit before you plot it")
    tables = {"models": coordinate_table(np.asarray(estimator.embedding_))}
    if hasattr(estimator, "eigenvalues_"):
        tables["explained_stress"] = pd.DataFrame(
            {
                "dimension": np.arange(1, len(estimator.eigenvalues_) + 1),
                "eigenvalue": estimator.eigenvalues_,
                "kind": kinds(estimator.eigenvalues_),
                "explained_stress": estimator.explained_stress_,
            }
        )
    if labels is None:
        return tables
    P: Any = getattr(estimator, "X_fit_", None)
    if len(getattr(P, "shape", ())) != 3:
        raise DataError(
            "labels: given with an estimator that was fitted to distances, which do not say where "
            "the geodesic is; expected one that was fitted to predictions (m, N, C)"
        )
    tables["models"] = tables["models"].join(_scores(P, labels))
    # The truth is infinitely far from all else in this divergence.
    infinite = getattr(estimator, "metric", "symmetric_kl") == "symmetric_kl"
    alpha = ALPHA[:-1] if infinite else ALPHA
    n_samples, n_classes = P.shape[1:]
    curve = geodesic(ignorance(n_samples, n_classes), truth(labels, n_classes), alpha)
    tables["geodesic"] = coordinate_table(estimator.transform(curve)).assign(alpha=alpha)
    return tables


def tables_of_arrays(data: Any, labels: Any, components: int) -> dict[str, pd.DataFrame]:
    """Tables of coordinates or predictions, whose embedding is computed.

    Parameters
    ----------
    data : array, list of arrays or mapping of arrays
        Coordinates (m, k); or predictions (m, N, C), or of several trainings: (S, K, N, C), a list
        of (K, N, C), or a mapping from names to them.
    labels : array of int or None
        (N,) true classes.
    components : int
        Coordinates to compute, at most; 0 for none.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(2, 5, 20))
    >>> found = tables_of_arrays({"slow": P[0], "fast": P[1]}, None, 2)["models"]
    >>> list(found), found["training"].unique().tolist()
    (['training', 'checkpoint', 'pc1', 'pc2'], ['slow', 'fast'])
    """
    names = None
    if isinstance(data, Mapping):
        names, data = list(data), list(data.values())
        if not data:
            raise DataError("data: an empty mapping, expected predictions by names of trainings")
    if names is None and not are_trajectories(data):
        data = sliceable(data, "data")
        if len(data.shape) == 2:
            return {"models": coordinate_table(_finite(as_numpy(data, "data")))}
    P, about = _models(data, names)
    if not components:
        if labels is None:
            raise DataError("labels: missing, expected the true classes (N,) of the samples")
        return {"models": about.join(_scores(P, labels))}
    fitted = InPCA(min(components, len(about))).fit(P)
    tables = tables_of_estimator(fitted, labels)
    return tables | {"models": about.join(tables["models"])}


def _models(data: Any, names: list | None) -> tuple[Any, pd.DataFrame]:
    """All models (m, N, C), and which training and checkpoint each is, if they are of trainings."""
    if names is None and not are_trajectories(data):
        if len(data.shape) != 3:
            raise DataError(
                f"data: shape {tuple(data.shape)}, expected coordinates (m, k) or predictions "
                "(m, N, C) or (trainings, checkpoints, N, C)"
            )
        return data, pd.DataFrame(index=range(data.shape[0]))
    if names is None:
        lengths = [len(one) for one in trajectories_of(data, "data")]
        names = list(range(len(lengths)))
    else:
        lengths = [len(_trajectory(one, name)) for name, one in zip(names, data, strict=True)]
    about = pd.DataFrame(
        {
            "training": np.repeat(np.asarray(names, dtype=object), lengths),
            "checkpoint": np.concatenate([np.arange(length) for length in lengths]),
        }
    )
    return Stack(data, "data"), about


def _trajectory(P: Any, name: Any) -> Any:
    """The one trajectory under a name."""
    found = trajectories_of(P, f"data[{name!r}]")
    if len(found) != 1:
        raise DataError(f"data[{name!r}]: {len(found)} trainings, expected one, (K, N, C)")
    return found[0]


def _scores(P: Any, labels: Any) -> pd.DataFrame:
    loss, error = loss_and_error(P, labels)
    return pd.DataFrame({"loss": loss, "error": error, "progress": progress(P, labels)})


def _finite(X: np.ndarray) -> np.ndarray:
    if not np.isfinite(X).all():
        raise DataError("data: coordinates that are NaN or infinite, expected finite ones")
    return X
