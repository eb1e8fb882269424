"""The typed configuration of a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.canonical import canonical_json, digest
from hyperribbon.config.data import DataConfig
from hyperribbon.config.errors import explain
from hyperribbon.config.fields import Label, Section, refuse
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.training import OptimiserConfig, TrainingConfig
from hyperribbon.errors import ConfigError


class AnalysisConfig(Section):
    """What is computed from the predictions."""

    components: Annotated[int, Field(strict=True, ge=3, le=1000)] = 10
    """InPCA coordinates kept."""
    progress_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 100
    """Values of progress at which trajectories are compared."""
    geodesic_points: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 51
    """Points on the geodesic from ignorance to truth, both ends included."""


def _address(value: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^\s/]+:\d+", value):
        raise PydanticCustomError("impossible", "expected an address such as tcp://host:8786")
    return value


class DaskConfig(Section):
    """Where the analysis is computed; its results are the same anywhere."""

    scheduler: Annotated[str, Field(strict=True), AfterValidator(_address)] | None = None
    """Address of a Dask scheduler, as `tcp://host:8786`; by default, threads of the job itself."""


class Configuration(Section):
    """One training job: a network, an optimiser, the data and all seeds."""

    network_name: str
    optimiser_name: str
    data: DataConfig
    network: NetworkConfig
    optimiser: OptimiserConfig
    training: TrainingConfig

    @property
    def label(self) -> str:
        """Readable name, such as ``AllCNN-Adam``."""
        return f"{self.network_name}-{self.optimiser_name}"

    @property
    def id(self) -> str:
        """Readable name and a hash of all that decides the predictions of one seed.

        Keys at their default are left out, so that a new option renames nothing.
        """
        settings = self.model_dump(
            mode="json",
            exclude_defaults=True,
            exclude={
                "training": {"seeds", "keep_weights", "device", "threads"},
            },
        )
        return f"{self.label}-{digest(settings)[:8]}"

    def to_json(self) -> str:
        """Canonical JSON, with every default: it changes when the work does."""
        return canonical_json(self.model_dump(mode="json"))


class StudyConfig(Section):
    """A study: every network is trained with every optimiser."""

    study: Label
    """Name of the study; its results go to `results/<study>/`."""
    data: DataConfig
    """The data set."""
    networks: Annotated[dict[Label, NetworkConfig], Field(min_length=1)]
    """The networks, by the name that figures and tables show."""
    optimisers: Annotated[dict[Label, OptimiserConfig], Field(min_length=1)]
    """The optimisers, by the name that figures and tables show."""
    training: TrainingConfig
    """The training."""
    analysis: AnalysisConfig = AnalysisConfig()
    """The analysis."""
    dask: DaskConfig = DaskConfig()
    """Where the analysis is computed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.training.batch_size > self.data.train_size:
            expected = f"at most data.train_size = {self.data.train_size}"
            raise refuse("training.batch_size", self.training.batch_size, expected)
        if self.training.batch_size < 2:
            raise refuse("training.batch_size", 1, "at least 2, which BatchNorm needs")
        for name, network in self.networks.items():
            try:
                network.check_input(self.data.input_shape)
            except PydanticCustomError as error:
                context = error.context or {}
                key = f"networks.{name}.{context['key']}"
                raise PydanticCustomError(
                    "impossible", error.message_template, {**context, "key": key}
                ) from None
        return self

    def configurations(self) -> list[Configuration]:
        """All training jobs, networks slowest."""
        return [
            Configuration(
                network_name=network_name,
                optimiser_name=optimiser_name,
                data=self.data,
                network=network,
                optimiser=optimiser,
                training=self.training,
            )
            for network_name, network in self.networks.items()
            for optimiser_name, optimiser in self.optimisers.items()
        ]


def parse_study(config: Mapping[str, Any]) -> StudyConfig:
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
