"""The manifold of all models (chapter 2)."""

from hyperribbon.studies.manifold.figure_list import FIGURES, compares_networks
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
                    "One row per network, optimiser, augmentation and epoch: number of models, "
                    "and of those away from the manifold."
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
                "diverged": "Trainings whose loss became infinite or NaN, and at which step.",
                "explained_stress": (
                    "One row per leading InPCA dimension (at least 100): eigenvalue, kind, "
                    "explained stress, explained pairwise distance."
                ),
                "geodesic": (
                    "The curve from ignorance (alpha 0) to truth (alpha 1) in InPCA coordinates."
                ),
                "models": (
                    "One row per checkpoint and split: loss (nats), error, progress, "
                    "distances from ignorance and truth (nats), nearest point of the geodesic "
                    "and nearest end of a training, InPCA coordinates."
                ),
                "summary": "The main results in a few numbers.",
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
            when=compares_networks,
            tables={
                "null_model": (
                    "One row per dimension: explained stress as observed, with an interval,"
                    " and with samples shuffled within classes."
                ),
            },
        ),
        Step(
            "metrics",
            when=compares_networks,
            tables={
                "metrics": (
                    "One row per distance and dimension: eigenvalue, explained stress and "
                    "pairwise distance, with intervals, also of the stress less that of InPCA, "
                    "and of the second eigenvalue relative to the first."
                ),
                "metric_embedding": (
                    "One row per distance, split and model: coordinates in the embedding by "
                    "that distance."
                ),
                "metric_geodesic": (
                    "One row per distance, split and point of the geodesic: coordinates in the "
                    "same embeddings."
                ),
            },
        ),
        Step(
            "subsets",
            when=compares_networks,
            tables={
                "subsets": (
                    "One row per number of samples or classes, draw and dimension: the share of "
                    "all pairwise distances that their embedding explains, and its RMSD from "
                    "the original embedding, relative to the size of the original."
                ),
                "subset_embedding": (
                    "One row per model and number of samples or classes: coordinates in these "
                    "embeddings, first draw."
                ),
            },
        ),
        Step(
            "joint",
            when=compares_networks,
            tables={
                "joint_embedding": (
                    "One row per model and split: coordinates of train and test models in the "
                    "axes of train."
                ),
                "joint_explained": (
                    "Share of each split's pairwise distances that the axes of train explain, "
                    "and that its own axes explain, with intervals, also of the difference."
                ),
                "joint_geodesic": "One row per point of the geodesic: coordinates in those axes.",
            },
        ),
        Step(
            "four_points",
            when=compares_networks,
            tables={
                "four_points": (
                    "One row per dimension: share of the pairwise distances that the embeddings "
                    "of all models and of four points explain, and the share by three dimensions "
                    "of four points less that by each number of the others; with intervals."
                ),
                "four_point_embedding": (
                    "One row per model: coordinates in both embeddings, the second aligned with "
                    "the first."
                ),
            },
        ),
        Step(
            "ensembles",
            when=compares_networks,
            tables={
                "ensembles": (
                    "One row per configuration with several seeds, checkpoint, split and kind "
                    "of centroid: loss (nats), error, progress; `single network` is the "
                    "mean over seeds."
                ),
                "ensemble_embedding": (
                    "One row per centroid of the configuration with the most seeds: InPCA "
                    "coordinates."
                ),
            },
        ),
        Step(
            "trajectory_space",
            when=compares_networks,
            tables={
                "importance": (
                    "One row per factor: by how much a random forest predicts trajectory "
                    "distances worse without it, and the p-value of that."
                ),
                "importance_without": (
                    "One row per group of configurations and factor: its importance for the "
                    "others, from which the claims take intervals."
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
            "The embedding, to rotate and inspect; a single page that works offline.",
            link="Turn the manifold and point at its models",
        ),
        Page(
            "summary.html",
            "summarise",
            (
                "The main results, the trainings that diverged, and where each configuration "
                "ended; part of the report."
            ),
            "what was found",
            """
            The study in numbers, the names of the trainings that diverged, and where each
            configuration ended: loss (nats), error, progress and length of the trajectory
            (radians), averaged over seeds, and the radius of the tube of its seeds (nats), which is
            their largest distance to their mean, over seeds and progress.
            """,
        ),
    ),
    files={
        "distance/{train,test}.zarr": (
            "Pairwise distances between all models, and between models and the geodesic."
        ),
        "embedding/{train,test}.zarr": "InPCA coordinates, eigenvalues, explained stress.",
        "progress/{train,test}.zarr": "Progress of every model.",
        "trajectories/{train,test}.zarr": "Trajectories compared at equal progress.",
    },
    claims=("claims.chapter2",),
    claims_when=compares_networks,
)
