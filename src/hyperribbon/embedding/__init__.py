"""Embeddings of models from their pairwise distances."""

from hyperribbon.embedding.inpca import InPCA

__all__ = ["InPCA"]
