"""The typed configuration of a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.configuration import DIRECT, NO_AUGMENTATION, Configuration
from hyperribbon.config.data import DataConfig
from hyperribbon.config.errors import explain
from hyperribbon.config.fields import Count, Label, Section, refuse
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.training import AugmentationConfig, OptimiserConfig, TrainingConfig
from hyperribbon.errors import ConfigError
from hyperribbon.studies.manifold.config import AnalysisConfig
from hyperribbon.studies.parts import PARTS

# Parts that have a section of their own, by its name.
PART_SECTIONS = {part.name: part for part in PARTS if part.section is not None}


def _address(value: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", value):
        raise PydanticCustomError("impossible", "expected an address such as tcp://host:8786")
    return value


class DaskConfig(Section):
    """Where the analysis is computed; its results are the same anywhere."""

    scheduler: Annotated[str, Field(strict=True), AfterValidator(_address)] | None = None
    """Address of a Dask scheduler, as `tcp://host:8786`; by default, threads of the job itself."""


Names = Annotated[tuple[Label, ...], Field(min_length=1)]


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


# What a study must say to train anything.
TRAINING_KEYS = ("data", "networks", "optimisers", "training")


class Study(Section):
    """Networks trained with optimisers and augmentations, beside what was trained elsewhere."""

    study: Label
    """Name of the study; its results go to `results/<study>/`."""
    data: DataConfig | None = None
    """The data set."""
    networks: Annotated[dict[Label, NetworkConfig], Field(min_length=1)] | None = None
    """The networks, by the name that figures and tables show."""
    optimisers: Annotated[dict[Label, OptimiserConfig], Field(min_length=1)] | None = None
    """The optimisers, by the name that figures and tables show."""
    augmentations: Annotated[dict[Label, AugmentationConfig], Field(min_length=1)] = Field(
        default_factory=lambda: {NO_AUGMENTATION: AugmentationConfig()}
    )
    """The augmentations, by the name that figures and tables show."""
    training: TrainingConfig | None = None
    """The training."""
    combinations: Annotated[tuple[CombinationConfig, ...], Field(min_length=1)] = (
        CombinationConfig(),
    )
    """What is trained with what, and how long; by default, all with all."""
    external: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()
    """Recorded stores, by paths or patterns such as `runs/*.zarr`."""
    analysis: AnalysisConfig = AnalysisConfig()
    """The analysis."""
    dask: DaskConfig = DaskConfig()
    """Where the analysis is computed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [key for key in TRAINING_KEYS if getattr(self, key) is not None]
        alone = [name for name, part in PART_SECTIONS.items() if not part.needs_trainings]
        if not given and (self.external or any(map(self.section, alone))):
            others = [name for name in PART_SECTIONS if name not in alone]
            for key in ("augmentations", "combinations", *others):
                if getattr(self, key) != type(self).model_fields[key].get_default(
                    call_default_factory=True
                ):
                    raise refuse(key, "given", "a study that trains nothing has none")
            return self
        for key in TRAINING_KEYS:
            if key not in given:
                context = {"key": key, "about": type(self).model_fields[key].description}
                raise PydanticCustomError("impossible", "{key}: missing key ({about})", context)
        for name, optimiser in self.optimisers.items():
            key, size = "training.batch_size", self.training.batch_size
            if optimiser.batch_size is not None:
                key, size = f"optimisers.{name}.batch_size", optimiser.batch_size
            if size > self.data.train_size:
                raise refuse(key, size, f"at most data.train_size = {self.data.train_size}")
            if size < 2:
                raise refuse(key, 1, "at least 2, which BatchNorm needs")
        recorded = self.training.record_train
        if recorded is not None and recorded > self.data.train_size:
            expected = f"at most data.train_size = {self.data.train_size}"
            raise refuse("training.record_train", recorded, expected)
        for name in PART_SECTIONS:
            if (section := self.section(name)) is not None:
                section.check(self)
        for name, network in self.networks.items():
            try:
                network.check_input(self.data.input_shape)
            except PydanticCustomError as error:
                context = error.context or {}
                key = f"networks.{name}.{context['key']}"
                raise PydanticCustomError(
                    "impossible", error.message_template, {**context, "key": key}
                ) from None
        self._check_combinations()
        return self

    def _check_combinations(self) -> None:
        for k, combination in enumerate(self.combinations):
            for kind in ("networks", "optimisers", "augmentations"):
                known = getattr(self, kind)
                for name in getattr(combination, kind) or ():
                    if name not in known:
                        expected = f"one of {kind}: {', '.join(known)}"
                        raise refuse(f"combinations.{k}.{kind}", name, expected)
        seen = set()
        for configuration in self.configurations():
            configuration.check_augmentation()
            if configuration.stage != DIRECT:
                continue
            names = (
                configuration.network_name,
                configuration.optimiser_name,
                configuration.augmentation_name,
            )
            if names in seen:
                raise refuse("combinations", " + ".join(names), "must be in one of them only")
            seen.add(names)
        kinds = "networks", "optimisers", "augmentations"
        for kind, used in zip(kinds, zip(*seen, strict=True), strict=True):
            for name in getattr(self, kind):
                if name not in used:
                    raise refuse(f"{kind}.{name}", name, "is in none of the combinations")

    def configurations(self) -> list[Configuration]:
        """All training jobs, networks slowest; none of a study of external stores alone.

        Each is followed by those that begin as it does, and go by a corner.
        """
        found: list[Configuration] = []
        corners = self.section("corners")
        if self.training is None:
            return found
        for combination in self.combinations:
            epochs = combination.epochs or self.training.epochs
            for network, optimiser, augmentation in product(
                combination.networks or self.networks,
                combination.optimisers or self.optimisers,
                combination.augmentations or self.augmentations,
            ):
                batch_size = self.optimisers[optimiser].batch_size or self.training.batch_size
                own = {"epochs": epochs, "batch_size": batch_size}
                direct = Configuration(
                    network_name=network,
                    optimiser_name=optimiser,
                    augmentation_name=augmentation,
                    data=self.data,
                    network=self.networks[network],
                    optimiser=self.optimisers[optimiser],
                    augmentation=self.augmentations[augmentation],
                    training=self.training.model_copy(update=own),
                )
                found.append(direct)
                if corners is not None:
                    found += direct.stages(corners.count, corners.epochs)
        return found

    def section(self, part: str) -> Any:
        """The section of a part; None if the study has none."""
        return getattr(self, part, None)

    def trainings(self) -> list[tuple[str, str, int]]:
        """Network, optimiser and seed of all that is trained."""
        return [
            (job.network_name, job.optimiser_name, seed)
            for job in self.configurations()
            for seed in range(job.training.seeds)
        ]


