"""Figures and claims of users, for studies whose ``plugins`` register them."""

from hyperribbon.studies.plugins.claims import register_claim
from hyperribbon.studies.plugins.figures import register_figure

__all__ = ["register_claim", "register_figure"]
