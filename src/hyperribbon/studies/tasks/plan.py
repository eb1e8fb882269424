"""What the steps must know of the section `tasks`, in a form that their command line takes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from hyperribbon.config.fields import Label, Section
from hyperribbon.storage.digest import canonical_json

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study
    from hyperribbon.studies.tasks.config import TasksConfig


class Compared(Section):
    """A comparison, with its groups of trainings."""

    groups: tuple[str, ...]
    """In the order of the section."""
    references: tuple[str, ...]
    """The groups from whose mean trajectories distances are shown; mostly one."""
    split: Literal["train", "test"]
    """Samples whose predictions are compared."""


class TaskPlan(Section):
    """Groups of trainings, their comparisons, and distances of their tasks in the tree."""

    groups: dict[str, str]
    """Group of each training, by what its models have in the column `stage`."""
    kinds: dict[str, str]
    """What each group learns: all, node, random, superclasses, list or several."""
    comparisons: dict[Label, Compared]
    """By name."""
    tree: tuple[tuple[str, str, int], ...]
    """Pairs of groups whose tasks are nodes of the tree, and the edges between these nodes."""
    lengths: tuple[int, ...]
    """Numbers of checkpoints for which Riemannian lengths are computed."""

    @classmethod
    def of(cls, section: TasksConfig, study: Study) -> TaskPlan:
        """The plan of a study."""
        entries: dict[str, list[str]] = {}
        groups, kinds = {}, {}
        for entry, group, configuration in section.expanded(study):
            assert configuration.learning is not None
            groups[configuration.learning.name] = group
            kinds[group] = section.kind(entry)
            entries.setdefault(entry, []).append(group)

        def groups_in(names: Iterable[str]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(group for name in names for group in entries[name]))

        compared = {
            name: Compared(
                groups=groups_in(comparison.trainings),
                references=groups_in([comparison.reference]),
                split=comparison.split,
            )
            for name, comparison in section.comparisons.items()
        }
        tree, nodes = section.tree_of(study), section.nodes()
        between = () if tree is None else combinations(sorted(nodes), 2)
        edges = [(a, b, tree.distance(nodes[a], nodes[b])) for a, b in between]  # type: ignore[union-attr]
        return cls(
            groups=groups,
            kinds=kinds,
            comparisons=compared,
            tree=tuple(edges),
            lengths=section.lengths,
        )

    def to_json(self) -> str:
        """Canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))

    def groups_json(self) -> str:
        """Canonical JSON of the groups alone, of which steps before the comparisons know."""
        return canonical_json(self.groups)

    @property
    def splits(self) -> list[str]:
        """Splits on which something is compared."""
        return sorted({comparison.split for comparison in self.comparisons.values()})
