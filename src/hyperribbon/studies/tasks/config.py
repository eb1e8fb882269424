"""The configuration of a study of tasks (chapter 3)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config import NO_AUGMENTATION, AugmentationConfig, Configuration
from hyperribbon.config.combinations import KINDS
from hyperribbon.config.fields import (
    Count,
    Label,
    Names,
    NonNegative,
    Section,
    distinct,
    refuse,
    within,
)
from hyperribbon.config.learning import LearningConfig, TaskConfig
from hyperribbon.config.methods import MethodConfig, SupervisedConfig
from hyperribbon.errors import ConfigError, HyperribbonError
from hyperribbon.studies.part import PartSection
from hyperribbon.studies.tasks.class_sets import Classes, ClassSet, kind_of, resolve
from hyperribbon.studies.tasks.names import ALL
from hyperribbon.training.schedule import keeping

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study
    from hyperribbon.tasks.class_tree import ClassTree

Counts = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=2, le=100_000)], ...],
    Field(min_length=1),
    AfterValidator(distinct),
]


class WordNetTree(Section):
    """The tree of WordNet above classes that are named by their synsets, as ImageNet's are."""

    wordnet: Annotated[str, Field(min_length=1)]
    """Path of WordNet's file `data.noun`."""


class StartConfig(Section):
    """Checkpoints from which a network is fine-tuned."""

    training: Label
    """Name of the training that recorded them."""
    epochs: Annotated[tuple[NonNegative, ...], Field(min_length=1), AfterValidator(distinct)]
    """Epochs of that training; there is one fine-tuning from each."""


class TaskTrainingConfig(Section):
    """How one or several networks learn a task."""

    tasks: Names = (ALL,)
    """Names in `tasks.sets`, or `all`; only the method `joint` takes several."""
    method: MethodConfig = SupervisedConfig(name="supervised")
    """How the network learns."""
    network: Label | None = None
    """Name of the network; by default, `tasks.network`."""
    optimiser: Label | None = None
    """Name of the optimiser; by default, `tasks.optimiser`."""
    augmentation: Label | None = None
    """Name of the augmentation; by default, `tasks.augmentation`."""
    epochs: Count | None = None
    """Epochs, if not `training.epochs`."""
    seeds: Count | None = None
    """Trainings from different initial weights, if not `training.seeds`."""
    start: StartConfig | None = None
    """Fine-tune from checkpoints of another training; by default, from fresh weights."""


class ComparisonConfig(Section):
    """Trainings that are embedded together, and compared with one of them."""

    trainings: Annotated[Names, AfterValidator(distinct)]
    """Names in `tasks.trainings`."""
    reference: Label
    """The one from whose mean trajectory distances are shown."""
    split: Literal["train", "test"] = "test"
    """Samples whose predictions are compared."""


