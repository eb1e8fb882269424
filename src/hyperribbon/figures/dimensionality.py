"""How low-dimensional the manifold is, against nulls, with fewer samples and in other distances."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from hyperribbon.figures.style import COLUMN

NULLS = {
    "observed": "#0072B2",
    "shuffled by training": "#E69F00",
    "shuffled by model": "#D55E00",
}


def null(tables: dict[str, pd.DataFrame]) -> Figure:
    """Explained stress by dimension, observed and of the nulls."""
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        sns.lineplot(
            tables["null"].query("split == @split"), x="dimension", y="explained_stress",
            hue="kind", palette=NULLS, errorbar=("pi", 100), ax=axes, legend=axes is panels[1],
        )  # fmt: skip
        axes.set(xscale="log", xlabel="dimensions", ylabel="explained stress")
        axes.set_xticks([1, 3, 10, 25, 50, 100], ["1", "3", "10", "25", "50", "100"])
        axes.set_title(split, loc="left")
    sns.move_legend(panels[1], "center left", bbox_to_anchor=(1, 0.5), title=None)
    return figure
