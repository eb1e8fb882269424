"""The configuration of trainings by way of random labels (thesis 2.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hyperribbon.config.fields import Count, refuse
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.config import Configuration
    from hyperribbon.studies.study import Study


class CornersConfig(PartSection):
    """Every configuration is also trained to random labels, and from there to the truth (2.5.4).

    Labels are drawn independently for each training sample, with the number of the random-label
    corner as seed.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    """Number of random labellings of the training samples, the random-label corners."""
    epochs: Count = 100
    """Epochs of training to a corner; from there to the truth, as many as from ignorance."""

    def check(self, study: Study) -> None:
        """Refuse a study that does not keep the final weights."""
        assert study.training, "checked before the sections"
        kept = study.training.keep_weights
        if 1.0 not in kept:
            expected = "with corners must contain 1.0, the weights from which trainings continue"
            raise refuse("training.keep_weights", kept, expected)

    def configurations_with(
        self, study: Study, configurations: list[Configuration]
    ) -> list[Configuration]:
        """Each training, followed by those that begin as it does and go by way of a corner."""
        return [
            training
            for direct in configurations
            for training in (direct, *direct.stages(self.count, self.epochs))
        ]
