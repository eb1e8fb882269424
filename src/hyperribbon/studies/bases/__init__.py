"""The part ``bases``: a few models, a few samples, three directions for the whole manifold."""
