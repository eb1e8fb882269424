from ..studies.made_tables import assert_legible, style

__all__ = ["assert_legible", "style"]  # fixtures
