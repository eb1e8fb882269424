"""The section `analysis`: what is computed from the predictions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hyperribbon.config.fields import Section


class AnalysisConfig(Section):
    """What is computed from the predictions."""

    components: Annotated[int, Field(strict=True, ge=3, le=1000)] = 10
    """InPCA coordinates kept."""
    progress_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 100
    """Values of progress at which trajectories are compared."""
    geodesic_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 51
    """Points on the geodesic from ignorance to truth, both ends included."""
    sampled_models: Annotated[int, Field(strict=True, ge=10, le=20_000)] = 1000
    """Models, evenly spread over all, of which what needs many distance matrices is computed: the
    null models, other distances, subsets of the samples."""
    draws: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3
    """How often chance is drawn: shuffled samples, subsets of them, projections of the classes."""
