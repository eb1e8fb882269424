"""Distances between all pairs of models: tiled, in memory or on disk, on the CPU or a GPU.

Begin with `pairwise_distance`. Metrics are registered in `metrics.py`; `engine.py` chooses the
kernel that computes them (`cpu.py`, `cuda.py` or, for every metric and device, `plain.py`), and
`tiles.py` runs it on one tile after another.
"""

from hyperribbon.pairwise.matrix import pairwise_distance
from hyperribbon.pairwise.metrics import FLOOR, METRICS

__all__ = ["FLOOR", "METRICS", "pairwise_distance"]
