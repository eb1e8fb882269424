"""The configuration of the bases part: sizes, and the models on which bases are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from hyperribbon.config.configuration import DIRECT
from hyperribbon.config.fields import Count, distinct, refuse
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.config import Configuration
    from hyperribbon.studies.study import Study


def _increasing(values: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(distinct(values)))


Sizes = Annotated[tuple[Count, ...], AfterValidator(_increasing), Field(min_length=1)]


class BasesConfig(PartSection):
    """A few models, and a few samples, that stand for the manifold (thesis 6).

    Bases are found on some trainings and judged on the others: half of the trainings at random,
    each seed, each network, and the larger half of the networks after the smaller one.
    """

    models: Sizes = (2, 5, 10, 20)
    """Numbers of basis models; those above the number of different models are left out."""
    samples: Sizes = (5, 10, 20, 50, 100, 200)
    """Numbers of samples."""
    checkpoints: Annotated[int, Field(strict=True, ge=2, le=1000)] = 8
    """Checkpoints of each training that count, evenly spaced, with the first and the last."""
    draws: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    """Random halves of the trainings."""

    def check(self, study: Study) -> None:
        """Refuse more samples than there are."""
        if study.data is None:  # of recordings, whose number of samples is known when they are read
            return
        least = min(study.data.train_size, study.data.test_size)
        if self.samples[-1] > least:
            expected = f"at most the number of samples of either split, {least}"
            raise refuse("bases.samples", self.samples[-1], expected)

    def linearised(self, study: Study) -> list[Configuration]:
        """The first configuration of each network, to compare with its tangent kernel.

        There is none where the weights before training are not kept, or labels are not the true
        ones.
        """
        if study.training is None or 0.0 not in study.training.keep_weights:
            return []
        found: dict[str, Configuration] = {}
        for configuration in study.configurations():
            true_labels = configuration.stage == DIRECT and configuration.learning is None
            if true_labels and not configuration.augmentation.random_labels:
                found.setdefault(configuration.network_name, configuration)
        return list(found.values())
