"""The samples that set two models apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from hyperribbon.errors import DataError
from hyperribbon.plot.canvas import canvas
from hyperribbon.reporting.style import COLOURS, COLUMN, as_text

_PICTURE = 15  # points, height of an image


def samples(
    data: Any,
    *,
    images: Any = None,
    count: int = 10,
    color: Any = COLOURS[0],
    style: None = None,
    ax: Any = None,
) -> Axes:
    """Draw the samples that contribute most to what sets two models apart.

    Parameters
    ----------
    data : Dataset
        What `explain_distance`, `explain_coordinate`, `explain_progress` or `Study.explain` found.
    images : array-like of shape (N, height, width) or (N, channels, height, width), optional
        Images of all N samples, shown at the ends of the bars.
    count : int
        Number of samples, of as many as there are.
    color : colour
        Of the bars.
    style : None
        There are no markers to tell apart.
    ax : Axes, optional
        Where to draw.

    Returns
    -------
    Axes
        One bar per sample, the largest contribution at the top.

    Raises
    ------
    DataError
        If something else is given, or the images are not those of the samples.

    Examples
    --------
    >>> import hyperribbon as hr
    >>> P, Q = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.2, 0.8]])
    >>> axes = hr.plot.samples(hr.explain_distance(P, Q, [0, 1]), count=1)
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['sample 1 (1): 0, 1']
    """
    if "contribution" not in getattr(data, "data_vars", ()):
        kind = type(data).__name__
        raise DataError(f"data: {kind}, expected what hr.explain_distance or its like returns")
    if style is not None:
        raise DataError(f"style = {style!r}: samples have no markers, expected None")
    found = data["contribution"]
    if images is not None:
        images = as_pictures(images, found.sizes["sample"])
    chosen = np.argsort(-np.abs(found.values), kind="stable")[: max(1, count)]
    values = found.values[chosen]
    share = np.abs(values).sum() / max(np.abs(found.values).sum(), 1e-300)
    with canvas(ax, (1.3 * COLUMN, 0.4 + 0.24 * len(chosen))) as axes:
        axes.barh(np.arange(len(chosen)), values, color=color, height=0.6)
        axes.set_yticks(np.arange(len(chosen)), [_name(data, k) for k in chosen.tolist()])
        axes.invert_yaxis()
        axes.axvline(0, color="black", linewidth=0.8)
        axes.margins(x=0.15)
        axes.locator_params(axis="x", nbins=4)
        units = f" ({found.attrs['units']})" if found.attrs["units"] != "1" else ""
        axes.set_xlabel(found.attrs["long_name"] + units)
        what = f"{len(chosen)} of {found.sizes['sample']:,} samples, {share:.0%} of it"
        axes.set_title(f"{what}. (Label): predictions of P, Q", loc="left")
        for row, (k, value) in enumerate(zip(chosen.tolist(), values, strict=True)):
            if images is not None:
                _draw_picture(axes, images[k], value, row)
    return axes


def as_pictures(images: Any, n_samples: int) -> np.ndarray:
    """Images (N, height, width[, 3]) as matplotlib shows them; a DataError if they do not fit."""
    pictures = np.asarray(images)
    if pictures.ndim == 4 and pictures.shape[1] in (1, 3):
        pictures = np.moveaxis(pictures, 1, -1)
    if pictures.ndim == 4 and pictures.shape[3] == 1:
        pictures = pictures[..., 0]
    colours = pictures.ndim == 4 and pictures.shape[3] == 3
    if len(pictures) != n_samples or not (pictures.ndim == 3 or colours):
        expected = f"({n_samples}, height, width) or ({n_samples}, channels, height, width)"
        raise DataError(f"images: shape {np.shape(images)}, expected {expected}")
    low, high = float(pictures.min()), float(pictures.max())
    return (pictures - low) / max(high - low, 1e-300)


def _name(data: Any, k: int) -> str:
    """A sample with its label, and what both models predict."""
    label = f" ({data['label'].values[k]})" if "label" in data.coords else ""
    return as_text(f"sample {k}{label}: {data['p'].values[k]}, {data['q'].values[k]}")


def _draw_picture(axes: Axes, picture: np.ndarray, value: float, row: int) -> None:
    """Draw an image beyond the end of a bar."""
    shown = OffsetImage(
        picture, zoom=_PICTURE / max(picture.shape[:2]), cmap="gray", interpolation="nearest"
    )
    beyond = (0.7 * _PICTURE * (1 if value >= 0 else -1), 0)
    axes.add_artist(
        AnnotationBbox(
            shown, (value, row), xybox=beyond, boxcoords="offset points", frameon=False, pad=0
        )
    )
