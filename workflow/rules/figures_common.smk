# Where the report shows what, in the order of the story; of some figures there is one for each
# split. A colon would end a name where Snakemake makes links of the categories.
SPLIT_FIGURES = {
    "Predictions": ["manifold", "spectrum", "pairs", "loss_error", "near", "away"],
    "How low-dimensional is it?": [
        "subsets",
        "subset_embedding",
        "metric_embedding",
        "four_points",
    ],
    "Trajectories": ["dendrogram", "trajectory_embedding", "importance"],
    "Progress": [],
    "Ensembles": ["ensembles"],
}
OTHER_FIGURES = {
    "How low-dimensional is it?": ["null_model", "metrics", "joint"],
    "Trajectories": ["lengths", "to_geodesic", "tubes", "tubes_by"],
    "Progress": ["progress_error", "progress_epoch", "updates"],
    "Ensembles": ["ensemble_gain"],
}
SYNTHETIC_FIGURES = {
    "Synthetic data, is it low-dimensional?": [
        "synthetic_embedding",
        "synthetic_spectra",
        "synthetic_stress",
        "synthetic_separation",
    ],
    "Synthetic data, from corners": [
        "synthetic_corners",
        "synthetic_corner_embedding",
        "synthetic_slices",
    ],
    "Synthetic data, students that interpolate": [
        "synthetic_students",
        "synthetic_student_spectra",
        "synthetic_student_reduction",
    ],
}
FIGURES = {
    figure: category
    for category, names in SPLIT_FIGURES.items()
    for figure in [
        *(f"{name}_{split}" for name in names for split in SPLITS),
        *OTHER_FIGURES.get(category, []),
    ]
}
if not MODELS:
    FIGURES = {}
if STUDY.corners:
    names = ["corners_train", "corners_test", "rejoining"]
    FIGURES |= dict.fromkeys(names, "By random labels to the truth")
if STUDY.curvature:
    names = [
        "spectra",
        "spectra_layers",
        "spectra_training",
        "spectra_compared",
        "spectral_density",
        "sloppy_slopes",
        "eigenspaces",
        "reduction",
        "reduction_embedding",
        "norm_bounds",
    ]
    FIGURES |= dict.fromkeys(names, "Curvature")
if STUDY.synthetic:
    FIGURES |= {name: category for category, names in SYNTHETIC_FIGURES.items() for name in names}
if STUDY.regression:
    FIGURES["regression"] = "Regression"
if STUDY.linear:
    names = [
        "linear_phase",
        "linear_initialisation",
        "linear_parts",
        "linear_bounds",
        "linear_models",
        "linear_variants",
    ]
    names += ["linear_kernels", "linear_experiments"] if STUDY.linear.experiments else []
    FIGURES |= dict.fromkeys(names, "Linear regression")
CHAPTERS = chapters(FIGURES.values())


DRAW = parameters("draw", *TABLES, figures=list(FIGURES))

# A study may be too small for a figure, which shows in its tables alone. So the output of `draw` is
# a list of what it drew, and of what it left out and why. When this file is read again, figures on
# the list are outputs as well: all of them for the report, otherwise those that were deleted.
FIGURE_LIST = f"{RESULTS}/figures.json"


def listed_figures():
    """What was drawn from the tables of today, and what was left out and why."""
    try:
        found = json.loads(Path(FIGURE_LIST).read_text())
        if found["key"] == KEYS["draw"]:
            return found["drawn"], found["left_out"]
    except (OSError, ValueError, TypeError, KeyError):
        pass
    return [], {}


LISTED, LEFT_OUT = listed_figures()
# For the report's first page.
config["left_out"] = LEFT_OUT
config["opening"] = opening(Path(RESULTS)) if REPORTING and Path(FIGURE_LIST).exists() else ""
DRAWN = [
    path
    for figure in LISTED
    for path in (figure_in_report(figure), f"{RESULTS}/figures/{figure}.svg")
    if REPORTING or not Path(path).exists()
]
