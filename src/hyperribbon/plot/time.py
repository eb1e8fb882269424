"""The axis of time of a training."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter


def time_axis(axes: Axes, times: pd.Series) -> None:
    """Set a logarithmic scale of time that begins at 0, before the first step."""
    first = times[times > 0].min() if (times > 0).any() else 1.0
    last = max(times.max(), first)
    decades = 10.0 ** np.arange(np.ceil(np.log10(first)), np.log10(max(last, 10 * first)))
    minor = np.outer(np.append(decades[0] / 10, decades), np.arange(2, 10)).ravel()
    # Between 0 and the first checkpoint the scale is linear.
    axes.set_xscale("symlog", linthresh=first, linscale=0.5)
    axes.set_xticks([0, *decades], [f"{time:g}" for time in (0, *decades)])
    axes.set_xticks(minor[(minor > first) & (minor < last)], minor=True)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set(xlim=(-first / 10, last), xlabel="", ylabel="")
