"""Probabilistic models: arrays (m, N, C) of m models, N samples, C classes (thesis 2.2)."""

from hyperribbon.probability.centroids import centroid
from hyperribbon.probability.distance import arc_length, bhattacharyya_distance
from hyperribbon.probability.distributions import as_distributions, ignorance, truth
from hyperribbon.probability.ensembles import Centroids, Score, ensemble_scores
from hyperribbon.probability.geodesic import geodesic
from hyperribbon.probability.progress import progress
from hyperribbon.probability.projection import random_stochastic_projection

__all__ = [
    "Centroids",
    "Score",
    "arc_length",
    "as_distributions",
    "bhattacharyya_distance",
    "centroid",
    "ensemble_scores",
    "geodesic",
    "ignorance",
    "progress",
    "random_stochastic_projection",
    "truth",
]
