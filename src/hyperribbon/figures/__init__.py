"""One function a figure: tidy tables in, a figure out.

To add one: write the function in the module of its subject, name it in ``FIGURES`` and in
``workflow/rules/figures.smk``, and write its caption, ``workflow/report/figures/NAME.rst``. A study
may have nothing to draw: then its function raises `style.LeftOut` with a sentence that says why,
which the report's first page shows.
"""

from collections.abc import Callable
from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from hyperribbon.figures import (
    corners,
    curvature,
    dimensionality,
    embedding,
    ensembles,
    linear,
    phase,
    progress,
    reduction,
    regression,
    synthetic,
    trajectories,
    tubes,
)
from hyperribbon.figures.style import LeftOut


def embedded(draw: Callable[..., Figure], tables: dict[str, pd.DataFrame], **split: str) -> Figure:
    """A figure of an embedding of models, unless all of them are in one point."""
    stress = tables.get("explained_stress")
    if stress is not None:
        found = stress[stress["split"].isin([*split.values()] or stress["split"].unique())]
        if len(found) and found["explained_stress"].isna().all():
            of = "".join(f" {name}" for name in split.values())
            raise LeftOut(
                f"All models make the same{of} predictions: they are one point, and there is "
                "nothing to embed."
            )
    return draw(tables, **split)


FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    **{
        f"{function.__name__}_{split}": partial(embedded, function, split=split)
        for function in (
            embedding.manifold,
            embedding.spectrum,
            embedding.pairs,
            embedding.loss_error,
            embedding.near,
            embedding.four_points,
            dimensionality.subsets,
            dimensionality.subset_embedding,
            dimensionality.metric_embedding,
        )
        for split in ("train", "test")
    },
    **{
        f"{function.__name__}_{split}": partial(function, split=split)
        for function in (
            embedding.away,
            trajectories.dendrogram,
            ensembles.ensembles,
            trajectories.trajectory_embedding,
            trajectories.importance,
        )
        for split in ("train", "test")
    },
    "progress_error": progress.progress_error,
    "progress_epoch": progress.progress_epoch,
    "updates": progress.updates,
    "lengths": trajectories.lengths,
    "to_geodesic": tubes.to_geodesic,
    "tubes": tubes.tubes,
    "tubes_by": tubes.tubes_by,
    "joint": partial(embedded, embedding.joint),
    "null_model": partial(embedded, dimensionality.null_model),
    "metrics": partial(embedded, dimensionality.metrics),
    "ensemble_gain": ensembles.ensemble_gain,
}

# Of studies with corners only.
CORNER_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    "corners_train": partial(corners.corners, split="train"),
    "corners_test": partial(corners.corners, split="test"),
    "rejoining": corners.rejoining,
}

# Of studies with a section `curvature` only.
CURVATURE_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    function.__name__: function
    for function in (
        curvature.spectra,
        curvature.spectra_layers,
        curvature.spectra_training,
        curvature.spectra_compared,
        curvature.spectral_density,
        curvature.sloppy_slopes,
        curvature.eigenspaces,
        reduction.reduction,
        reduction.reduction_embedding,
        curvature.norm_bounds,
    )
}

# Of studies of synthetic data only.
SYNTHETIC_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    function.__name__: function
    for function in (
        synthetic.synthetic_spectra,
        synthetic.synthetic_stress,
        synthetic.synthetic_embedding,
        synthetic.synthetic_separation,
        synthetic.synthetic_corners,
        synthetic.synthetic_corner_embedding,
        synthetic.synthetic_slices,
        synthetic.synthetic_students,
        synthetic.synthetic_student_spectra,
        synthetic.synthetic_student_reduction,
    )
}

# Of studies with a section `regression` only.
REGRESSION_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    "regression": regression.regression,
}

# Of studies with a section `linear` only; the last two of such with experiments.
LINEAR_FIGURES: dict[str, Callable[[dict[str, pd.DataFrame]], Figure]] = {
    function.__name__: function
    for function in (
        linear.linear_initialisation,
        linear.linear_parts,
        phase.linear_phase,
        linear.linear_bounds,
        linear.linear_models,
        linear.linear_variants,
        linear.linear_kernels,
        linear.linear_experiments,
    )
}

ALL_FIGURES = {
    **FIGURES,
    **CORNER_FIGURES,
    **CURVATURE_FIGURES,
    **SYNTHETIC_FIGURES,
    **REGRESSION_FIGURES,
    **LINEAR_FIGURES,
}
