"""The section of a study that trains by way of random labels (thesis 2.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hyperribbon.config.fields import Count, refuse
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study


class CornersConfig(PartSection):
    """Every configuration is also trained to random labels, and from there to the truth (2.5.4).

    Labels are drawn for each training sample on its own, from a seed of the corner's number.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    """Random labellings of the training samples, the corners."""
    epochs: Count = 100
    """How long to train to a corner; from there to the truth, as long as from ignorance."""

    def check(self, study: Study) -> None:
        kept = study.training.keep_weights
        if 1.0 not in kept:
            expected = "with corners must have 1.0: trainings start from the last weights of others"
            raise refuse("training.keep_weights", kept, expected)
