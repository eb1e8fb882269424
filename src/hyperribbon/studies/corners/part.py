"""Trainings by way of random labels (2.5.4)."""

from hyperribbon.studies.corners.config import CornersConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "By random labels to the truth"

PART = Part(
    name="corners",
    title="Corners",
    section=CornersConfig,
    about="Also train to random labels, and from there to the truth; by default, not.",
    needs_trainings=True,
    steps=(
        Step(
            "corners",
            tables={
                "corners": (
                    "One row per checkpoint and split of the trainings to or from random "
                    "labels: progress, errors, distances (nats) to ignorance, to the "
                    "nearest model trained directly, and, on train samples, to the random "
                    "labels."
                ),
                "rejoining": (
                    "One row per training from random labels and split: least distance to "
                    "ignorance, progress at which it first comes within 0.15 nats of a model "
                    "trained directly, final error, and least distance to ignorance (nats) of "
                    "the geodesics to the truth from the corner and from the training's start."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "corners",
            CATEGORY,
            (
                "Direct trainings, trainings to random labels and trainings from there, in the "
                "first three InPCA coordinates (2.20a, 2.21)."
            ),
            """
            Models in the first three InPCA coordinates, along trainings to the truth (grey), to
            random-label corners (dashed, one colour per corner), and from there to the truth
            (solid). Square, star and curve as in *manifold*. Thesis Figs. 2.20a (train) and 2.21
            (test).
            """,
            splits=True,
        ),
        Figure(
            "rejoining",
            CATEGORY,
            (
                "Distance to ignorance, and to models trained directly, along trainings from "
                "random labels (2.20b)."
            ),
            """
            Trainings from a random-label corner to the truth, on train samples, by progress. Left:
            Bhattacharyya distance to ignorance. Horizontal lines are mean values of the least
            distance along the geodesic to the truth: from the corner (dashed), about
            log(C)/(2C) + (C-1) log(C/2)/(2C), or 0.84 nats for ten classes, and from the models
            where the trainings start (dotted), which are not quite at the corner. Right: distance
            to the nearest model that was trained directly; below 0.15 nats, a training counts as
            rejoined. Thesis Fig. 2.20b and Sec. 2.5.4.
            """,
        ),
    ),
)