class TasksConfig(PartSection):
    """Networks learn tasks by different methods, and their predictions are compared on all classes.

    At each checkpoint, the features of the backbone are imprinted to all classes of the data
    (Eq. 3.2.1), whatever the task was, so that all trainings lie in one prediction space.
    """

    replaces_grid: ClassVar[bool] = True

    tree: Literal["cifar10"] | Annotated[str, Field(min_length=1)] | WordNetTree | None = None
    """The tree of the classes: `cifar10`, which comes with the package, the path of a YAML file,
    or WordNet's; by default, none."""
    sets: dict[Label, ClassSet] = Field(default_factory=dict)
    """The classes of each task: a node of the tree, a list of classes by name or number, a random
    set, or superclasses."""
    trainings: Annotated[dict[Label, TaskTrainingConfig], Field(min_length=1)]
    """What is learned, and how, by the name that figures and tables show."""
    comparisons: Annotated[dict[Label, ComparisonConfig], Field(min_length=1)]
    """Which trainings are compared, by the name of the comparison. The claims of chapter 3 are
    judged on those named `tasks`, `tree`, `episodic`, `ways`, `methods`, `fine_tuning` and
    `contrastive`."""
    network: Label | None = None
    """Name of the network of trainings that name none; not needed if there is only one."""
    optimiser: Label | None = None
    """Name of the optimiser of trainings that name none; not needed if there is only one."""
    augmentation: Label | None = None
    """Name of the augmentation of trainings that name none; not needed if there is only one."""
    lengths: Counts = (6, 12, 25)
    """Numbers of checkpoints for which Riemannian lengths are computed."""
    mapped: Annotated[int, Field(strict=True, ge=0, le=1000)] = 1
    """Seeds of each training whose kept weights are also mapped by other means than imprinting.
    Their predictions on the test samples, four for each network, are in memory."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if ALL in self.sets:
            raise refuse(f"sets.{ALL}", ALL, "another name; this one stands for all classes")
        for name, training in self.trainings.items():
            known = [ALL, *self.sets]
            for task in training.tasks:
                if task not in known:
                    raise refuse(f"trainings.{name}.tasks", task, f"one of {', '.join(known)}")
            if training.start is not None and training.start.training not in self.trainings:
                expected = f"one of tasks.trainings: {', '.join(self.trainings)}"
                raise refuse(f"trainings.{name}.start.training", training.start.training, expected)
        for name, comparison in self.comparisons.items():
            for chosen in comparison.trainings:
                if chosen not in self.trainings:
                    expected = f"one of tasks.trainings: {', '.join(self.trainings)}"
                    raise refuse(f"comparisons.{name}.trainings", chosen, expected)
            if comparison.reference not in comparison.trainings:
                expected = f"one of its trainings: {', '.join(comparison.trainings)}"
                raise refuse(f"comparisons.{name}.reference", comparison.reference, expected)
        return self

    def check(self, study: Study) -> None:
        """Refuse classes, networks and starts that the study does not have."""
        assert study.training and study.data, "checked before the sections"
        if study.section("corners") is not None:
            raise refuse("corners", "given", "no corners in a study of tasks")
        combined = type(study).model_fields["combinations"].default
        if study.combinations != combined:
            raise refuse("combinations", "given", "none: tasks.trainings lists all trainings")
        for kind in KINDS:
            used = {self._named(study, kind, name) for name in self.trainings}
            for name in getattr(study, kind):
                if name not in used:
                    raise refuse(f"{kind}.{name}", name, "is in none of tasks.trainings")

    def _named(self, study: Study, kind: str, training: str) -> str:
        """Name of the network, optimiser or augmentation of a training.

        It does not depend on the order of keys, which is not kept where a study is written again.
        """
        known, key = getattr(study, kind), kind.removesuffix("s")
        expected = f"one of {kind}: {', '.join(known)}"
        for where, section in ((f"trainings.{training}.", self.trainings[training]), ("", self)):
            given = getattr(section, key)
            if given in known:
                return given
            if given is not None:
                raise refuse(f"tasks.{where}{key}", given, expected)
        if len(known) > 1:
            raise refuse(f"tasks.{key}", None, f"{expected}, because {training} names none")
        return next(iter(known))

    def configurations_with(
        self, study: Study, configurations: list[Configuration]
    ) -> list[Configuration]:
        """All trainings of the section, instead of combinations."""
        return [configuration for _, _, configuration in self.expanded(study)]

    def tree_of(self, study: Study) -> ClassTree | None:
        """The tree of the classes, if there is one."""
        if self.tree is None:
            return None
        from hyperribbon.tasks.class_tree import ClassTree  # NumPy, in studies with a tree alone

        assert study.data is not None
        try:
            if isinstance(self.tree, WordNetTree):
                return ClassTree.wordnet(study.data.class_names, self.tree.wordnet)
            if self.tree == "cifar10":
                return ClassTree.cifar10()
            return ClassTree.read(self.tree)
        except HyperribbonError as error:
            raise refuse("tasks.tree", _plain(self.tree), str(error)) from None

    def nodes(self) -> dict[str, str]:
        """The node of the tree that each training learns, if it learns one, by its name."""
        return {
            name: self.sets[training.tasks[0]]  # type: ignore[misc]
            for name, training in self.trainings.items()
            if self.kind(name) == "node"
        }

    def kind(self, training: str) -> str:
        """What a training learns: all, node, random, superclasses, list or several."""
        tasks = self.trainings[training].tasks
        if len(tasks) > 1:
            return "several"
        return ALL if tasks[0] == ALL else kind_of(self.sets[tasks[0]])

    def expanded(self, study: Study) -> Iterator[tuple[str, str, Configuration]]:
        """Each training: its entry in `trainings`, its group, and its configuration.

        Trainings of one group differ in the seed or the draw of random classes.
        """
        assert study.training and study.data and study.networks and study.optimisers
        names, tree = study.data.class_names, self.tree_of(study)
        tasks: dict[str, list[Classes]] = {ALL: [tuple((k,) for k in range(len(names)))]}
        for name, section in self.sets.items():
            tasks[name] = resolve(section, f"tasks.sets.{name}", names, tree)
        departures = self._departures()
        fresh: dict[str, Configuration] = {}
        # Those that start from others come last.
        ordered = sorted(self.trainings.items(), key=lambda item: item[1].start is not None)
        for entry, training in ordered:
            where = f"tasks.trainings.{entry}"
            chosen = [tasks[name] for name in training.tasks]
            if len(chosen) > 1 and any(len(draws) > 1 for draws in chosen):
                raise refuse(
                    f"{where}.tasks", list(training.tasks), "no random set with several draws"
                )
            for draw in range(len(chosen[0])):
                label = entry if len(chosen[0]) == 1 else f"{entry}-{draw + 1}"
                learned = tuple(
                    TaskConfig(name=name, classes=draws[draw])
                    for name, draws in zip(training.tasks, chosen, strict=True)
                )
                configuration = self._configuration(
                    study, entry, label, learned, departures.get(entry, [])
                )
                if training.start is None:
                    fresh[label] = configuration
                    yield entry, entry, configuration
                    continue
                yield from self._fine_tuned(where, training.start, configuration, fresh, entry)

    def _departures(self) -> dict[str, list[float]]:
        """Epochs whose checkpoints others start from, by the name of the training."""
        found: dict[str, list[float]] = {}
        for training in self.trainings.values():
            if training.start is not None:
                found.setdefault(training.start.training, []).extend(training.start.epochs)
        return found

    def _configuration(
        self,
        study: Study,
        entry: str,
        label: str,
        tasks: tuple[TaskConfig, ...],
        departures: list[float],
    ) -> Configuration:
        assert study.training and study.data and study.networks and study.optimisers
        training = self.trainings[entry]
        network, optimiser, augmentation = (self._named(study, kind, entry) for kind in KINDS)
        section = study.augmentations[augmentation]
        if not (training.augmentation or training.method.takes_augmentation):
            augmentation, section = NO_AUGMENTATION, AugmentationConfig()
        own = {
            "epochs": training.epochs or study.training.epochs,
            "batch_size": study.optimisers[optimiser].batch_size or study.training.batch_size,
            "seeds": training.seeds or study.training.seeds,
        }
        where = f"tasks.trainings.{label}"
        try:
            learning = LearningConfig(name=label, tasks=tasks, method=training.method)
        except ValidationError as error:
            raise _refused_within(where, error) from None
        configuration = Configuration(
            network_name=network,
            optimiser_name=optimiser,
            augmentation_name=augmentation,
            data=study.data,
            network=study.networks[network],
            optimiser=study.optimisers[optimiser],
            augmentation=section,
            training=study.training.model_copy(update=own),
            learning=learning,
        )
        with within("tasks.trainings"):
            configuration.check_learning()
        try:
            return keeping(configuration, departures)
        except ConfigError as error:
            key = f"tasks.trainings: start.epochs of trainings from {label}"
            raise refuse(key, sorted(departures), str(error)) from None

    def _fine_tuned(
        self,
        where: str,
        start: StartConfig,
        configuration: Configuration,
        fresh: Mapping[str, Configuration],
        entry: str,
    ) -> Iterator[tuple[str, str, Configuration]]:
        if start.training not in fresh:
            expected = "a training from fresh weights with a single task"
            raise refuse(f"{where}.start.training", start.training, expected)
        source = fresh[start.training]
        if configuration.training.seeds > source.training.seeds:
            expected = f"at most {source.training.seeds}, as {start.training} has"
            raise refuse(f"{where}.seeds", configuration.training.seeds, expected)
        assert configuration.learning is not None
        for epoch in start.epochs:
            name = f"{configuration.learning.name}-from-{epoch:g}".replace(".", "_")
            learning = configuration.learning.model_copy(
                update={"name": name, "start_epoch": epoch}
            )
            tuned = configuration.model_copy(update={"learning": learning, "start": source})
            with within("tasks.trainings"):
                tuned.check_learning()
            yield entry, name, tuned


def _refused_within(section: str, error: ValidationError) -> PydanticCustomError:
    """The first refusal of a section made here, with the section's name before its key."""
    context = error.errors()[0].get("ctx", {})
    return refuse(f"{section}.{context['key']}", json.loads(context["value"]), context["expected"])


def _plain(tree: Any) -> Any:
    return tree.model_dump() if isinstance(tree, Section) else tree
