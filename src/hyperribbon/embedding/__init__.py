"""Embeddings of models from their pairwise distances."""

from hyperribbon.embedding.alignment import Alignment, align, align_like_signs
from hyperribbon.embedding.fidelity import explained_pairwise_distance, explained_stress
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.embedding.iskl import IsKL
from hyperribbon.embedding.joint import JointEmbedding, joint_embedding
from hyperribbon.embedding.placing import mean_distances, place

__all__ = [
    "Alignment",
    "InPCA",
    "IsKL",
    "JointEmbedding",
    "align",
    "align_like_signs",
    "explained_pairwise_distance",
    "explained_stress",
    "joint_embedding",
    "mean_distances",
    "place",
]
