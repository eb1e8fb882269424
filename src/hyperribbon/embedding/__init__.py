"""Embeddings of models from their pairwise distances.

Begin with `InPCA`, a scikit-learn estimator; `IsKL` embeds the symmetrised Kullback-Leibler
divergence without its matrix. `joint_embedding` shows train and test models in the same axes, and
`align` moves one embedding onto another. `explained_stress` and `explained_pairwise_distance` say
how much of the distances a few dimensions keep.
"""

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
