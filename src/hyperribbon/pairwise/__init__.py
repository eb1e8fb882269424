"""The engine behind the distance matrix: tiled, in memory or on disk, on the CPU or a GPU."""

from hyperribbon.pairwise.matrix import pairwise_distance
from hyperribbon.pairwise.metrics import FLOOR, METRICS

__all__ = ["FLOOR", "METRICS", "pairwise_distance"]
