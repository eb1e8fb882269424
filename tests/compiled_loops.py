"""Imported before a process is forked: the loops that steps share are compiled once for all."""

import numpy as np

import hyperribbon as hr

for dtype in ("float32", "float64"):
    P = np.full((2, 2, 10), 0.1, dtype)
    hr.pairwise_distance(P)
    hr.progress(P, np.zeros(2, int))
