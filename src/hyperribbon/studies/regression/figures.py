"""Spectra of perceptrons that learn a regression (Cowlagi & Chaudhari, Fig. 2 b to d)."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.plot.eigenvalues import MOMENTS, WIDTHS
from hyperribbon.reporting.style import COLOURS, COLUMN


def regression(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of inputs and Fisher matrices: in training, by network, and on random data."""
    spectra, found = tables["regression_spectra"], tables["regression_sloppiness"]
    fisher = found[found["matrix"] == "fisher"]
    networks = list(fisher["network"].unique())
    shown, *others = networks
    of_end = {shown: MOMENTS["end"]}
    of_end |= {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(others)}
    figure, panels = plt.subplots(1, 3, figsize=(2.4 * COLUMN, 0.95 * COLUMN), sharey=True)
    for axes, data in zip(panels, ("boston", "boston", "random"), strict=True):
        inputs = spectra[(spectra["data"] == data) & (spectra["matrix"] == "input")]
        _line(axes, inputs, color="black", linestyle="--", linewidth=1, zorder=3)
        row = found[(found["data"] == data) & (found["matrix"] == "input")].iloc[0]
        axes.plot([], [], "--", color="black", linewidth=1, label=_label("inputs", row))
        for name, moment, colour in (
            [(network, "end", of_end[network]) for network in networks]
            if axes is panels[1]
            else [(shown, moment, colour) for moment, colour in MOMENTS.items()]
        ):
            rows, seeds = (
                table[
                    (table["data"] == data)
                    & (table["network"] == name)
                    & (table["moment"] == moment)
                ]
                for table in (spectra, fisher)
            )
            for _, part in rows.groupby("seed"):
                _line(axes, part, color=colour, linewidth=WIDTHS.get(moment, 0.8), alpha=0.6)
            label = name.replace("-", ", ") if axes is panels[1] else moment
            axes.plot(
                [], [], color=colour, linewidth=WIDTHS.get(moment, 1.2),
                label=_label(label, seeds.iloc[0]),
            )  # fmt: skip
        axes.set(yscale="log", xlabel="index / number of eigenvalues", xlim=(0, 1))
        axes.legend(
            loc="lower left", fontsize=6, title="slope per index, first seed", title_fontsize=6,
            alignment="left",
        )  # fmt: skip
    units = shown.replace("-", ", ")
    panels[0].set_title(f"(a) Boston housing, {units} hidden units", loc="left")
    panels[1].set_title("(b) Boston housing, end, by hidden units", loc="left")
    panels[2].set_title(f"(c) random data, {units} hidden units", loc="left")
    panels[0].set_ylabel("eigenvalue")
    # Room for the legends, below the spectra.
    extent = spectra["eigenvalue"].agg(["min", "max"])
    panels[0].set_ylim(bottom=extent["min"] / (extent["max"] / extent["min"]) ** 0.15)
    return figure


def _line(axes: Axes, rows: pd.DataFrame, **style: Any) -> None:
    axes.plot(rows["index"] / rows["index"].max(), rows["eigenvalue"], **style)


def _label(name: str, row: pd.Series) -> str:
    """Name, slope and half the width of its interval; only the name if there is no slope."""
    if pd.isna(row["slope"]):
        return name
    slope = f"{row['slope']:.3f}".replace("-", "\N{MINUS SIGN}")
    return f"{name}: {slope} ± {(row['high'] - row['low']) / 2:.3f}"
