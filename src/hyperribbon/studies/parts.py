"""The registry of the parts that a study may have.

To add a part, make a folder here with its ``part.py`` and a file of rules of the same name, and
add the part to ``PARTS``. All lists of its pieces are made from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from inspect import cleandoc
from typing import TYPE_CHECKING

from hyperribbon.config.plugins import pieces
from hyperribbon.errors import DataError
from hyperribbon.registry import Registry
from hyperribbon.studies.bases.part import PART as BASES
from hyperribbon.studies.certificates.part import PART as CERTIFICATES
from hyperribbon.studies.corners.part import PART as CORNERS
from hyperribbon.studies.curvature.part import PART as CURVATURE
from hyperribbon.studies.grid.part import PART as GRID
from hyperribbon.studies.inversion.part import PART as INVERSION
from hyperribbon.studies.linear.part import PART as LINEAR
from hyperribbon.studies.manifold.part import PART as MANIFOLD
from hyperribbon.studies.part import SPLITS, Figure, OwnFigure, Part, Step
from hyperribbon.studies.regression.part import PART as REGRESSION
from hyperribbon.studies.report.part import PART as REPORT
from hyperribbon.studies.representations.part import PART as REPRESENTATIONS
from hyperribbon.studies.synthetic.part import PART as SYNTHETIC
from hyperribbon.studies.tasks.part import PART as TASKS

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

PARTS = (
    GRID,
    MANIFOLD,
    BASES,
    CORNERS,
    CURVATURE,
    CERTIFICATES,
    SYNTHETIC,
    REGRESSION,
    LINEAR,
    REPRESENTATIONS,
    INVERSION,
    TASKS,
    REPORT,
)
# All figures, by name: those of the parts, and those that users register.
FIGURES: Registry[Figure] = Registry(
    "figure", {figure.name: figure for part in PARTS for figure in part.figures}
)
TABLES = sorted(table for part in PARTS for step in part.steps for table in step.tables)


def parts_of(study: Study) -> list[Part]:
    """The parts that a study has, in the order of the report."""
    return [part for part in PARTS if part.is_in(study)]


def figures_of(study: Study) -> dict[str, str]:
    """Category of each figure of a study, by the name of its file; those of its plugins last."""
    figures = [figure for part in parts_of(study) for figure in part.figures if figure.when(study)]
    figures += [FIGURES[piece.name] for piece in pieces(study.plugins, "figure")]
    return {name: category for figure in figures for name, category in figure.drawn().items()}


def code_of_figures(study: Study) -> list[str]:
    """Modules that draw the figures of a study, and pieces of its plugins."""
    modules = {figure_module(name) for name in figures_of(study) if not _is_own(name)}
    return [*sorted(modules), *(piece.code for piece in pieces(study.plugins, "figure"))]


def captions() -> Iterator[tuple[str, str]]:
    """Path of each caption in a folder of captions, and its text."""
    for part in PARTS:
        yield from part.captions()
    for figure in FIGURES.values():
        if isinstance(figure, OwnFigure):
            yield f"figures/{figure.name}.rst", cleandoc(figure.caption)


def step_named(name: str) -> tuple[Part, Step]:
    """The part of a step, and the step.

    Raises
    ------
    KeyError
        If no part has a step of that name.

    Examples
    --------
    >>> step_named("embed")[0].name
    'manifold'
    """
    for part in PARTS:
        for step in part.steps:
            if step.name == name:
                return part, step
    raise KeyError(f"step {name}: there is none of that name")


def figure_named(name: str) -> Figure:
    """A figure, by the name of a file.

    Raises
    ------
    DataError
        If there is no figure of that name; the message lists those that there are.

    Examples
    --------
    >>> figure_named("near_test").name
    'near'
    """
    drawn = {file: figure for figure in FIGURES.values() for file in figure.drawn()}
    if name not in drawn:
        raise DataError(f"figure = {name!r}: expected one of {', '.join(drawn)}")
    return drawn[name]


def step_module(name: str) -> str:
    """Full name of a step's module.

    >>> step_module("synthetic_train")
    'hyperribbon.studies.synthetic.train'
    """
    part, step = step_named(name)
    return part.module(step.module or step.name)


def figure_module(name: str) -> str:
    """Full name of the module that draws a figure of a part.

    >>> figure_module("near_test")
    'hyperribbon.studies.manifold.figures.embedding'
    """
    figure = figure_named(name)
    (part,) = (part for part in PARTS if figure in part.figures)
    return part.module(figure.module)


def figure_function(name: str) -> Callable:
    """The function that draws a figure from all tables of a study, by their names."""
    figure = figure_named(name)
    function = figure.function if isinstance(figure, OwnFigure) else None
    if function is None:
        function = getattr(import_module(figure_module(name)), figure.name)
    if not figure.splits:
        return function
    return partial(function, split=next(split for split in SPLITS if name.endswith(f"_{split}")))


def _is_own(name: str) -> bool:
    return isinstance(figure_named(name), OwnFigure)
