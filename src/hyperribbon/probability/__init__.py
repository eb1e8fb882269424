"""Models as probability distributions: arrays (m, N, C) of m models, N samples, C classes.

Begin with `as_distributions` (checks and normalises), `geodesic` and `progress` (thesis 2.2).
`bhattacharyya_distance` and `arc_length` compare models one to one; for all pairs of a set see
`hyperribbon.pairwise.pairwise_distance`. `centroid` and `ensemble_scores` average models.
"""

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
