"""The typed configuration of a study."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.canonical import canonical_json, digest
from hyperribbon.config.curvature import CurvatureConfig
from hyperribbon.config.data import DataConfig
from hyperribbon.config.errors import explain
from hyperribbon.config.fields import Count, Label, Natural, Section, refuse
from hyperribbon.config.linear import LinearConfig
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.regression import RegressionConfig
from hyperribbon.config.synthetic import SyntheticConfig
from hyperribbon.config.training import AugmentationConfig, OptimiserConfig, TrainingConfig
from hyperribbon.errors import ConfigError


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


class CornersConfig(Section):
    """Every configuration is also trained to random labels, and from there to the truth (2.5.4).

    Labels are drawn for each training sample on its own, from a seed of the corner's number.
    """

    count: Annotated[int, Field(strict=True, ge=1, le=100)] = 3
    """Random labellings of the training samples, the corners."""
    epochs: Count = 100
    """How long to train to a corner; from there to the truth, as long as from ignorance."""


NO_AUGMENTATION = "none"
DIRECT = "direct"  # trained from fresh weights to the truth


class Configuration(Section):
    """One training job: a network, an optimiser, an augmentation, the data and all seeds.

    corner : the random labelling that it is trained to; 0: the truth
    start : the training from whose last weights it starts, seed by seed; None: from fresh ones
    """

    network_name: str
    optimiser_name: str
    augmentation_name: str = NO_AUGMENTATION
    data: DataConfig
    network: NetworkConfig
    optimiser: OptimiserConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    training: TrainingConfig
    corner: Natural = 0
    start: Configuration | None = None

    @property
    def stage(self) -> str:
        """``direct`` to the truth, ``to corner 1`` or ``from corner 1``."""
        if self.start is not None:
            return f"from corner {self.start.corner}"
        return f"to corner {self.corner}" if self.corner else DIRECT

    @property
    def label(self) -> str:
        """Readable name, such as ``AllCNN-Adam`` or ``AllCNN-Adam-to-corner-1``."""
        names = [self.network_name, self.optimiser_name]
        if self.augmentation_name != NO_AUGMENTATION:
            names.append(self.augmentation_name)
        if self.stage != DIRECT:
            names.append(self.stage.replace(" ", "-"))
        return "-".join(names)

    @property
    def id(self) -> str:
        """Readable name and a hash of all that decides the predictions of one seed.

        Keys at their default are left out, so that a new option renames nothing.
        """
        settings = self.settings(
            "seeds", "keep_weights", "device", "threads", "parallel_seeds", exclude_defaults=True
        )
        return f"{self.label}-{digest(settings)[:8]}"

    def check_augmentation(self) -> None:
        """Refuse what cannot be done to the images, or what the network cannot take."""
        section, image_size = self.augmentation, self.data.input_shape[-1]
        key = f"augmentations.{self.augmentation_name}"
        spatial = section.crop != "none" or section.flip or section.progressive_resizing
        if spatial and len(self.data.input_shape) != 3:
            raise refuse(key, self.augmentation_name, "needs images, (channels, height, width)")
        if spatial and len(set(self.data.input_shape[1:])) > 1:
            height, width = self.data.input_shape[1:]
            expected = f"needs square images, those of the data have {height} x {width} pixels"
            raise refuse(key, self.augmentation_name, expected)
        if section.padding > image_size:
            raise refuse(f"{key}.padding", section.padding, f"at most the {image_size} of an image")
        still = section.padding == 0 and self.data.stored_shape == self.data.input_shape
        if section.crop == "random" and still:
            raise refuse(f"{key}.crop", "random", "needs padding, or images stored larger")
        resizing = section.progressive_resizing
        if resizing is None:
            return
        key = f"{key}.progressive_resizing"
        if resizing.image_size > image_size:
            expected = f"at most data.image_size = {image_size}"
            raise refuse(f"{key}.image_size", resizing.image_size, expected)
        if resizing.to_epoch >= self.training.epochs:
            expected = f"below the epochs of {self.label}, {self.training.epochs}"
            raise refuse(f"{key}.to_epoch", resizing.to_epoch, expected)
        if not self.network.any_size:
            expected = f"{self.network_name}, {self.network.architecture}, takes one size only"
            raise refuse(f"{key}.image_size", resizing.image_size, expected)
        small = (self.data.input_shape[0], resizing.image_size, resizing.image_size)
        try:
            self.network.check_input(small)
        except PydanticCustomError as error:
            expected = f"{self.network_name}: {(error.context or {})['expected']}"
            raise refuse(f"{key}.image_size", resizing.image_size, expected) from None

    def to_json(self) -> str:
        """Canonical JSON, with every default: it changes when the work does."""
        # How many seeds at once changes how the work is done, not what it is.
        return canonical_json(self.settings("parallel_seeds"))

    def settings(self, *left_out: str, **options: bool) -> dict[str, Any]:
        """As JSON can hold it, without some keys of ``training``, nor those of the start's."""
        exclude = {"training": set(left_out), "start": {"training": set(left_out)}}
        return self.model_dump(mode="json", exclude=exclude, **options)

    def stages(self, corners: CornersConfig) -> list[Configuration]:
        """Training to each corner, and from there to the truth."""
        found = []
        for corner in range(1, corners.count + 1):
            training = self.training.model_copy(update={"epochs": corners.epochs})
            to = self.model_copy(update={"training": training, "corner": corner})
            found += [to, self.model_copy(update={"start": to})]
        return found


