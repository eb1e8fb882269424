"""Bases of the manifold: a few samples, or a few models, that stand for all (chapter 6).

`SampleBasis` chooses samples, with weights, on which models are as far apart as on all of them;
`monitor` follows a training on these alone, and `agreement` says how well that ranks models.
`TangentBasis` projects models on three directions: to the truth, and tangents at both ends.
"""

from hyperribbon.embedding.bases.monitoring import agreement, chosen_samples, monitor, sample_table
from hyperribbon.embedding.bases.sample_methods import SAMPLE_METHODS
from hyperribbon.embedding.bases.sample_terms import sample_loadings
from hyperribbon.embedding.bases.samples import SampleBasis
from hyperribbon.embedding.bases.tangents import TangentBasis, compare_tangents

__all__ = [
    "SAMPLE_METHODS",
    "SampleBasis",
    "TangentBasis",
    "agreement",
    "chosen_samples",
    "compare_tangents",
    "monitor",
    "sample_loadings",
    "sample_table",
]
