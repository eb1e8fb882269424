"""The registry of the parts that a study may have.

To add a part, make a folder here with its ``part.py`` and a file of rules of the same name, and
add the part to ``PARTS``. All lists of its pieces are made from there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from hyperribbon.studies.corners.part import PART as CORNERS
from hyperribbon.studies.curvature.part import PART as CURVATURE
from hyperribbon.studies.grid.part import PART as GRID
from hyperribbon.studies.inversion.part import PART as INVERSION
from hyperribbon.studies.linear.part import PART as LINEAR
from hyperribbon.studies.manifold.part import PART as MANIFOLD
from hyperribbon.studies.part import SPLITS, Figure, Part, Step
from hyperribbon.studies.regression.part import PART as REGRESSION
from hyperribbon.studies.report.part import PART as REPORT
from hyperribbon.studies.representations.part import PART as REPRESENTATIONS
from hyperribbon.studies.synthetic.part import PART as SYNTHETIC
from hyperribbon.studies.tasks.part import PART as TASKS

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

Piece = TypeVar("Piece", Step, Figure)
PARTS = (
    GRID,
    MANIFOLD,
    CORNERS,
    CURVATURE,
    SYNTHETIC,
    REGRESSION,
    LINEAR,
    REPRESENTATIONS,
    INVERSION,
    TASKS,
    REPORT,
)


def parts_of(study: Study) -> list[Part]:
    """The parts that a study has, in the order of the report."""
    return [part for part in PARTS if part.is_in(study)]


def figures_of(study: Study) -> dict[str, str]:
    """Category of each figure of a study, by the name of its file."""
    return {
        name: category
        for part in parts_of(study)
        for figure in part.figures
        if figure.when(study)
        for name, category in figure.drawn().items()
    }


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
    return _only(name, "step", ((part, step) for part in PARTS for step in part.steps))


def figure_named(name: str) -> tuple[Part, Figure]:
    """The part of a figure, and the figure, by the name of a file.

    Raises
    ------
    KeyError
        If no part has a figure of that name.

    Examples
    --------
    >>> figure_named("near_test")[1].name
    'near'
    """
    pieces = ((part, figure) for part in PARTS for figure in part.figures)
    return _only(name, "figure", pieces, lambda figure: figure.drawn())


def step_module(name: str) -> str:
    """Full name of a step's module.

    >>> step_module("synthetic_train")
    'hyperribbon.studies.synthetic.train'
    """
    part, step = step_named(name)
    return part.module(step.module or step.name)


def figure_module(name: str) -> str:
    """Full name of the module that draws a figure.

    >>> figure_module("near_test")
    'hyperribbon.studies.manifold.figures.embedding'
    """
    part, figure = figure_named(name)
    return part.module(figure.module)


def figure_function(name: str) -> Callable:
    """The function that draws a figure from all tables of a study, by their names."""
    figure = figure_named(name)[1]
    function = getattr(import_module(figure_module(name)), figure.name)
    if not figure.splits:
        return function
    return partial(function, split=next(split for split in SPLITS if name.endswith(f"_{split}")))


def _only(
    name: str,
    kind: str,
    pieces: Iterable[tuple[Part, Piece]],
    names: Callable[[Piece], Collection[str]] = lambda piece: [piece.name],
) -> tuple[Part, Piece]:
    """The only piece with a name, and its part."""
    found = [(part, piece) for part, piece in pieces if name in names(piece)]
    if len(found) != 1:
        problem = "there is none of that name" if not found else "several have that name"
        raise KeyError(f"{kind} {name}: {problem}")
    return found[0]