# What a study must say to train anything.
TRAINING_KEYS = ("data", "networks", "optimisers", "training")


class StudyConfig(Section):
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
    corners: CornersConfig | None = None
    """Train to random labels first, too, then from there to the truth; by default, not."""
    curvature: CurvatureConfig | None = None
    """Spectra of the Fisher matrix, the Hessian and their like; by default, none."""
    external: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()
    """Recorded stores, by paths or patterns such as `runs/*.zarr`."""
    synthetic: SyntheticConfig | None = None
    """Networks trained on synthetic sloppy data, analysed on their own; by default, none."""
    regression: RegressionConfig | None = None
    """Perceptrons that learn a regression, and their Fisher matrices' spectra; by default, none."""
    linear: LinearConfig | None = None
    """Linear regression in closed form, its phase diagram and its like; by default, none."""
    analysis: AnalysisConfig = AnalysisConfig()
    """The analysis."""
    dask: DaskConfig = DaskConfig()
    """Where the analysis is computed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [key for key in TRAINING_KEYS if getattr(self, key) is not None]
        others = self.external, self.synthetic, self.regression, self.linear
        if not given and any(others):
            for key in ("augmentations", "combinations", "corners", "curvature"):
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
        if self.corners is not None and 1.0 not in self.training.keep_weights:
            expected = "with corners must have 1.0: trainings start from the last weights of others"
            raise refuse("training.keep_weights", self.training.keep_weights, expected)
        if self.curvature is not None:
            if 1.0 not in self.training.keep_weights:
                expected = "with curvature must have 1.0, the weights of the end"
                raise refuse("training.keep_weights", self.training.keep_weights, expected)
            for name in self.curvature.networks:
                if name not in self.networks:
                    expected = f"one of networks: {', '.join(self.networks)}"
                    raise refuse("curvature.networks", name, expected)
                if self.curvature.draws and not self.networks[name].has_kronecker_factors:
                    expected = f"a network of linear and convolutional layers alone; {name} is not"
                    raise refuse("curvature.draws", self.curvature.draws, expected)
            if self.curvature.draws and 0.0 not in self.training.keep_weights:
                expected = "with curvature.draws must have 0.0, where the prior is centred"
                raise refuse("training.keep_weights", self.training.keep_weights, expected)
            if self.curvature.samples > self.data.train_size:
                expected = f"at most data.train_size = {self.data.train_size}"
                raise refuse("curvature.samples", self.curvature.samples, expected)
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
                found += [direct, *(direct.stages(self.corners) if self.corners else [])]
        return found

    def looked_at(self) -> list[Configuration]:
        """The configurations whose curvature is computed."""
        networks = self.curvature.networks if self.curvature else ()
        return [
            c for c in self.configurations() if c.network_name in networks and c.stage == DIRECT
        ]

    def trainings(self) -> list[tuple[str, str, int]]:
        """Network, optimiser and seed of all that is trained."""
        return [
            (job.network_name, job.optimiser_name, seed)
            for job in self.configurations()
            for seed in range(job.training.seeds)
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
