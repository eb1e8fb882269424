"""The typed configuration of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.combinations import (
    KINDS,
    CombinationConfig,
    check_names,
    check_trainings,
)
from hyperribbon.config.configuration import NO_AUGMENTATION, Configuration
from hyperribbon.config.dask import DaskConfig
from hyperribbon.config.data import DataConfig
from hyperribbon.config.errors import explain
from hyperribbon.config.fields import Label, Section, refuse, within
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.plugins import Plugins
from hyperribbon.config.training import AugmentationConfig, OptimiserConfig, TrainingConfig
from hyperribbon.errors import ConfigError
from hyperribbon.networks.registry import NETWORKS
from hyperribbon.studies.manifold.config import AnalysisConfig
from hyperribbon.studies.parts import PARTS

# Parts that have a section of their own, by its name.
PART_SECTIONS = {part.name: part for part in PARTS if part.section is not None}

# What a study must say to train anything.
TRAINING_KEYS = ("data", "networks", "optimisers", "training")


# Of the JSON schema: only plugins bring other architectures than those that are built in.
_PLUGINS: dict[str, Any] = {"required": ["plugins"], "properties": {"plugins": {"minItems": 1}}}
_BUILT_IN = {"properties": {"architecture": {"enum": sorted(NETWORKS.built_in)}}}
_WITHOUT_PLUGINS: dict[str, Any] = {"properties": {"networks": {"additionalProperties": _BUILT_IN}}}


class Study(Section):
    """Networks trained with optimisers and augmentations, and what was trained elsewhere."""

    model_config = ConfigDict(json_schema_extra={"if": _PLUGINS, "else": _WITHOUT_PLUGINS})

    study: Label
    """Name of the study; its results go to `results/<study>/`."""
    plugins: Plugins = ()  # first, because what follows names what they register
    """Python files of your own that register metrics, networks, figures and claims."""
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
            self._check_without_trainings(alone)
            return self
        for key in TRAINING_KEYS:
            if key not in given:
                context = {"key": key, "about": type(self).model_fields[key].description}
                raise PydanticCustomError("impossible", "{key}: missing key ({about})", context)
        assert self.data and self.networks and self.optimisers and self.training
        self.training.check(self.data.train_size, self.optimisers)
        for name in PART_SECTIONS:
            if (section := self.section(name)) is not None:
                section.check(self)
        for name, network in self.networks.items():
            with within(f"networks.{name}"):
                network.check_input(self.data.input_shape)
        self._check_projection()
        known = {kind: list(getattr(self, kind)) for kind in KINDS}
        if self.has_grid:
            check_names(self.combinations, known)
            check_trainings(self.configurations(), known)
        else:
            for configuration in self.configurations():
                configuration.check_augmentation()
        return self

    def _check_projection(self) -> None:
        """Refuse mixed classes where other analyses need the predictions themselves."""
        classes = self.analysis.projected_classes
        if classes is None:
            return
        if self.has_grid:
            expected = "none; only the distances of a study of tasks can do with mixed classes"
            raise refuse("analysis.projected_classes", classes, expected)
        assert self.data, "checked before"
        if classes >= self.data.n_classes:
            expected = f"fewer than the {self.data.n_classes} classes of the data"
            raise refuse("analysis.projected_classes", classes, expected)

    @property
    def has_grid(self) -> bool:
        """Whether networks, optimisers and augmentations are combined."""
        sections = map(self.section, PART_SECTIONS)
        return not any(section and section.replaces_grid for section in sections)

    def _check_without_trainings(self, alone: list[str]) -> None:
        """Refuse what belongs to trainings; ``alone`` are the parts that can do without."""
        self._check_projection()
        others = [name for name in PART_SECTIONS if name not in alone]
        for key in ("augmentations", "combinations", *others):
            default = type(self).model_fields[key].get_default(call_default_factory=True)
            if getattr(self, key) != default:
                raise refuse(key, "given", "a study that trains nothing has none")
        for name in alone:
            if (section := self.section(name)) is not None:
                section.check(self)

    def configurations(self) -> list[Configuration]:
        """All training jobs, networks slowest; empty if the study trains nothing."""
        if self.training is None:
            return []
        assert self.data and self.networks and self.optimisers
        found: list[Configuration] = []
        if self.has_grid:
            for combination in self.combinations:
                found += combination.configurations(
                    self.data, self.networks, self.optimisers, self.augmentations, self.training
                )
        for section in filter(None, map(self.section, PART_SECTIONS)):
            found = section.configurations_with(self, found)
        return found

    def section(self, part: str) -> Any:
        """The section of a part; None if the study has none."""
        return getattr(self, part, None)

    def trainings(self) -> list[tuple[str, str, int]]:
        """Network, optimiser and seed of each training."""
        return [
            (job.network_name, job.optimiser_name, seed)
            for job in self.configurations()
            for seed in range(job.training.seeds)
        ]


# Each part adds its section, under its name.
_sections: dict[str, Any] = {}
for _name, _part in PART_SECTIONS.items():
    _kind: Any = _part.section
    _sections[_name] = (_kind | None, Field(default=None, description=_part.about))
StudyConfig: type[Study] = create_model(
    "StudyConfig", __base__=Study, __doc__=Study.__doc__, **_sections
)


def parse_study(config: Mapping[str, Any]) -> Study:
    """Check a configuration that was read from YAML.

    Raises
    ------
    ConfigError
        One line per offending key: the key, the value, what is allowed.

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
        # Where an element of a list is refused, the refusal of the list adds nothing.
        inner = {e["loc"][:k] for e in errors for k in range(len(e["loc"]))}
        lines = [explain(e, StudyConfig) for e in errors if e["loc"] not in inner]
        raise ConfigError("\n".join(f"configuration: {line}" for line in lines)) from None
