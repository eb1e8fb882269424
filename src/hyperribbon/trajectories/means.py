"""Mean trajectories of groups, such as the seeds of a task, and how far apart they are (3.5.6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance
from hyperribbon.probability.distributions import check_size
from hyperribbon.trajectories.at_progress import AtProgress
from hyperribbon.trajectories.resampling import check_values


class MeanComparison(NamedTuple):
    """Distances between mean trajectories at equal progress (nats).

    Attributes
    ----------
    groups : the n groups, in the order of their first trajectories
    distance : (n, n, G), Bhattacharyya distance between the means of two groups; NaN where a member
        of either does not reach the value
    radius : (n, G), radius of the tube: the largest distance of a member from the mean; NaN where a
        member does not reach the value, and for a group of one trajectory, which has no tube
    """

    groups: list
    distance: np.ndarray
    radius: np.ndarray

    def normalised(self) -> np.ndarray:
        r"""Distances in units of the mean radius of both tubes (Remark 3.3.3).

        .. math:: \frac{2 d_B(\tau^1_\mathrm{mean}, \tau^2_\mathrm{mean})}{r_1 + r_2}

        Below 1, the tubes intersect.

        Returns
        -------
        (n, n, G); NaN where a distance or a radius is
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return 2 * self.distance / (self.radius[:, None] + self.radius)


def compare_means(
    trajectories: Sequence,
    progress: Sequence[np.ndarray],
    labels: np.ndarray,
    grid: np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    threads: int | None = None,
    client=None,
    progress_bar: bool = False,
    keep: Callable[[int, object, np.ndarray], None] | None = None,
) -> MeanComparison:
    """Compare the mean trajectories of groups after re-indexing by progress (3.5.6).

    At each value of progress, the mean of a group is the arithmetic mean of its members'
    probabilities, where all of them reach the value.

    Parameters
    ----------
    trajectories, progress, labels, grid, groups, threads, client, progress_bar
        As of `compare_trajectories`.
    keep : function, optional
        Called as ``keep(g, group, mean)`` with the position of the value, the group, and its mean
        model (N, C) float64; for each group in the order of the values, one at a time. With a
        client it is called by its workers, in any order, and must be picklable.

    Returns
    -------
    MeanComparison

    Raises
    ------
    DataError
        As of `compare_trajectories`.

    Notes
    -----
    Memory is O(T N C), for any number of values. The cost is that of interpolating the models, and
    G n^2 N C / 2 multiplications.

    Examples
    --------
    >>> from hyperribbon.probability import geodesic, ignorance, progress, truth
    >>> labels = np.array([0, 1, 2])
    >>> P = geodesic(ignorance(3, 3), truth(labels, 3), [0, 0.5, 1])
    >>> other = 0.9 * P + 0.1 / 3
    >>> trajectories = [P, other, P, P]
    >>> s = [progress(P, labels) for P in trajectories]
    >>> found = compare_means(trajectories, s, labels, [0.3, 0.95], list("aabb"))
    >>> found.groups, found.distance.shape
    (['a', 'b'], (2, 2, 2))
    >>> np.isnan(found.radius[:, 1])  # one of the first group stops at less
    array([ True, False])
    """
    at = AtProgress.checked(
        trajectories, progress, labels, grid, groups, threads=threads, client=client
    )
    names = list(dict.fromkeys(groups))
    members = [np.flatnonzero([group == name for group in groups]) for name in names]
    compare = _Means(at, names, members, keep)
    found = at.each_part(compare, client=client, progress_bar=progress_bar)
    distance, radius = (np.concatenate([part[k] for part in found], axis=-1) for k in range(2))
    return MeanComparison(names, distance, radius)


@dataclass(frozen=True)
class _Means:
    """Compares means of groups at some values of progress."""

    at: AtProgress
    names: list
    members: list[np.ndarray]
    keep: Callable | None

    def __call__(self, part: range) -> tuple[np.ndarray, np.ndarray]:
        n = len(self.names)
        distance, radius = np.full((n, n, len(part)), np.nan), np.full((n, len(part)), np.nan)
        for column, (g, reached, models) in enumerate(self.at.values(part)):
            there = set(reached.tolist())
            whole = [i for i, some in enumerate(self.members) if there.issuperset(some.tolist())]
            if not whole:
                continue
            sizes = [len(self.members[i]) for i in whole]
            P = models(np.concatenate([self.members[i] for i in whole]))
            means = []
            for i, members in zip(whole, np.split(P, np.cumsum(sizes)[:-1]), strict=True):
                means.append(members.mean(axis=0))
                if len(members) > 1:
                    radius[i, column] = np.max(bhattacharyya_distance(members, means[-1]))
                if self.keep is not None:
                    self.keep(g, self.names[i], means[-1])
            between = pairwise_distance(np.stack(means), threads=self.at.threads)
            distance[:, :, column][np.ix_(whole, whole)] = between
        return distance, radius


def reached_grid(
    progress: Sequence[np.ndarray], groups: Sequence | np.ndarray, points: int
) -> np.ndarray:
    """Values of progress from 0 to the largest that all members of some group reach.

    Mapped models stop far below 1, so a grid on [0, 1] would be mostly missing.

    Parameters
    ----------
    progress : T arrays (K,), progress of the checkpoints of each trajectory
    groups : T labels
    points : int, number of values, 2 or more

    Returns
    -------
    (points,) float64, equally spaced

    Raises
    ------
    DataError
        If there are no trajectories, no group gets beyond 0, lists differ in length, or values of
        progress are outside [0, 1].

    Examples
    --------
    >>> reached_grid([[0, 0.4], [0.1, 0.3], [0, 0.2]], ["a", "a", "b"], 4)
    array([0. , 0.1, 0.2, 0.3])
    """
    points = check_size(points, "points", least=2)
    if not len(progress) or len(progress) != len(groups):
        raise DataError(
            f"progress, groups: of {len(progress)} and {len(groups)} trajectories, expected "
            "equally many, one or more"
        )
    least: dict = {}
    for s, group in zip(progress, groups, strict=True):
        reached = check_values(s, "progress").max()
        least[group] = min(reached, least.get(group, reached))
    top = max(least.values())
    if top == 0:
        raise DataError("progress: all members of no group get beyond 0; no values to compare at")
    return np.linspace(0, top, points)
