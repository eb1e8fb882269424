"""The manifold of all models, and what chapter 2 asks of it."""

from hyperribbon.studies.manifold.figure_list import FIGURES
from hyperribbon.studies.part import Page, Part, Step

PART = Part(
    name="manifold",
    title="The manifold",
    applies=lambda study: bool(study.configurations() or study.external),
    steps=(
        Step("distance"),
        Step("embed"),
        Step("progress"),
        Step("trajectories"),
        Step(
            "tables",
            tables={
                "away": (
                    "One row per network, optimiser, augmentation and epoch: models, and "
                    "those away from the manifold."
                ),
                "configuration_distances": (
                    "One row per pair of configurations: mean distance of their "
                    "trajectories at equal progress (nats), and the share of the values of "
                    "progress that both reach."
                ),
                "configurations": (
                    "One row per configuration: network, architecture, parameters, "
                    "optimiser and its parts, augmentation."
                ),
                "diverged": "Trainings whose loss stopped being finite, and the step.",
                "explained_stress": (
                    "One row per leading InPCA dimension (at least 100): eigenvalue, kind, "
                    "explained stress, explained pairwise distance."
                ),
                "geodesic": (
                    "The curve from ignorance (alpha 0) to truth (alpha 1) in InPCA coordinates."
                ),
                "models": (
                    "One row per checkpoint and split: loss (nats), error, progress, "
                    "distances from ignorance and truth (nats), what it is near, InPCA "
                    "coordinates."
                ),
                "summary": "What was found, in a few numbers.",
                "trajectories": (
                    "One row per training and split: its end, length (radians), mean "
                    "distance to the geodesic, median and largest distance to the mean of "
                    "its seeds (nats)."
                ),
                "tubes": (
                    "One row per training and value of progress: distance to the geodesic, "
                    "and to the mean of its seeds (nats)."
                ),
            },
        ),
        Step("summarise"),
        Step(
            "null_model",
            tables={
                "null_model": (
                    "One row per dimension: explained stress as observed, with an interval,"
                    " and with samples shuffled within classes."
                ),
            },
        ),
        Step(
            "metrics",
            tables={
                "metrics": (
                    "One row per distance and dimension: eigenvalue, explained stress and "
                    "pairwise distance, with intervals."
                ),
                "metric_embedding": (
                    "Models, and the geodesic, in the embeddings of the four distances."
                ),
                "metric_geodesic": (
                    "Models, and the geodesic, in the embeddings of the four distances."
                ),
            },
        ),
        Step(
            "subsets",
            tables={
                "subsets": (
                    "One row per number of samples or classes, draw and dimension: what the"
                    " embedding made from them explains of all, and its RMSD from the "
                    "original, in parts of its size."
                ),
                "subset_embedding": "Models in those embeddings, first draw.",
            },
        ),
        Step(
            "joint",
            tables={
                "joint_embedding": (
                    "Train and test models, and the geodesic, in the axes of train."
                ),
                "joint_explained": (
                    "What these axes, and its own, explain of each split's pairwise distances."
                ),
                "joint_geodesic": "Train and test models, and the geodesic, in the axes of train.",
            },
        ),
        Step(
            "four_points",
            tables={
                "four_points": (
                    "One row per dimension: what the embeddings of all models and of four "
                    "points explain of pairwise distances."
                ),
                "four_point_embedding": "Models in both, the second aligned with the first.",
            },
        ),
        Step(
            "ensembles",
            tables={
                "ensembles": (
                    "One row per configuration of several seeds, checkpoint, split and kind"
                    " of centroid: loss (nats), error, progress; `single network` is the "
                    "mean over the seeds."
                ),
                "ensemble_embedding": (
                    "Where the centroids of the configuration of most seeds lie, in InPCA "
                    "coordinates."
                ),
            },
        ),
        Step(
            "trajectory_space",
            tables={
                "importance": (
                    "One row per factor: by how much a random forest predicts trajectory "
                    "distances worse without it, and how likely by chance."
                ),
                "trajectory_embedding": (
                    "One row per training: its coordinates by InPCA of trajectory distances."
                ),
                "trajectory_stress": (
                    "One row per dimension of that InPCA: eigenvalue, kind, explained stress."
                ),
            },
        ),
        Step("first_picture"),
        Step("explore"),
    ),
    figures=FIGURES,
    pages=(
        Page(
            "first_picture.png",
            "first_picture",
            (
                "`figures/manifold_train.png`, drawn as soon as it can be, minutes before the "
                "other figures."
            ),
        ),
        Page(
            "explorer.html",
            "explore",
            "The embedding to turn and point at; one page that needs no network.",
            link="Turn the manifold and point at its models",
        ),
        Page(
            "summary.html",
            "summarise",
            (
                "What was found, diverged trainings by name, and where each configuration ended; "
                "part of the report."
            ),
            "what was found",
            """
            The study in numbers, the trainings that diverged by name, and where each configuration
            ended: loss (nats), error, progress and length of the trajectory (radians), averaged
            over seeds, and the radius of the tube of its seeds (nats): the largest distance to
            their mean, over seeds and progress.
            """,
        ),
    ),
    files={
        "distance/{train,test}.zarr": (
            "Distances of all models among themselves and from the geodesic."
        ),
        "embedding/{train,test}.zarr": "InPCA coordinates, eigenvalues, explained stress.",
        "progress/{train,test}.zarr": "Progress of every model.",
        "trajectories/{train,test}.zarr": "Trajectories compared at equal progress.",
    },
    claims=("claims.chapter2",),
)
