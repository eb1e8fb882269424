"""hyperribbon: the geometry of learning, in prediction space."""

__version__ = "0.1.0"
