"""Sections that name the classes of a task: nodes of a tree, lists, random sets, superclasses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import comb
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from hyperribbon.config.fields import Natural, Section, refuse
from hyperribbon.errors import HyperribbonError

if TYPE_CHECKING:
    from hyperribbon.tasks.class_tree import ClassTree

# The classes of a task; each merges some classes of the data, mostly a single one.
Classes = tuple[tuple[int, ...], ...]
Name = Annotated[str, Field(min_length=1)]
ClassList = Annotated[tuple[Name | Natural, ...], Field(min_length=1)]


class RandomClasses(Section):
    """Classes drawn at random."""

    random: Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
    """Number of classes of a draw."""
    draws: Annotated[int, Field(strict=True, ge=1, le=1000)] = 1
    """Number of draws, each a task; their trainings are one group."""
    seed: Natural = 0
    """Seed of the first draw; others, which differ from it, have the next seeds."""


class Superclasses(Section):
    """The children of a node of the tree, each with all classes below it."""

    superclasses: Name
    """The node."""


ClassSet = Name | ClassList | RandomClasses | Superclasses


def resolve(
    section: ClassSet, key: str, names: Sequence[str], tree: ClassTree | None
) -> list[Classes]:
    """The classes of a task, by number; several tasks if there are several draws.

    Parameters
    ----------
    section : what names the classes
    key : of the section, for error messages
    names : of all classes of the data
    tree : of the classes, if there is one

    Raises
    ------
    PydanticCustomError
        As made by `refuse`: for an unknown class or node, a class that comes twice, or too many.
    """
    if isinstance(section, RandomClasses):
        if section.random > len(names):
            raise refuse(f"{key}.random", section.random, f"at most the {len(names)} classes")
        return _draws(section, key, len(names))
    if isinstance(section, str):
        return [_single(sorted(_number(n, key, names) for n in _below(section, key, tree)))]
    if isinstance(section, Superclasses):
        key = f"{key}.superclasses"
        return [_superclasses(section.superclasses, key, names, tree)]
    found = [_number(name, key, names) for name in section]
    if len(set(found)) < len(found):
        raise refuse(key, list(section), "each class once")
    return [_single(found)]


def kind_of(section: ClassSet) -> str:
    """How a section names classes: node, random, superclasses or list."""
    if isinstance(section, str):
        return "node"
    if isinstance(section, RandomClasses):
        return "random"
    return "superclasses" if isinstance(section, Superclasses) else "list"


def _draws(section: RandomClasses, key: str, n_classes: int) -> list[Classes]:
    """Different random sets of classes."""
    from hyperribbon.tasks.class_tree import random_classes  # NumPy, in such studies alone

    most = comb(n_classes, section.random)
    if section.draws > most:
        raise refuse(f"{key}.draws", section.draws, f"at most {most}, of {n_classes} classes")
    found: list[Classes] = []
    for seed in count(section.seed):
        drawn = _single(sorted(random_classes(n_classes, section.random, seed)))
        if drawn not in found:
            found.append(drawn)
        if len(found) == section.draws:
            break
    return found


def _single(classes: Sequence[int]) -> Classes:
    return tuple((int(k),) for k in classes)


def _number(name: str | int, key: str, names: Sequence[str]) -> int:
    if isinstance(name, int):
        if name >= len(names):
            raise refuse(key, name, f"a class from 0 to {len(names) - 1}, or its name")
        return name
    if name not in names:
        shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
        raise refuse(key, name, f"one of the classes: {shown}")
    return list(names).index(name)


def _known_tree(key: str, node: str, tree: ClassTree | None) -> ClassTree:
    if tree is None:
        raise refuse(key, node, "a list of classes; nodes need tasks.tree")
    return tree


def _below(node: str, key: str, tree: ClassTree | None) -> Sequence[str]:
    try:
        return _known_tree(key, node, tree).task(node)
    except HyperribbonError as error:
        raise refuse(key, node, str(error)) from None


def _superclasses(node: str, key: str, names: Sequence[str], tree: ClassTree | None) -> Classes:
    try:
        groups = _known_tree(key, node, tree).superclasses(node)
    except HyperribbonError as error:
        raise refuse(key, node, str(error)) from None
    return tuple(tuple(sorted(_number(n, key, names) for n in group)) for group in groups.values())
