"""Bases of the manifold: a few models, or a few samples, that stand for all."""

from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixtures
from hyperribbon.embedding.bases.models import ModelBasis
from hyperribbon.embedding.bases.weights import Weights, nearest_mixtures

__all__ = ["MIXTURES", "Mixtures", "ModelBasis", "Weights", "nearest_mixtures"]
