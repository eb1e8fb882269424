"""What a network learns, if not all classes of its data, and how."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from hyperribbon.config.data import Groups
from hyperribbon.config.fields import Label, NonNegative, Section, refuse, within
from hyperribbon.config.methods import MethodConfig


class TaskConfig(Section):
    """A task: some classes of the data, perhaps merged."""

    name: Label
    """Its name."""
    classes: Groups
    """Its classes, each the classes of the data that it merges: `[[0], [1]]` for two of them,
    `[[2, 3], [0, 1, 8, 9]]` for two superclasses."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        merged = [c for group in self.classes for c in group]
        repeated = sorted({c for c in merged if merged.count(c) > 1})
        if repeated:
            expected = f"classes must not overlap; {', '.join(map(str, repeated))} comes twice"
            raise refuse("classes", self.classes, expected)
        return self

    def label_of(self, n_classes: int) -> list[int]:
        """The task's class of each class of the data; -1 if it has none.

        >>> TaskConfig(name="pair", classes=((3,), (1, 2))).label_of(5)
        [-1, 1, 1, 0, -1]
        """
        found = [-1] * n_classes
        for label, group in enumerate(self.classes):
            for c in group:
                found[c] = label
        return found


class LearningConfig(Section):
    """Learning of a task by a method.

    Trainings with it are recorded on all classes of the data, to which their features are imprinted
    (thesis 3.2).
    """

    name: Label
    """Its name, with which the names of its trainings begin."""
    tasks: Annotated[tuple[TaskConfig, ...], Field(min_length=1)]
    """The task; several for the method `joint`."""
    method: MethodConfig
    """How it is learned."""
    start_epoch: NonNegative | None = None
    """Epoch of another training whose backbone it starts from; by default, fresh weights."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [task.name for task in self.tasks]
        if self.method.several_tasks and len(names) < 2:
            raise refuse("tasks", names, f"{self.method.name} needs two or more")
        if not self.method.several_tasks and len(names) > 1:
            raise refuse("tasks", names, f"{self.method.name} learns one; joint learns several")
        if len(set(names)) < len(names):
            raise refuse("tasks", names, "must have different names")
        with within("method"):
            for task in self.tasks:
                self.method.check_classes(task.name, len(task.classes))
        return self

    def sizes(self, class_sizes: Sequence[int]) -> dict[str, list[int]]:
        """Samples of each class, by task.

        Parameters
        ----------
        class_sizes : sequence of int
            Samples of each class of the data.
        """
        return {
            task.name: [sum(class_sizes[c] for c in group) for group in task.classes]
            for task in self.tasks
        }

    def check(self, n_classes: int, class_sizes: Sequence[int] | None, batch_size: int) -> None:
        """Refuse tasks that the data do not have.

        Parameters
        ----------
        n_classes : int
            Number of classes of the data.
        class_sizes : sequence of int, optional
            Their train samples, if known.
        batch_size : int
            Samples per step.
        """
        for task in self.tasks:
            for c in (c for group in task.classes for c in group):
                if c >= n_classes:
                    expected = f"the data have classes 0 to {n_classes - 1}"
                    raise refuse(f"tasks.{task.name}.classes", c, expected)
        if class_sizes is not None:
            with within("method"):
                self.method.check_sizes(self.sizes(class_sizes), batch_size)
