"""The section `combinations`: what is trained with what, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import product

from hyperribbon.config.configuration import DIRECT, Configuration
from hyperribbon.config.data import DataConfig
from hyperribbon.config.fields import Count, Names, Section, refuse, within
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.training import AugmentationConfig, OptimiserConfig, TrainingConfig

KINDS = ("networks", "optimisers", "augmentations")


class CombinationConfig(Section):
    """Some networks with some optimisers and augmentations."""

    networks: Names | None = None
    """Their names; by default, all."""
    optimisers: Names | None = None
    """Their names; by default, all."""
    augmentations: Names | None = None
    """Their names; by default, all."""
    epochs: Count | None = None
    """How long to train these, if not `training.epochs`."""
    seeds: Count | None = None
    """How many of each of these to train, if not `training.seeds`."""

    def check(self, known: Mapping[str, Collection[str]]) -> None:
        """Refuse a name that is not among the known ones of its kind."""
        for kind, names in known.items():
            for name in getattr(self, kind) or ():
                if name not in names:
                    raise refuse(kind, name, f"one of {kind}: {', '.join(names)}")

    def configurations(
        self,
        data: DataConfig,
        networks: Mapping[str, NetworkConfig],
        optimisers: Mapping[str, OptimiserConfig],
        augmentations: Mapping[str, AugmentationConfig],
        training: TrainingConfig,
    ) -> Iterator[Configuration]:
        """Each of its trainings from fresh weights to the truth, networks slowest."""
        for network, optimiser, augmentation in product(
            self.networks or networks,
            self.optimisers or optimisers,
            self.augmentations or augmentations,
        ):
            own = {
                "epochs": self.epochs or training.epochs,
                "seeds": self.seeds or training.seeds,
                "batch_size": optimisers[optimiser].batch_size or training.batch_size,
            }
            yield Configuration(
                network_name=network,
                optimiser_name=optimiser,
                augmentation_name=augmentation,
                data=data,
                network=networks[network],
                optimiser=optimisers[optimiser],
                augmentation=augmentations[augmentation],
                training=training.model_copy(update=own),
            )


def check_names(
    combinations: Sequence[CombinationConfig], known: Mapping[str, Collection[str]]
) -> None:
    """Refuse combinations of what a study does not have.

    Parameters
    ----------
    combinations : of a study
    known : the names in a study, by kind
    """
    for k, combination in enumerate(combinations):
        with within(f"combinations.{k}"):
            combination.check(known)


def check_trainings(
    configurations: Iterable[Configuration], known: Mapping[str, Collection[str]]
) -> None:
    """Refuse a training that is impossible or comes twice, and a name that no training uses.

    Parameters
    ----------
    configurations : all trainings of a study
    known : the names in a study, by kind
    """
    seen: set[tuple[str, ...]] = set()
    for configuration in configurations:
        configuration.check_augmentation()
        if configuration.stage != DIRECT:
            continue
        names = tuple(getattr(configuration, f"{kind.removesuffix('s')}_name") for kind in KINDS)
        if names in seen:
            raise refuse("combinations", " + ".join(names), "must be in one of them only")
        seen.add(names)
    for kind, used in zip(KINDS, zip(*seen, strict=True), strict=True):
        for name in known[kind]:
            if name not in used:
                raise refuse(f"{kind}.{name}", name, "is in none of the combinations")
