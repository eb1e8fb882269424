"""A family of trainings as one object, which computes or reads what it is asked for."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.analysis.apart import Apart, samples_apart
from hyperribbon.analysis.arrays import ArrayModels
from hyperribbon.analysis.explain import explain_distance
from hyperribbon.analysis.geometry import Geometry
from hyperribbon.analysis.lazy import lazy_array
from hyperribbon.analysis.tables import LABELLED, TABLES, Tables
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.errors import DataError, StoreError
from hyperribbon.reporting.page import page_path, write_text
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import splits_in
from hyperribbon.storage.tables import MODEL_KEYS

BHATTACHARYYA = "bhattacharyya"


class Study:
    """Trainings, their predictions and everything that follows from these.

    Make one by `from_runs`, `from_arrays` or, from the results of a finished study,
    `hyperribbon.open_study`. Nothing is computed before it is asked for. What was computed stays in
    memory, and small results about stores also in the user's cache folder, so that they are there
    the next time. ``split`` is "train" or "test"; by default the first that there is.

    Attributes
    ----------
    name : str
        Name of the study.
    splits : tuple of str
        The splits of which there are predictions.
    tables : mapping
        Tables by name, with the columns of a study's CSV files: models, explained_stress,
        configurations and, where labels are known, geodesic, trajectories, tubes and
        configuration_distances; all tables, of a finished study.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> rng, labels = np.random.default_rng(0), np.arange(30) % 3
    >>> ends = hr.ignorance(30, 3), hr.truth(labels, 3)
    >>> noise = 0.1 * rng.dirichlet(np.ones(3), size=(2, 5, 30))
    >>> P = 0.9 * hr.geodesic(*ends, np.linspace(0, 1, 5)) + noise
    >>> study = hr.Study.from_arrays({"net-0": P[0], "net-1": P[1]}, labels)
    >>> study
    Study of 2 trainings: 10 models of 30 train samples, 3 classes
    >>> study.embed()[["configuration", "checkpoint", "pc1"]].shape
    (10, 3)
    """

    def __init__(
        self,
        models: Any,
        name: str = "",
        *,
        images: Mapping[str, Any] | None = None,
        class_names: Sequence[str] | None = None,
        prior=None,
        stored: Mapping[str, Geometry] | None = None,
        tables: Mapping[str, Callable[[], pd.DataFrame]] | None = None,
    ):
        self._models, self.name, self.splits = models, name, models.splits
        of_models = getattr(models, "prior", None)  # of recordings of few classes
        self._images, self._prior = dict(images or {}), of_models if prior is None else prior
        self._class_names = class_names
        self._geometries: dict[tuple[str, str], Geometry] = {
            (split, BHATTACHARYYA): geometry for split, geometry in (stored or {}).items()
        }
        known = all(models.labels(split) is not None for split in self.splits)
        computed: dict[str, Callable[[], pd.DataFrame]] = {
            table: partial(self._table, table) for table in TABLES if known or table not in LABELLED
        }
        computed["configurations"] = lambda: models.configurations
        self.tables = Tables(computed | dict(tables or {}))

    @classmethod
    def from_runs(
        cls,
        runs: str | Path | Sequence[str | Path],
        *,
        images: Mapping[str, Any] | None = None,
        class_names: Sequence[str] | None = None,
        prior=None,
    ) -> Study:
        """Trainings that were recorded, by hyperribbon or by a `Recorder`.

        Parameters
        ----------
        runs : str, path or sequence of these
            Stores, patterns such as ``runs/*.zarr``, or folders of stores.
        images : mapping, optional
            Images of the samples, (N, channels, height, width) or (N, height, width), by split.
        class_names : sequence of str, optional
            Names of the C classes.
        prior : optional
            Of ignorance, as in `hyperribbon.ignorance`.

        Raises
        ------
        StoreError
            If there are no stores, or they are not of the same samples in the same order.
        """
        paths = find_stores(runs)
        there = [splits_in(path) for path in paths]
        common = [split for split in SPLITS if all(split in one for one in there)]
        if not common:
            for path, one in zip(paths, there, strict=True):
                if not one:
                    raise StoreError(f"{path}: not a predictions store of hyperribbon")
            raise StoreError(f"{paths[0]} and {len(paths) - 1} more: of no common split")
        models = Models(paths, common)
        names = models.class_names() if class_names is None else class_names
        return cls(models, _name_of(paths), images=images, class_names=names, prior=prior)

    @classmethod
    def from_arrays(
        cls,
        predictions: Mapping[str, Any],
        labels=None,
        *,
        test_predictions: Mapping[str, Any] | None = None,
        test_labels=None,
        images: Mapping[str, Any] | None = None,
        class_names: Sequence[str] | None = None,
        prior=None,
    ) -> Study:
        """Trainings whose predictions are arrays: NumPy, torch, dask or Zarr.

        Parameters
        ----------
        predictions : mapping
            From the name of a training to its predictions (K, N, C), to those of several seeds
            (S, K, N, C), or to those of one model (N, C).
        labels : (N,) int, optional
            True classes. Without them there are distances and coordinates, but no progress.
        test_predictions, test_labels : optional
            The same on test samples.
        images, class_names, prior : optional
            As in `from_runs`.

        Raises
        ------
        DataError
            If shapes, names or labels do not fit, or rows are not distributions.
        """
        given = {"train": predictions}
        if test_predictions is not None:
            given["test"] = test_predictions
        elif test_labels is not None:
            raise DataError("test_labels: given without test_predictions; expected both")
        models = ArrayModels(given, {"train": labels, "test": test_labels})
        return cls(models, images=images, class_names=class_names, prior=prior)

    @property
    def models(self) -> pd.DataFrame:
        """One row per model: training, seed, checkpoint, step, epoch, loss (nats) and error."""
        return self._models.table

    @property
    def trainings(self) -> pd.DataFrame:
        """One row per training, including those that diverged."""
        return self._models.trainings

    @property
    def claims(self) -> pd.DataFrame:
        """Verdicts on the claims that a finished study judged."""
        if "claims" not in self.tables:
            raise DataError("claims: only `hyperribbon run` judges them, in a finished study")
        return self.tables["claims"]

    @property
    def class_names(self) -> list[str]:
        """Names of the classes; their numbers if they have none."""
        if self._class_names is None:
            return [str(c) for c in range(self._models.n_classes)]
        return list(self._class_names)

    def labels(self, split: str | None = None) -> np.ndarray | None:
        """True classes (N,); None where they are not known."""
        return self.geometry(split).labels

    def geometry(self, split: str | None = None, metric: str = BHATTACHARYYA) -> Geometry:
        """Distances, embedding and progress of the models on one split, in one metric."""
        split = self._split(split)
        key = split, metric
        if key not in self._geometries:
            check = getattr(self._models, "check_metric", None)
            if check is not None:
                check(metric)
            self._geometries[key] = Geometry(self._models, split, metric, self._prior)
        return self._geometries[key]

    def predictions(self, split: str | None = None) -> xr.DataArray:
        """Predictions (model, sample, class), labelled, read where they are sliced."""
        geometry = self.geometry(split)
        coordinates = dict(self._model_coordinates(), **{"class": self.class_names})
        if geometry.labels is not None:
            coordinates["label"] = ("sample", geometry.labels)
        return lazy_array(geometry.predictions, ("model", "sample", "class"), coordinates)

    def trajectories(self, split: str | None = None) -> list[xr.DataArray]:
        """Predictions (checkpoint, sample, class) of each training, read where they are sliced."""
        models, keys = self.models, self._models.training_keys()
        found, start = [], 0
        for P, key in zip(self.geometry(split).trajectories, keys.itertuples(), strict=True):
            rows = models.iloc[start : start + P.shape[0]]
            start += P.shape[0]
            coordinates = {
                name: ("checkpoint", rows[name].to_numpy()) for name in ("step", "epoch")
            }
            one = lazy_array(P, ("checkpoint", "sample", "class"), coordinates)
            one.attrs.update(configuration=key.configuration, seed=int(key.seed))
            found.append(one)
        return found

    def distances(self, split: str | None = None, metric: str = BHATTACHARYYA) -> xr.DataArray:
        """Distances (model, other) of all models among themselves; see `pairwise_distance`."""
        coordinates = self._model_coordinates()
        found = self.geometry(split, metric).distance
        return lazy_array(found, ("model", "other"), coordinates).rename("distance")

    def progress(self, split: str | None = None) -> pd.Series:
        """Progress of each model towards the truth, 0 to 1, by its position in `models`."""
        return pd.Series(self.geometry(split).progress, self.models.index, name="progress")

    def inpca(
        self, split: str | None = None, metric: str = BHATTACHARYYA, n_components: int | None = None
    ) -> InPCA:
        """InPCA of the models, fitted to their distances."""
        geometry = self.geometry(split, metric)
        if n_components is None or n_components == geometry.inpca.n_components:
            return geometry.inpca
        return geometry.fitted(n_components)

    def embed(
        self,
        split: str | None = None,
        metric: str = BHATTACHARYYA,
        *,
        n_components: int = 3,
    ) -> pd.DataFrame:
        """InPCA coordinates of all models.

        Returns
        -------
        DataFrame
            One row per model: training, checkpoint and columns pc1, pc2, ... The attributes
            ``explained_stress`` (Eq. 2.2.8), ``eigenvalues`` and ``kinds`` are lists with one entry
            per coordinate.
        """
        geometry = self.geometry(split, metric)
        X, about = geometry.coordinates, geometry.dimensions
        n_components = min(n_components, len(self.models))
        if n_components > X.shape[1]:
            inpca = geometry.fitted(n_components)
            from hyperribbon.embedding.tables import dimension_table

            X, about = inpca.embedding_, dimension_table(inpca)
        X, about = X[:, :n_components], about.iloc[:n_components]
        table = self.models[MODEL_KEYS].assign(**{f"pc{k + 1}": x for k, x in enumerate(X.T)})
        names = {
            "explained_stress": "explained_stress",
            "eigenvalues": "eigenvalue",
            "kinds": "kind",
        }
        table.attrs.update({name: about[column].tolist() for name, column in names.items()})
        return table

    def explain(self, first: int, second: int, split: str | None = None) -> xr.Dataset:
        """Samples and classes that set two models apart, by their positions in `models`.

        See `hyperribbon.explain_distance`.
        """
        geometry = self.geometry(split)
        P, Q = (geometry.predictions[self._position(k)] for k in (first, second))
        return explain_distance(P, Q, geometry.labels, class_names=self.class_names)

    def images(self, split: str | None = None) -> Any:
        """Images of the samples, if they are known; None otherwise."""
        return self._images.get(self._split(split))

    def explore(self, path: str | Path) -> Path:
        """Write the models as a page to rotate and point at; it loads nothing from the network.

        Parameters
        ----------
        path : path
            The page, ending in .html, which is replaced if it exists.
        """
        path = page_path(path)
        from hyperribbon.analysis.explorer import explorer_of  # plotly takes time to import

        write_text(path, explorer_of(self))
        return path

    def sets_apart(self, split: str | None = None) -> Apart:
        """The samples that set each model apart, as the explorer shows them."""
        geometry = self.geometry(split)
        along = None if geometry.labels is None else geometry.progress
        return samples_apart(
            geometry.held,
            geometry.labels,
            along,
            smoothing=geometry.smoothing,
            prior=geometry.prior,
        )

    def __len__(self) -> int:
        return len(self.models)

    def __repr__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        sizes = [f"{self._samples(split):,} {split}" for split in self.splits]
        return (
            f"Study{named} of {len(self._models.training_keys())} trainings: {len(self):,} models "
            f"of {' and '.join(sizes)} samples, {self._models.n_classes} classes"
        )

    def _repr_html_(self) -> str:
        first = self._models.table.groupby(["configuration", "seed"], sort=False)
        columns = [c for c in self.models if c.endswith(("_loss", "_error"))]
        ends = first[["step", *columns]].last().head(10)
        return f"<p>{escape(repr(self))}</p>{ends.to_html(float_format='{:.4g}'.format, border=0)}"

    def _samples(self, split: str) -> int:
        return next(iter(self._models.trajectories(split))).shape[1]

    def _split(self, split: str | None) -> str:
        if split is None:
            return self.splits[0]
        if split not in self.splits:
            raise DataError(f"split = {split!r}: expected {' or '.join(self.splits)}")
        return split

    def _position(self, k: int) -> int:
        if not isinstance(k, int | np.integer) or not -len(self) <= k < len(self):
            raise DataError(f"model {k}: expected a position in models, 0 to {len(self) - 1}")
        return int(k) % len(self)

    def _model_coordinates(self) -> dict[str, Any]:
        names = ["configuration", "seed", "checkpoint", "step"]
        return {name: ("model", self.models[name].to_numpy()) for name in names}

    def _table(self, name: str) -> pd.DataFrame:
        parts = [TABLES[name](self.geometry(split)) for split in self.splits]
        return pd.concat(parts).set_index("split").reset_index()


def find_stores(runs: str | Path | Sequence[str | Path]) -> list[Path]:
    """Stores that paths, patterns and folders name, in their order.

    Raises
    ------
    StoreError
        If one of them finds nothing.
    """
    found: dict[Path, None] = {}
    for given in [runs] if isinstance(runs, str | Path) else runs:
        path = Path(given).expanduser()
        if path.suffix == ".zarr" and path.exists():
            stores = [path]
        elif path.is_dir():
            stores = sorted(path.glob("*.zarr"))
        else:
            stores = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207
        if not stores:
            raise StoreError(f"{given}: no recorded stores there; expected NAME.zarr")
        found |= dict.fromkeys(stores)
    if not found:
        raise StoreError("no stores are given")
    return list(found)


def _name_of(paths: Sequence[Path]) -> str:
    """Name of the only store, or of the first one's folder."""
    return paths[0].stem if len(paths) == 1 else paths[0].resolve().parent.name
