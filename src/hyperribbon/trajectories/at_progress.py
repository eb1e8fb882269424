"""Models of many trajectories at equal progress, for functions that compare them there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import n_threads
from hyperribbon.probability.distance import paired_roots
from hyperribbon.probability.distributions import check_labels, check_shape, read_rows
from hyperribbon.probability.geodesic import between
from hyperribbon.runtime.cluster import each
from hyperribbon.trajectories.resampling import check_values, crossings

_VALUES = 10  # values of progress in one task


@dataclass(frozen=True)
class AtProgress:
    """Trajectories that are interpolated where they first reach values of progress.

    Parameters
    ----------
    trajectories : T arrays (K, N, C), where K may differ; Zarr arrays are read one checkpoint at a
        time
    brackets : for each trajectory, the checkpoints between which it reaches each value, as
        returned by `crossings`
    labels : (N,) int
    grid : (G,) values of progress
    groups : (T,) labels of the trajectories
    threads : int, number of threads of one task
    """

    trajectories: Sequence
    brackets: list
    labels: np.ndarray
    grid: np.ndarray
    groups: np.ndarray
    threads: int

    @classmethod
    def checked(
        cls, trajectories, progress, labels, grid, groups, *, threads: int | None, client
    ) -> AtProgress:
        """Check what `compare_trajectories` is given.

        Raises
        ------
        DataError
            If trajectories differ in samples or classes, lists differ in length, or values of
            progress are outside [0, 1].
        """
        n_trajectories = len(trajectories)
        n_samples, n_classes = _common_shape(trajectories)
        labels = check_labels(labels, n_classes, n_samples)
        grid, groups = check_values(grid, "grid"), np.asarray(groups)
        if not len(progress) == len(groups) == n_trajectories:
            raise DataError(
                f"progress, groups: of {len(progress)} and {len(groups)} trajectories, "
                f"expected {n_trajectories}"
            )
        for P, s in zip(trajectories, progress, strict=True):
            if len(s) != P.shape[0]:
                raise DataError(f"progress: of {len(s)} checkpoints, expected {P.shape[0]}")
        threads = n_threads() if threads is None else threads
        # On a cluster, each thread of a worker has its own task.
        inside = threads if client is None else 1
        return cls(
            trajectories, [crossings(s, grid) for s in progress], labels, grid, groups, inside
        )

    @property
    def shape(self) -> tuple[int, int]:
        """N and C."""
        return self.trajectories[0].shape[1:]

    def values(
        self, part: range
    ) -> Iterator[tuple[int, np.ndarray, Callable[[np.ndarray], np.ndarray]]]:
        """Each position of some values, which trajectories reach it, and their models.

        Yields
        ------
        g : int, position of the value
        reached : (k,) int, positions of the trajectories that reach it
        models : function of positions of trajectories that reach it, giving (len, N, C) float64
        """
        n = len(self.trajectories)

        # Successive values usually fall between the same two checkpoints.
        @lru_cache(maxsize=2 * n)
        def checkpoint(t: int, k: int) -> np.ndarray:
            return read_rows(self.trajectories[t][k], f"trajectories[{t}][{k}]")

        def model(g: int, t: int) -> np.ndarray:
            k, fraction = (part[g] for part in self.brackets[t])
            names = (f"trajectories[{t}][{k}]", f"trajectories[{t}][{k + 1}]")
            roots = paired_roots(checkpoint(t, k), checkpoint(t, k + 1), *names)
            return between(*roots, fraction)

        def models(g: int, which: np.ndarray) -> np.ndarray:
            positions = which.tolist()
            if self.threads == 1:  # a pool would take longer to start than a small model
                return np.stack([model(g, t) for t in positions])
            return np.stack(each(partial(model, g), positions, threads=self.threads))

        for g in part:
            reached = np.flatnonzero([k[g] >= 0 for k, _ in self.brackets])
            yield g, reached, partial(models, g)

    def each_part(self, compare: Callable, *, client, progress_bar: bool) -> list:
        """What a function finds for ranges of positions of the values, in order.

        They are always the same, so that sums are the same wherever they are computed.
        """
        n = len(self.grid)
        parts = [range(g, min(g + _VALUES, n)) for g in range(0, n, _VALUES)]
        bar = "re-indexing" if progress_bar else None
        return each(compare, parts, threads=1, client=client, progress_bar=bar)


def _common_shape(trajectories: Sequence) -> tuple[int, int]:
    """Return N and C of trajectories (K, N, C); a DataError unless all have the same."""
    if not len(trajectories):
        raise DataError("trajectories: none, expected at least one")
    shapes = [check_shape(P, f"trajectories[{t}]", ndim=3) for t, P in enumerate(trajectories)]
    for t, shape in enumerate(shapes):
        if shape[1:] != shapes[0][1:]:
            raise DataError(
                f"trajectories[{t}]: shape {shape}, expected {shapes[0][1]} samples and "
                f"{shapes[0][2]} classes, as in the first"
            )
    return shapes[0][1], shapes[0][2]
