"""What a study stored about its models on one split, as `hyperribbon.analysis.Geometry` has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.analysis.geometry import Geometry
from hyperribbon.embedding.fidelity import kinds
from hyperribbon.storage.dataset import Split
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import parameters_of
from hyperribbon.trajectories import Comparison

KINDS = ("distance", "embedding", "progress", "trajectories")


class StoredGeometry(Geometry):
    """Distances, embedding, progress and comparison of a study's models, read from its stores.

    Parameters
    ----------
    models : Models
        The study's models.
    split : Split
        Split of the samples.
    stores : mapping
        Path of each store, by one of KINDS.
    """

    def __init__(self, models: Models, split: Split, stores: Mapping[str, Path]):
        super().__init__(models, split, "bhattacharyya")
        self._distances, self._matrix = models.distances(stores["distance"])
        self._embedded, self._progress, self._compared = (
            models.open(stores[kind]) for kind in KINDS[1:]
        )

    @property
    def smoothing(self) -> float:
        """Label smoothing of the truth."""
        return parameters_of(self._progress)["smoothing"]

    @property
    def distance(self):
        """Distances (m, m), a Zarr array."""
        return self._matrix

    @property
    def alpha(self) -> np.ndarray:
        """Positions (G,) on the geodesic."""
        return self._distances["alpha"].values

    @cached_property
    def geodesic_distance(self) -> np.ndarray:
        """Distances (G, m) of points of the geodesic from all models."""
        return self._distances["geodesic_distance"].values

    @cached_property
    def coordinates(self) -> np.ndarray:
        """InPCA coordinates (m, k) of all models."""
        return self._embedded["embedding"].values

    @cached_property
    def dimensions(self) -> pd.DataFrame:
        """What each dimension explains."""
        names = ["eigenvalue", "explained_stress", "explained_pairwise_distance"]
        table = self._embedded[names].to_dataframe().reset_index()
        return table.assign(kind=kinds(table["eigenvalue"].to_numpy()))

    @cached_property
    def curve_coordinates(self) -> np.ndarray:
        """InPCA coordinates (G, k) of the geodesic."""
        return self._embedded["geodesic_embedding"].values

    @cached_property
    def progress(self) -> np.ndarray:
        """Progress (m,) of all models."""
        return self._progress["progress"].values

    @property
    def grid(self) -> np.ndarray:
        """Values of progress (G,) at which trajectories were compared."""
        return self._compared["progress"].values

    @cached_property
    def comparison(self) -> Comparison:
        """The trajectories, compared at equal progress."""
        return Comparison(*(self._compared[name].values for name in Comparison._fields))

    @cached_property
    def length(self) -> np.ndarray:
        """Riemannian length (T,) of each trajectory, radians."""
        return self._compared["length"].values
