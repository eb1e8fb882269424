"""Panels in rows, and legends below them: a figure stays as narrow as a page shows legibly."""

from collections.abc import Iterable
from math import ceil

import matplotlib.pyplot as plt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.reporting.style import COLUMN

WIDEST = 2.4 * COLUMN  # inches: the report shows it about 1,000 pixels wide, its text as 10 pt
ROW = 4  # panels next to each other, at most


def wrapped(number: int, height: float, most: int = ROW, **shared) -> tuple[Figure, list[Axes]]:
    """Panels of equal size, in as many rows as they need.

    Parameters
    ----------
    number : of panels
    height : of each, in parts of its width, up to a column's
    most : panels in a row, at most
    shared : ``sharex`` and ``sharey``, as of `matplotlib.pyplot.subplots`
    """
    rows = ceil(number / most)
    columns = ceil(number / rows)
    width = min(1.3 * COLUMN, WIDEST / columns)
    size = columns * width, rows * height * width
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False, **shared)
    for axes in panels.flat[number:]:
        axes.remove()
    if rows > 1:  # those above a gap have numbers, too
        for axes in panels[-2, columns - (rows * columns - number) :]:
            axes.tick_params(labelbottom=True)
    return figure, list(panels.flat[:number])


def stacked(number: int, height: float) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    """Pairs of panels, one above the other; all upper ones have one y-axis, and all lower ones.

    Parameters
    ----------
    number : of pairs
    height : of a pair, in parts of its width, up to a column's
    """
    rows = ceil(number / ROW)
    columns = ceil(number / rows)
    width = min(1.3 * COLUMN, WIDEST / columns)
    figure = plt.figure(figsize=(columns * width, rows * height * width))
    pairs: list[tuple[Axes, Axes]] = []
    for k in range(number):
        row, column = divmod(k, columns)
        pair = tuple(
            figure.add_subplot(
                2 * rows, columns, (2 * row + below) * columns + column + 1,
                sharey=pairs[0][below] if pairs else None,
            )
            for below in (0, 1)
        )  # fmt: skip
        for axes in pair:
            axes.tick_params(labelleft=column == 0)
        pairs.append(pair)
    return figure, pairs


def legend_below(figure: Figure, panels: Iterable[Axes], extra: Iterable[Artist] = ()) -> None:
    """One legend of all panels, each label once."""
    named: dict[str, Artist] = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            named.setdefault(label, handle)
    named |= {handle.get_label(): handle for handle in extra}
    # A column is as wide as its longest label; a letter of 7 pt about 0.06 inches.
    letters = max(map(len, named), default=0)
    columns = max(1, int(figure.get_figwidth() / (0.06 * letters + 0.5)))
    rows = ceil(len(named) / columns)
    figure.legend(
        named.values(), named.keys(), loc="outside lower center", ncols=ceil(len(named) / rows)
    )


def name_outer(panels: Iterable[Axes], xlabel: str, ylabel: str) -> None:
    """Labels of axes: below panels with numbers there, and left of each row."""
    for axes in panels:
        if axes.xaxis.get_tick_params()["labelbottom"]:
            axes.set_xlabel(xlabel)
        if axes.get_subplotspec().is_first_col():
            axes.set_ylabel(ylabel)
