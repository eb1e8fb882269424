"""Where a picture is drawn: the given axes, or a new figure in the project's style."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.errors import DataError
from hyperribbon.reporting.style import RC


@contextmanager
def canvas(ax: Any, size: tuple[float, float], dimensions: int = 2) -> Iterator[Any]:
    """Axes to draw on: the given ones as they are, or those of a new figure.

    The style holds while the picture is drawn, and no longer. Without one that is complete, a new
    figure is closed again, so that none appears next to an error.

    Parameters
    ----------
    ax : Axes or None
    size : tuple of float
        Width and height of a new figure, inches.
    dimensions : int
        2, or 3 for axes in space.

    Raises
    ------
    DataError
        If ``ax`` is something else.

    Examples
    --------
    >>> with canvas(None, (3, 2)) as axes:
    ...     axes.get_figure().get_size_inches().tolist()
    [3.0, 2.0]
    """
    if ax is not None:
        check_axes(ax, dimensions)
        yield ax
        return
    with new_figure(size) as figure:
        kind: dict[str, Any] = {"projection": "3d", "computed_zorder": False}
        axes = figure.add_subplot(**(kind if dimensions == 3 else {}))
        keep_style(axes)
        yield axes


@contextmanager
def new_figure(size: tuple[float, float]) -> Iterator[Any]:
    """A new figure in the project's style, which is closed again if drawing fails."""
    with mpl.rc_context(RC):
        figure = plt.figure(figsize=size)
        try:
            yield figure
        except BaseException:
            plt.close(figure)
            raise


def keep_style(axes: Axes) -> None:
    """Settle what matplotlib would look up when it draws: ticks are made only then."""
    rc: Any = mpl.rcParams
    for axis in ("x", "y"):
        axes.tick_params(axis=axis, which="both", labelsize=rc[f"{axis}tick.labelsize"])
        axes.tick_params(axis=axis, which="major", width=rc[f"{axis}tick.major.width"])


def figure_of(axes: Any) -> Figure:
    """The figure of a picture, to save or to add to."""
    return axes.figure


def check_axes(ax: Any, dimensions: int, name: str = "ax") -> None:
    """Refuse what is not Axes, or Axes of another kind."""
    if not isinstance(ax, Axes):
        raise DataError(f"{name}: {type(ax).__name__}, expected matplotlib Axes")
    if (ax.name == "3d") != (dimensions == 3):
        kind = "of a plane" if dimensions == 3 else "in 3-D"
        hint = "add_subplot(projection='3d')" if dimensions == 3 else "add_subplot()"
        raise DataError(f"{name}: Axes {kind} for a picture in {dimensions}-D, expected {hint}")


def finish(axes: Axes, handles: list, own: bool) -> None:
    """Draw a legend: beside the panel of a figure of its own, else inside the given axes."""
    if not handles:
        return
    if own:
        axes.figure.legend(handles=handles, loc="outside right center")
    else:
        axes.legend(handles=handles)
