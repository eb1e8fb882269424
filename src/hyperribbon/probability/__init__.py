"""Probabilistic models: arrays (m, N, C) of m models, N samples, C classes (thesis 2.2)."""

from hyperribbon.probability.distributions import as_distributions, ignorance, truth
from hyperribbon.probability.geodesic import geodesic, progress

__all__ = ["as_distributions", "geodesic", "ignorance", "progress", "truth"]
