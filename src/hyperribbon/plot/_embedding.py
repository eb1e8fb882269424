"""Models in the first coordinates of an embedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

from hyperribbon.errors import DataError
from hyperribbon.plot.canvas import canvas, finish
from hyperribbon.plot.looks import Looks
from hyperribbon.plot.references import draw_references, explained, refuse_one_point
from hyperribbon.plot.tables import Tables, as_tables, in_order, run_columns
from hyperribbon.reporting.style import COLUMN, coordinate_label

SIZES = {2: (1.5 * COLUMN, COLUMN), 3: (1.7 * COLUMN, 1.2 * COLUMN)}  # of figures, by dimensions


def embedding(
    data: Any,
    *,
    color: Any = None,
    style: Any = None,
    ax: Any = None,
    dimensions: int | Sequence[int] | None = None,
    split: str | None = None,
    labels: Any = None,
    palette: Mapping | None = None,
    norm: Normalize | None = None,
    legend: bool = True,
    lines: bool | None = None,
    **points: Any,
) -> Axes:
    """Draw models in the first two or three coordinates of their embedding.

    Ignorance (square), truth (star) and the geodesic between them are drawn where they are known.
    In three dimensions, thin lines follow each training. Axes say which coordinates are time-like,
    and the title how much of the stress is explained, where that is known.

    Parameters
    ----------
    data : study, tables, DataFrame, InPCA or array
        A study or its tables (``models``; ``geodesic`` and ``explained_stress`` if there are any);
        the table of models, with columns pc1, pc2, ...; a fitted `InPCA` or `IsKL`; coordinates
        (m, k); or predictions, whose InPCA is computed: (m, N, C), (S, K, N, C) of S trainings, a
        list of trainings, or a mapping from their names to them.
    color, style : str, sequence or colour, optional
        As in `hyperribbon.plot`. By default, models are coloured by network or training.
    ax : Axes, optional
        Where to draw; in 3-D (``projection="3d"``) if there are three dimensions.
    dimensions : int or sequence of int, optional
        2 or 3; or the numbers of the coordinates, such as ``(2, 3)``. By default 3, unless ``ax``
        is of a plane or there are only two coordinates.
    split : str, optional
        ``train``, the default, or ``test``.
    labels : array of int, optional
        (N,) true classes of predictions. With them the geodesic is drawn, and ``color`` may be
        ``loss`` (nats), ``error`` or ``progress``.
    palette : mapping, optional
        Colours by name.
    norm : Normalize, optional
        Matplotlib's scale of the colours of numbers.
    legend : bool
        Whether to draw a legend or a colour bar.
    lines : bool, optional
        Whether thin lines follow each training; by default, in three dimensions.
    **points
        Further options of `matplotlib.axes.Axes.scatter`, such as ``s``, the area of the points.

    Returns
    -------
    Axes

    Raises
    ------
    DataError
        If something does not fit, or all models make the same predictions.

    References
    ----------
    Mao et al. (2024), PNAS 121 (12), Fig. 1; thesis Figs. 2.1a and 2.4a.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(20, 30))
    >>> axes = hr.plot.embedding(P, labels=np.arange(30) % 3, color="progress")
    >>> axes.get_title()
    '20 models: explained stress 27%'
    """
    numbers = _numbers(dimensions, ax)
    wanted = max(numbers) if numbers else 3
    found = as_tables(data, "models", split=split, labels=labels, components=wanted)
    stress = stress_of(found)
    models = found.rows("models")
    numbers = numbers or _known(models)
    models = found.rows("models", [f"pc{k}" for k in numbers])
    if models.empty:
        raise DataError("data: the table models has no rows, so there is nothing to draw")
    curve = found.optional("geodesic", [f"pc{k}" for k in numbers])
    look = looks_of(found, models, color, style, palette, norm)
    with canvas(ax, SIZES[len(numbers)], len(numbers)) as axes:
        keys = [] if curve is None else draw_references(axes, curve, numbers)
        if len(numbers) == 3:
            _frame_space(axes)
        if lines if lines is not None else len(numbers) == 3:
            draw_trainings(axes, models, numbers, look)
        draw_models(axes, models, numbers, look, **points)
        name_axes(axes, stress, numbers)
        title = f"{len(models):,} models"
        if found.split_of("models"):
            title = f"{found.split_of('models')} predictions of {title}"
        share = explained(stress, len(numbers)) if [*numbers] == [1, 2, 3][: len(numbers)] else None
        title += "" if share is None else f": explained stress {share:.0%}"
        axes.set_title(title, **({"y": 0.97} if len(numbers) == 3 else {}))
        if legend:
            finish(axes, [*look.handles(), *keys], ax is None)
            look.draw_bar(axes, **({"shrink": 0.6, "pad": 0.12} if len(numbers) == 3 else {}))
    return axes


def stress_of(found: Tables) -> pd.DataFrame | None:
    """What each dimension explains, where it is known; refused if all models coincide."""
    stress = found.optional("explained_stress", ["explained_stress"])
    if stress is not None:
        split = found.split_of("explained_stress")
        refuse_one_point(stress, f" {split}" if split else "")
    return found.optional("explained_stress", ["dimension", "kind", "explained_stress"])


def looks_of(
    found: Tables, models: pd.DataFrame, color: Any, style: Any, palette: Any, norm: Any = None
) -> Looks:
    """Colours and markers of models, which agree in all figures of a study."""

    def whole(column: str) -> pd.Series | None:
        return found.names("models", column)

    return Looks(models, color, style, palette=palette, norm=norm, whole=whole)


def draw_models(
    axes: Any, models: pd.DataFrame, numbers: Sequence[int], look: Looks, **points: Any
) -> None:
    """Draw models as points of a plane or in space."""
    plain: dict[str, Any] = {"s": 3, "linewidth": 0}
    if len(numbers) == 3:
        plain = {"s": 4, "linewidth": 0, "depthshade": False}
    look.scatter(axes, models[[f"pc{k}" for k in numbers]].to_numpy(), **plain | points)


def draw_trainings(axes: Any, models: pd.DataFrame, numbers: Sequence[int], look: Looks) -> None:
    """Draw a thin line through the models of each training, in their order."""
    keys = run_columns(models)
    if not keys:
        return
    for _, run in models.groupby(keys, sort=False):
        run = in_order(run)
        colour = look.colour_of(run.index[0])
        axes.plot(
            *run[[f"pc{k}" for k in numbers]].to_numpy().T, color=colour, linewidth=0.4, alpha=0.5
        )


def name_axes(axes: Any, stress: pd.DataFrame | None, numbers: Sequence[int]) -> None:
    """Label the axes by their coordinates, and say which are time-like."""
    if len(numbers) == 3:
        axes.set_xlabel(coordinate_label(stress, numbers[0]), labelpad=-4)
        axes.set_ylabel(coordinate_label(stress, numbers[1]), labelpad=-4)
        axes.set_zlabel(coordinate_label(stress, numbers[2]), labelpad=4)
    else:
        axes.set_xlabel(coordinate_label(stress, numbers[0]))
        axes.set_ylabel(coordinate_label(stress, numbers[1]))


def _frame_space(axes: Any) -> None:
    """Ticks and the point of view in space."""
    axes.tick_params(pad=-3, labelsize=6)
    axes.tick_params(axis="z", pad=3)  # room for the minus signs
    axes.locator_params(nbins=6)
    axes.view_init(elev=22, azim=-60)
    axes.set_box_aspect(None, zoom=0.9)


def _numbers(dimensions: Any, ax: Any) -> tuple[int, ...]:
    """Numbers of the coordinates, from 1; none if that depends on what is known."""
    if dimensions is None:
        if ax is None:
            return ()
        return (1, 2, 3) if getattr(ax, "name", "") == "3d" else (1, 2)
    numbers = dimensions
    if isinstance(dimensions, int | np.integer):
        numbers = range(1, int(dimensions) + 1)
    try:
        numbers = tuple(int(k) for k in numbers)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) not in (2, 3) or min(numbers) < 1 or len(set(numbers)) < len(numbers):
        raise DataError(
            f"dimensions = {dimensions!r}: expected 2, 3, or two or three different numbers of "
            "coordinates from 1"
        )
    return numbers


def _known(models: pd.DataFrame) -> tuple[int, ...]:
    """The first three coordinates, or two if there are no more."""
    return (1, 2, 3) if "pc3" in models else (1, 2)