# Each part adds its section, under its name.
StudyConfig = create_model(
    "StudyConfig",
    __base__=Study,
    __doc__=Study.__doc__,
    **{
        name: (part.section | None, Field(default=None, description=part.about))
        for name, part in PART_SECTIONS.items()
    },
)


def parse_study(config: Mapping[str, Any]) -> Study:
    """Check a configuration as read from YAML.

    Raises
    ------
    ConfigError
        One line an offending key: the key, the value, what is allowed.

    Examples
    --------
    >>> study = {
    ...     "study": "small",
    ...     "data": {"name": "mnist5k"},
    ...     "networks": {"MLP": {"architecture": "fully_connected"}},
    ...     "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.001}},
    ...     "training": {"epochs": 5, "batch_size": 100},
    ... }
    >>> parse_study(study).training.seeds
    3
    >>> parse_study({**study, "data": {"name": "mnist5k", "image_size": 40}})
    Traceback (most recent call last):
    ...
    hyperribbon.errors.ConfigError: configuration: data.image_size = 40: at most 28
    """
    try:
        return StudyConfig.model_validate(config)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # Of an element that is refused, the refusal of its list says nothing more.
        inner = {e["loc"][:k] for e in errors for k in range(len(e["loc"]))}
        lines = [explain(e, StudyConfig) for e in errors if e["loc"] not in inner]
        raise ConfigError("\n".join(f"configuration: {line}" for line in lines)) from None
