"""Panels in rows, with legends below them, so that a figure fits legibly on a page."""

from collections.abc import Iterable
from math import ceil
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.reporting.style import COLUMN

WIDEST = 2.4 * COLUMN  # inches; the report shows it about 1,000 pixels wide, with text as at 10 pt
ROW = 4  # most panels next to each other


def wrapped(
    number: int, height: float, most: int = ROW, **shared: Any
) -> tuple[Figure, list[Axes]]:
    """Panels of equal size, in as many rows as they need.

    Parameters
    ----------
    number : number of panels
    height : height of a panel, relative to its width
    most : most panels in a row
    shared : ``sharex`` and ``sharey``, as in `matplotlib.pyplot.subplots`
    """
    rows = ceil(number / most)
    columns = ceil(number / rows)
    width = min(1.3 * COLUMN, WIDEST / columns)
    size = columns * width, rows * height * width
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, **shared)
    for axes in panels.flat[number:]:
        axes.remove()
    if rows > 1:  # panels above a gap need numbers too
        for axes in panels[-2, columns - (rows * columns - number) :]:
            axes.tick_params(labelbottom=True)
    return figure, list(panels.flat[:number])


def stacked(number: int, height: float) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Pairs of panels, one above the other; upper panels share a y-axis, and so do lower ones.

    Parameters
    ----------
    number : number of pairs
    height : height of a pair, relative to its width
    """
    rows = ceil(number / ROW)
    columns = ceil(number / rows)
    width = min(1.3 * COLUMN, WIDEST / columns)
    figure = plt.figure(figsize=(columns * width, rows * height * width))
    pairs: list[tuple[Axes, Axes]] = []
    for k in range(number):
        row, column = divmod(k, columns)
        upper, lower = (
            figure.add_subplot(
                2 * rows, columns, (2 * row + below) * columns + column + 1,
                sharey=pairs[0][below] if pairs else None,
            )
            for below in (0, 1)
        )  # fmt: skip
        for axes in (upper, lower):
            axes.tick_params(labelleft=column == 0)
        pairs.append((upper, lower))
    return figure, pairs


def legend_below(figure: Figure, panels: Iterable[Axes], extra: Iterable[Artist] = ()) -> None:
    """Draw one legend for all panels, with each label once."""
    named: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    named |= {str(handle.get_label()): handle for handle in extra}
    # A column is as wide as its longest label; a letter at 7 pt is about 0.06 inches wide.
    letters = max(map(len, named), default=0)
    columns = max(1, int(figure.get_figwidth() / (0.06 * letters + 0.5)))
    rows = ceil(len(named) / columns)
    figure.legend(
        named.values(), named.keys(), loc="outside lower center", ncols=ceil(len(named) / rows)
    )


def name_outer(panels: Iterable[Axes], xlabel: str, ylabel: str) -> None:
    """Label the x-axes of panels with numbers below them, and the first y-axis of each row.

    Other labels, as pictures have them on their own, are removed.
    """
    for axes in panels:
        axes.set_xlabel(xlabel if axes.xaxis.get_tick_params()["labelbottom"] else "")
        place = axes.get_subplotspec()
        assert place is not None, "these panels are in rows and columns"
        axes.set_ylabel(ylabel if place.is_first_col() else "")


def title_left(axes: Axes, title: str | None = None) -> Axes:
    """Set a title on the left, as in all panels of the report, instead of the picture's own.

    Parameters
    ----------
    axes : with a picture
    title : by default, the one that the picture has
    """
    title = axes.get_title() if title is None else title
    axes.set_title("")
    axes.set_title(title, loc="left")
    return axes
