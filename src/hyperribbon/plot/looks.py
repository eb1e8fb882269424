"""Colours and markers of the rows of a table, and the legend that explains them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from numbers import Number
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize, is_color_like
from matplotlib.lines import Line2D

from hyperribbon.errors import DataError, first_line
from hyperribbon.reporting.style import (
    COLOURS,
    MARKERS,
    ORDERED,
    OUTSIDE,
    as_text,
    ordered,
    palette,
)

NUMBERED = ("seed", "training")  # columns whose numbers are names
MOST_KEYS = 24  # in a legend
UNKNOWN = "unknown"


class Group(NamedTuple):
    """Rows of one colour and one marker."""

    name: Any
    rows: np.ndarray
    colour: Any
    marker: str


class Looks:
    """What distinguishes rows of a table in a picture.

    Parameters
    ----------
    table : DataFrame
        One row per point.
    color : str, sequence or colour, optional
        A column, one value per row, or a colour of matplotlib.
    style : str or sequence, optional
        A column, or one value per row.
    default : str
        The column that colours rows, if the table has it and ``color`` is None.
    palette : mapping, optional
        Colours by name, in the order of drawing.
    norm : Normalize, optional
        Scale of numbers.
    whole : callable, optional
        Function that returns a column in all of the study, so that colours agree in all figures.
    names : bool
        Whether numbers are names, too, as they are of lines.

    Raises
    ------
    DataError
        If a column is unknown, a number of values does not fit, or there are too few markers.

    Examples
    --------
    >>> table = pd.DataFrame({"network": ["A", "B", "A"], "loss": [0.1, 0.2, 0.3]})
    >>> [(group.name, group.rows.tolist()) for group in Looks(table, "network").groups()]
    [('A', [0, 2]), ('B', [1])]
    >>> Looks(table, "los")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: color = 'los': expected a column (network, loss), 3 values, or \
