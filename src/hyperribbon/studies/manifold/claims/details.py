"""Further claims of chapter 2, each beside the function that measures it.

Their rules were written before any study was judged by them, when results of the other claims of
chapter 2 were known (docs/chapter2.md).
"""

from hyperribbon.studies.corners import further_claims as corners
from hyperribbon.studies.manifold.claims import (
    away,
    centroids,
    configurations,
    pictures,
    rates,
    tubes,
)

CLAIMS = [
    *pictures.CLAIMS,
    *away.CLAIMS,
    *configurations.CLAIMS,
    *tubes.CLAIMS,
    *rates.CLAIMS,
    *centroids.CLAIMS,
    *corners.CLAIMS,
]
