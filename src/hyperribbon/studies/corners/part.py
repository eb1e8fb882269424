"""Trainings by way of random labels (2.5.4)."""

from hyperribbon.studies.corners.config import CornersConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "By random labels to the truth"

PART = Part(
    name="corners",
    title="Corners",
    section=CornersConfig,
    about="Train to random labels first, too, then from there to the truth; by default, not.",
    needs_trainings=True,
    steps=(
        Step(
            "corners",
            tables={
                "corners": (
                    "One row per checkpoint and split of trainings to or from random "
                    "labels: progress, errors, distances (nats) to ignorance, to the "
                    "nearest model trained directly, and to the random labels, which only "
                    "train samples have."
                ),
                "rejoining": (
                    "One row per training from random labels and split: nearest to "
                    "ignorance, first within 0.15 nats of a model trained directly, final "
                    "error, and how near geodesics to the truth come to ignorance (nats), "
                    "from the corner and from where the training starts."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "corners",
            CATEGORY,
            (
                "Trainings directly, to random labels and from there, in the first three "
                "InPCA coordinates (2.20a, 2.21)."
            ),
            """
            Networks in the first three InPCA coordinates that were trained to the truth (grey), to
            random labels, the corners (dashed, one colour a corner), and from there to the truth
            (solid). Square, star and curve as in *manifold*. Thesis Figs. 2.20a (train) and 2.21
            (test).
            """,
            splits=True,
        ),
        Figure(
            "rejoining",
            CATEGORY,
            (
                "Along trainings from random labels: distance to ignorance and to the "
                "models trained directly (2.20b)."
            ),
            """
            Trainings from a corner to the truth, train samples, by progress. Left: Bhattacharyya
            distance to ignorance. Lines are the least distance on the geodesic to the truth from
            the corner (dashed), about log(C)/(2C) + (C-1) log(C/2)/(2C) or 0.84 nats for ten
            classes, and from the models that the trainings start from (dotted), which are not quite
            at the corner; means. Right: distance to the nearest model that was trained directly,
            with the 0.15 nats below which a training counts as rejoined. Thesis Fig. 2.20b and Sec.
            2.5.4.
            """,
        ),
    ),
)