a colour of matplotlib
    """

    def __init__(
        self,
        table: pd.DataFrame,
        color: Any = None,
        style: Any = None,
        *,
        default: str = "network",
        palette: Mapping | None = None,
        norm: Normalize | None = None,
        whole=lambda column: None,
        names: bool = False,
    ):
        self.table, self.label = table, ""
        self.colours: dict[Any, Any] = {}
        self.scale: ScalarMappable | None = None
        self._single: Any = COLOURS[0]
        self._names = self._numbers = None
        values = self._values("color", self._default(default) if color is None else color)
        if values is not None:
            if names or not _are_numbers(values):
                self._names = _named(values)
                self.colours = self._palette(values, whole, palette)
            else:
                self._numbers, self.scale = _scaled(values, norm, self.label)
        self.markers: dict[Any, str] = {}
        self._styles = None
        self.style_label = ""
        if style is not None:
            self._styles = self._style(style)

    def _default(self, default: str) -> str | None:
        for column in (default, "training"):
            if column in self.table and self.table[column].notna().any():
                return column
        return None

    def _values(self, what: str, given: Any) -> pd.Series | None:
        """One value per row; None if all rows have one colour."""
        if given is None:
            return None
        if isinstance(given, str) and given in self.table:
            self._name(what, given)
            return self.table[given]
        if not isinstance(given, str) and np.ndim(given) == 1 and len(given) == len(self.table):
            self._name(what, getattr(given, "name", None) or "")
            return pd.Series(np.asarray(given))
        if what == "color" and is_color_like(given):
            self._single = given
            return None
        columns = ", ".join(map(str, self.table))
        shown = repr(given) if isinstance(given, str) else f"shape {np.shape(given)}"
        kinds = [f"a column ({columns})", f"{len(self.table)} values"]
        kinds += ["a colour of matplotlib"] if what == "color" else []
        *most, last = kinds
        comma = "," if len(most) > 1 else ""
        raise DataError(f"{what} = {shown}: expected {', '.join(most)}{comma} or {last}")

    def _name(self, what: str, name: Any) -> None:
        words = str(name).replace("_", " ")
        if what == "color":
            self.label, self._column = words, name
        else:
            self.style_label, self._style_column = words, name

    def _palette(self, values: pd.Series, whole, given: Mapping | None) -> dict:
        assert self._names is not None
        present = list(dict.fromkeys(self._names))
        if given is not None:
            missing = [name for name in present if name not in given]
            if missing:
                raise DataError(f"palette: no colour for {missing[0]!r}")
            return {name: colour for name, colour in given.items() if name in present}
        if _are_numbers(values):
            return ordered(sorted(present))
        everywhere = whole(self._column) if self.label else None
        everywhere = [] if everywhere is None else _named(everywhere)
        colours = palette(name for name in [*everywhere, *present] if name != UNKNOWN)
        colours[UNKNOWN] = OUTSIDE
        return {name: colours[name] for name in colours if name in present}

    def _style(self, style: Any) -> np.ndarray:
        values = self._values("style", style)
        assert values is not None
        named = _named(values)
        found = list(dict.fromkeys(named))
        if len(found) > len(MARKERS):
            raise DataError(
                f"style = {self.style_label!r}: {len(found)} values, expected at most "
                f"{len(MARKERS)}, one marker each"
            )
        self.markers = dict(zip(found, MARKERS, strict=False))
        return named

    def groups(self) -> Iterator[Group]:
        """Rows by colour, then by marker, in the order of the palette."""
        for name, colour in (self.colours or {"": self._single}).items():
            for style, marker in (self.markers or {"": MARKERS[0]}).items():
                own = np.ones(len(self.table), bool)
                own &= self._names == name if self._names is not None else True
                own &= self._styles == style if self._styles is not None else True
                if own.any():
                    yield Group(name, np.flatnonzero(own), colour, marker)

    def scatter(self, axes: Any, points: np.ndarray, **options: Any) -> None:
        """Draw points (m, 2) or (m, 3).

        Parameters
        ----------
        axes : Axes
        points : array
            One row per row of the table.
        **options
            Of `matplotlib.axes.Axes.scatter`.
        """
        for group in self.groups():
            look: dict[str, Any] = {"color": group.colour, "marker": group.marker}
            if self.scale is not None:
                assert self._numbers is not None
                look = {"c": self._numbers[group.rows], "marker": group.marker}
                look |= {"cmap": self.scale.cmap, "norm": self.scale.norm, "plotnonfinite": True}
            try:
                axes.scatter(*points[group.rows].T, **look | options)
            except (AttributeError, TypeError, ValueError) as error:
                if not options:
                    raise
                given = ", ".join(options)
                raise DataError(f"{given}: not what scatter takes: {first_line(error)}") from None

    def colour_of(self, row: int) -> Any:
        """The colour of the line through a row; grey where points differ by a number."""
        if self._names is not None:
            return self.colours[self._names[row]]
        return OUTSIDE if self.scale is not None else self._single

    def handles(self) -> list[Line2D]:
        """Keys of the legend: names by colour, then by marker."""
        same = self.label and self.label == self.style_label
        keys = [
            _key(_said(name, self.label), colour, self.markers[name] if same else MARKERS[0])
            for name, colour in self.colours.items()
        ]
        if len(keys) > MOST_KEYS:
            rest = f"and {len(keys) - MOST_KEYS} more"
            keys = [*keys[:MOST_KEYS], Line2D([], [], linestyle="", label=rest)]
        if not same:
            said = {name: _said(name, self.style_label) for name in self.markers}
            keys += [_key(said[name], "0.3", marker) for name, marker in self.markers.items()]
        return keys

    def draw_bar(self, axes: Axes, **options: Any) -> None:
        """Draw the colour bar of numbers, if colours are of numbers."""
        if self.scale is not None:
            axes.figure.colorbar(self.scale, ax=axes, label=as_text(self.label), **options)


def no_style(style: Any, picture: str) -> None:
    """Refuse a style for a picture that has no use for it.

    >>> no_style("seed", "phase_diagram")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: style = 'seed': phase_diagram has no markers to tell apart
    """
    if style is not None:
        raise DataError(f"style = {style!r}: {picture} has no markers to tell apart")


def _are_numbers(values: pd.Series) -> bool:
    return (
        pd.api.types.is_numeric_dtype(values)
        and not pd.api.types.is_bool_dtype(values)
        and values.name not in NUMBERED
    )


def _named(values: pd.Series) -> np.ndarray:
    """Values as names, with a word for those that are missing."""
    return values.astype(object).where(values.notna(), UNKNOWN).to_numpy()


def _scaled(values: pd.Series, norm: Normalize | None, label: str):
    """Numbers, and the colour map and scale for them; what is not a number is grey."""
    numbers = values.to_numpy(dtype=float)
    finite = numbers[np.isfinite(numbers)]
    if not len(finite):
        raise DataError(f"color = {label!r}: all values are missing, expected numbers or names")
    cmap = mpl.colormaps[ORDERED].with_extremes(bad=OUTSIDE)
    return numbers, ScalarMappable(norm or Normalize(finite.min(), finite.max()), cmap)


def _said(name: Any, label: str) -> str:
    """A name in a legend, where a number alone would say little."""
    return f"{label} {name}" if isinstance(name, Number) else str(name)


def _key(name: Any, colour: Any, marker: str) -> Line2D:
    return Line2D(
        [], [], color=colour, marker=marker, linestyle="", markersize=4, label=as_text(name)
    )
