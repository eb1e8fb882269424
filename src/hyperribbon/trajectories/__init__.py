"""Trajectories: sequences of models along training, compared at equal progress.

Begin with `resample_trajectory`, which re-indexes a trajectory by progress, and
`trajectory_distance`, which compares two; `compare_trajectories` compares many at once. The module
`importance` ranks the factors that make trajectories differ.
"""

from hyperribbon.trajectories.comparison import (
    Comparison,
    compare_trajectories,
    configuration_distances,
    trajectory_distance,
    trajectory_length,
)
from hyperribbon.trajectories.gaps import comparable
from hyperribbon.trajectories.resampling import Resampled, crossings, resample_trajectory

__all__ = [
    "Comparison",
    "Resampled",
    "comparable",
    "compare_trajectories",
    "configuration_distances",
    "crossings",
    "resample_trajectory",
    "trajectory_distance",
    "trajectory_length",
]
