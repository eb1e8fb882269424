"""One function a figure: tidy tables in, a figure out.

To add one: write the function in the module of its subject, name it in ``FIGURES`` and in
``workflow/rules/figures.smk``, and write its caption, ``workflow/report/figures/NAME.rst``. A study
may be too small for it: then its table has no rows, and the figure says so (`style.sentence`).
"""

from collections.abc import Callable
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from hyperribbon.figures import dimensionality, embedding, ensembles, trajectories

FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    **{
        f"{function.__name__}_{split}": partial(function, split=split)
        for function in (
            embedding.manifold,
            embedding.spectrum,
            embedding.pairs,
            embedding.loss_error,
            embedding.near,
            embedding.away,
            embedding.four_points,
            dimensionality.subsets,
            dimensionality.subset_embedding,
            dimensionality.metric_embedding,
            trajectories.dendrogram,
            ensembles.ensembles,
        )
        for split in ("train", "test")
    },
    "progress_error": trajectories.progress_error,
    "progress_epoch": trajectories.progress_epoch,
    "tubes": trajectories.tubes,
    "joint": embedding.joint,
    "null": dimensionality.null,
    "metrics": dimensionality.metrics,
    "ensemble_gain": ensembles.ensemble_gain,
}
