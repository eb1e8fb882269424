"""Trajectories: sequences of models along training, compared at equal progress.

Begin with `resample_trajectory`, which re-indexes a trajectory by progress, and
`trajectory_distance`, which compares two; `compare_trajectories` compares many at once, and
`compare_means` the mean trajectories of groups. The module `importance` ranks the factors that make
trajectories differ.
"""

from hyperribbon.trajectories.class_progress import class_progress
from hyperribbon.trajectories.comparison import (
    Comparison,
    compare_trajectories,
    configuration_distances,
    trajectory_distance,
)
from hyperribbon.trajectories.gaps import comparable
from hyperribbon.trajectories.lengths import (
    Excursion,
    LengthByCount,
    excursion,
    length_by_count,
    trajectory_length,
)
from hyperribbon.trajectories.means import MeanComparison, compare_means, reached_grid
from hyperribbon.trajectories.resampling import Resampled, crossings, resample_trajectory

__all__ = [
    "Comparison",
    "Excursion",
    "LengthByCount",
    "MeanComparison",
    "Resampled",
    "class_progress",
    "comparable",
    "compare_means",
    "compare_trajectories",
    "configuration_distances",
    "crossings",
    "excursion",
    "length_by_count",
    "reached_grid",
    "resample_trajectory",
    "trajectory_distance",
    "trajectory_length",
]
