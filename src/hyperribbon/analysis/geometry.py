"""Where models are among each other: computed from their predictions on one split, when asked."""

from __future__ import annotations

import math
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import zarr

from hyperribbon.analysis.cache import Cache
from hyperribbon.embedding.inpca import InPCA, without_rounding
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import n_threads
from hyperribbon.pairwise import FLOOR, METRICS, pairwise_distance
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.probability.distributions import read_rows
from hyperribbon.storage.digest import digest
from hyperribbon.trajectories import Comparison, compare_trajectories, trajectory_length

COMPONENTS = 10  # coordinates kept, of as many models; of more than MANY models, those of a picture
MANY, FEW = 5000, 3
HELD = 2**30  # bytes of predictions that are read once and held in memory
POINTS = 51  # on the geodesic
VALUES = 100  # of progress, at which trajectories are compared
IN_MEMORY = 2**32  # bytes of distances; more of them are kept on disk
_SMALL = 500  # models whose eigenpairs are found sooner all at once


class Geometry:
    """Distances, embedding, progress and comparison of models on one split.

    Every attribute is computed when it is first asked for. Cost, for m models of T trainings, N
    samples and C classes: distances m^2 N C / 2 multiplications and 8 m^2 bytes, which lie in a
    temporary Zarr store if they are more than 4 GiB; the embedding m^2 per eigenpair; progress m N
    C; the comparison 50 T^2 N C.

    Parameters
    ----------
    models : `hyperribbon.storage.models.Models` or `ArrayModels`
    split : str
    metric : str
        Metric of the distances and the embedding.
    prior : optional
        Of ignorance, as in `hyperribbon.ignorance`.
    progress_bar : bool
        Show progress bars on a terminal.
    """

    def __init__(
        self, models: Any, split: str, metric: str, prior=None, *, progress_bar: bool = True
    ):
        self.models, self.split, self.metric = models, split, metric
        self.prior, self._bar = prior, progress_bar
        self._cache = Cache(models.inputs)
        self._folder: tempfile.TemporaryDirectory | None = None
        # A user's own metric may change under the same name.
        self._metric_cache = self._cache if metric in METRICS.built_in else Cache(None)
        self._of_prior = (
            f"{split}-{digest(np.asarray(prior).tolist())[:16]}" if prior is not None else split
        )

    @property
    def smoothing(self) -> float:
        """Label smoothing of the truth."""
        return 0.0

    @cached_property
    def labels(self) -> np.ndarray | None:
        """True classes (N,), if they are known."""
        return self.models.labels(self.split)

    def known_labels(self, what: str) -> np.ndarray:
        """True classes (N,); a DataError if they are not known."""
        if self.labels is None:
            raise DataError(f"{what}: needs the labels of the {self.split} samples; give labels=")
        return self.labels

    @cached_property
    def trajectories(self) -> list:
        """Predictions (K, N, C) of each training, read when they are sliced."""
        return list(self.models.trajectories(self.split))

    @cached_property
    def held(self) -> list:
        """The trajectories, all read once if they take less than 1 GiB."""
        if sum(4 * math.prod(P.shape) for P in self.trajectories) > HELD:
            return self.trajectories
        with ThreadPoolExecutor(n_threads()) as pool:
            return list(pool.map(lambda P: read_rows(P[:]), self.trajectories))

    @cached_property
    def predictions(self) -> Stack:
        """Predictions (m, N, C) of all models, read when they are sliced."""
        return Stack(self.trajectories, "predictions")

    @cached_property
    def distance(self):
        """Distances (m, m) of all models among themselves: a NumPy or Zarr array."""
        m = len(self.models)
        out = None
        if 8 * m**2 > IN_MEMORY:
            self._folder = tempfile.TemporaryDirectory(prefix="hyperribbon-")
            chunks = (min(m, 1024),) * 2
            out = zarr.create_array(
                f"{self._folder.name}/distance.zarr", shape=(m, m), chunks=chunks,
                dtype="float64", compressors=None,
            )  # fmt: skip
        return pairwise_distance(
            self.held, metric=self.metric, floor=FLOOR, out=out, progress_bar=self._bar
        )

    @cached_property
    def alpha(self) -> np.ndarray:
        """Positions (G,) on the geodesic from ignorance, 0, to the truth, 1."""
        return np.linspace(0, 1, POINTS)

    @cached_property
    def curve(self) -> np.ndarray:
        """Points (G, N, C) of the geodesic from ignorance to the truth."""
        labels, n_classes = self.known_labels("geodesic"), self.models.n_classes
        start = ignorance(len(labels), n_classes, self.prior, labels)
        return geodesic(start, truth(labels, n_classes), self.alpha)

    @cached_property
    def geodesic_distance(self) -> np.ndarray:
        """Distances (G, m) of points of the geodesic from all models."""
        return pairwise_distance(self.curve, self.held, metric=self.metric, floor=FLOOR)

    def fitted(self, n_components: int | None = None) -> InPCA:
        """InPCA with so many coordinates, of as many models, fitted to the distances.

        By default ten; of over 5,000 models three, because more take several times as long.
        """
        m = len(self.models)
        if n_components is None:
            n_components = COMPONENTS if m <= MANY else FEW
        solver = "full" if m <= max(_SMALL, 20 * n_components) else "block"
        inpca = InPCA(min(n_components, m), metric="precomputed", solver=solver, random_state=0)
        dtype = self.predictions.dtype.name
        return inpca.fit(without_rounding(self.distance, self.metric, dtype))

    @cached_property
    def inpca(self) -> InPCA:
        """InPCA, fitted to the distances."""
        return self.fitted()

    @cached_property
    def _embedding(self):
        def compute() -> dict[str, np.ndarray]:
            table = dimension_table(self.inpca)
            columns = {name: table[name].to_numpy() for name in table if name != "kind"}
            return {"coordinates": self.inpca.embedding_, "kind": table["kind"].to_numpy(str)} | {
                f"of_{name}": column for name, column in columns.items()
            }

        return self._metric_cache.get(f"embedding-{self.split}-{self.metric}", compute)

    @cached_property
    def coordinates(self) -> np.ndarray:
        """InPCA coordinates (m, k) of all models."""
        return self._embedding["coordinates"]

    @cached_property
    def dimensions(self) -> pd.DataFrame:
        """What each dimension explains; see `hyperribbon.embedding.tables.dimension_table`."""
        found = self._embedding
        names = [name.removeprefix("of_") for name in found if name.startswith("of_")]
        table = pd.DataFrame({name: found[f"of_{name}"] for name in names})
        table.insert(2, "kind", found["kind"])
        return table

    @cached_property
    def curve_coordinates(self) -> np.ndarray | None:
        """InPCA coordinates (G, k) of the geodesic; None where the truth is infinitely far."""
        if self.labels is None or self.metric == "symmetric_kl":
            return None

        def compute() -> dict[str, np.ndarray]:
            return {"curve": self.inpca.transform(self.geodesic_distance)}

        name = f"curve-{self.metric}-{self._of_prior}"
        return self._metric_cache.get(name, compute)["curve"]

    @cached_property
    def progress(self) -> np.ndarray:
        """Progress (m,) of all models towards the truth."""
        labels = self.known_labels("progress")

        def compute() -> dict[str, np.ndarray]:
            return {"progress": np.asarray(progress(self.held, labels, prior=self.prior))}

        return self._cache.get(f"progress-{self._of_prior}", compute)["progress"]

    @cached_property
    def grid(self) -> np.ndarray:
        """Values of progress (G,) at which trajectories are compared."""
        return np.linspace(0, 1, VALUES)

    @cached_property
    def comparison(self) -> Comparison:
        """The trajectories, compared at equal progress."""
        labels, keys = self.known_labels("trajectories"), self.models.training_keys()

        def compute() -> dict[str, np.ndarray]:
            bounds = np.cumsum([P.shape[0] for P in self.trajectories])[:-1]
            found = compare_trajectories(
                self.held,
                np.split(self.progress, bounds),
                labels,
                self.grid,
                keys["configuration"].to_numpy(object),
                prior=self.prior,
                threads=n_threads(),
                progress_bar=self._bar,
            )
            return found._asdict()

        return Comparison(**self._cache.get(f"comparison-{self._of_prior}", compute))

    @cached_property
    def length(self) -> np.ndarray:
        """Riemannian length (T,) of each trajectory, radians."""

        def compute() -> dict[str, np.ndarray]:
            return {"length": np.array([trajectory_length(P) for P in self.held])}

        return self._cache.get(f"length-{self.split}", compute)["length"]
