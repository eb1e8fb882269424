"""Bases of the manifold: a few models, or a few samples, that stand for all (chapter 6).

`ModelBasis` finds a few models whose mixtures stand for all of them.
`SampleBasis` chooses samples, with weights, on which models are as far apart as on all of them;
`monitor` follows a training on these alone, and `agreement` says how well that ranks models.
`TangentBasis` projects models on three directions: to the truth, and tangents at both ends.
"""

from hyperribbon.embedding.bases.judging import (
    judge_inpca,
    judge_model_basis,
    judge_sample_basis,
    size_reaching,
)
from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixtures
from hyperribbon.embedding.bases.models import ModelBasis
from hyperribbon.embedding.bases.monitoring import agreement, chosen_samples, monitor, sample_table
from hyperribbon.embedding.bases.sample_methods import SAMPLE_METHODS
from hyperribbon.embedding.bases.sample_terms import sample_loadings
from hyperribbon.embedding.bases.samples import SampleBasis
from hyperribbon.embedding.bases.tangents import TangentBasis, compare_tangents
from hyperribbon.embedding.bases.weights import Weights, nearest_mixtures

__all__ = [
    "MIXTURES",
    "SAMPLE_METHODS",
    "Mixtures",
    "ModelBasis",
    "SampleBasis",
    "TangentBasis",
    "Weights",
    "agreement",
    "chosen_samples",
    "compare_tangents",
    "judge_inpca",
    "judge_model_basis",
    "judge_sample_basis",
    "monitor",
    "nearest_mixtures",
    "sample_loadings",
    "sample_table",
    "size_reaching",
]
