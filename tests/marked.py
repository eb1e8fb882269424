"""Parameters of a test of which some are slow."""

from collections.abc import Container, Iterable

import pytest


def with_slow(names: Iterable[str], slow: Container[str]) -> list:
    """All names as parameters, these of them marked ``slow``."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]
