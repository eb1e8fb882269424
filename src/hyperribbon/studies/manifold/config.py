"""The configuration section ``analysis``: what is computed from the predictions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hyperribbon.config.fields import Section


class AnalysisConfig(Section):
    """What is computed from the predictions."""

    components: Annotated[int, Field(strict=True, ge=3, le=1000)] = 10
    """Number of InPCA coordinates to keep."""
    progress_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 100
    """Number of values of progress at which trajectories are compared."""
    geodesic_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 51
    """Number of points on the geodesic from ignorance to truth, including both ends."""
    sampled_models: Annotated[int, Field(strict=True, ge=10, le=20_000)] = 1000
    """Number of models, evenly spaced among all, for analyses that need many distance matrices:
    null models, other distances and subsets of samples."""
    projected_classes: Annotated[int, Field(strict=True, ge=2, le=100_000)] | None = None
    """In a study of tasks with very many classes, distances are those of predictions whose classes
    are mixed at random to this many (thesis 3.5.2); by default, of the predictions themselves."""
    draws: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3
    """Number of random draws of shuffled samples, of subsets of samples and of projections."""
