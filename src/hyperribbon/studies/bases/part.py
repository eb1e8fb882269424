"""Bases of models and of samples, and three directions (thesis 6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.bases.config import BasesConfig
from hyperribbon.studies.part import Figure, Part, Step

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

CATEGORY = "A basis for the manifold"


def has_linearised(study: Study) -> bool:
    """Whether there are trainings to compare with the tangent kernel."""
    section = study.section("bases")
    return section is not None and bool(section.linearised(study))


PART = Part(
    name="bases",
    title="A basis for the manifold",
    section=BasesConfig,
    about="A few models, and a few samples, that stand for the manifold; by default, none.",
    steps=(
        Step(
            "model_bases",
            tables={
                "model_bases": (
                    "One row per split, way of holding models out, method, kind of mixture and "
                    "number of basis models: explained pairwise distance and stress of the models "
                    "held out, the former also with distances to mixtures added, and their mean "
                    "and largest distance to their mixtures (nats). Of InPCA, the number is that "
                    "of coordinates."
                ),
                "basis_models": (
                    "One row per split, method and basis model, in the order of choice: which "
                    "checkpoint it is, its mean weight, progress, loss (nats) and error."
                ),
            },
        ),
        Step(
            "sample_bases",
            tables={
                "sample_bases": (
                    "One row per split, way of holding models out, method and number of samples: "
                    "explained pairwise distance and stress of the models held out, from the "
                    "samples alone."
                ),
                "monitoring": (
                    "One row per split, way of holding models out, method, number of samples, set "
                    "of models (checkpoints, or ends of trainings) and quantity: correlations with "
                    "the values from all samples with their intervals, mean difference, and "
                    "the factor by which evaluation gets cheaper."
                ),
                "basis_samples": (
                    "One row per split and sample of the largest greedy basis, in the order of "
                    "choice: its weight, label, mean loss (nats) with its rank, margin and error "
                    "over all models, and its image as a PNG where samples are images."
                ),
            },
        ),
        Step(
            "tangent_bases",
            tables={
                "tangent_bases": (
                    "One row per split, way of holding models out, basis (tangents, four points, "
                    "InPCA) and number of dimensions: explained pairwise distance."
                ),
                "tangent_angles": (
                    "One row per split and pair of the three directions: cosine of their angle."
                ),
            },
        ),
        Step(
            "kernel_tangents",
            when=has_linearised,
            tables={
                "kernel_tangents": (
                    "One row per network and checkpoint of its first training: progress, and "
                    "cosine of the angle between the way from the start and the prediction of the "
                    "tangent kernel before training."
                ),
                "kernel_missing": (
                    "One row per network and class at an early checkpoint: share of the way, "
                    "cosine, and what the prediction misses."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "basis_of_models",
            CATEGORY,
            "Distances between unseen models kept by mixtures of a few, against their number.",
            """
            Explained pairwise distance of the trainings that a basis was not fitted to, against the
            number of basis models; mean and range over random halves of the trainings. Each model
            is replaced by the nearest mixture of the basis models; dashed, if the distances of both
            models to their mixtures are added. InPCA is not a basis of models:
            there, the number is that of coordinates, in which the models held out are placed.
            """,
            splits=True,
        ),
        Figure(
            "basis_mixtures",
            CATEGORY,
            "Mixtures of probabilities, of square roots, and geometric ones.",
            """
            The same for a greedy subset of the models and three kinds of mixtures (solid), and the
            mean Bhattacharyya distance of a model held out to its mixture (dashed, right axis).
            """,
        ),
        Figure(
            "basis_held_out",
            CATEGORY,
            "How bases do on other seeds, other networks and larger networks.",
            """
            Explained pairwise distance of models held out, by what was held out: random halves of
            the trainings, each seed, each network, and the larger half of the networks. Left: a
            greedy subset of models; right: a greedy basis of samples. Mean and range over pieces.
            """,
            splits=True,
        ),
        Figure(
            "basis_of_samples",
            CATEGORY,
            "Distances between unseen models kept by a few samples, against their number.",
            """
            Explained pairwise distance of the trainings that a basis was not fitted to, from a few
            samples with weights (solid) or without (dashed); mean and range over random halves of
            the trainings.
            """,
            splits=True,
        ),
        Figure(
            "monitoring",
            CATEGORY,
            "How well a few samples rank unseen checkpoints, and ends of trainings.",
            """
            Correlation of progress, loss and error from a few samples with those from all, over
            trainings that the basis was not fitted to: of all their checkpoints (above) and of
            their ends (below); greedy basis (solid) and random samples (dashed). The upper axis is
            the factor by which evaluating a checkpoint gets cheaper.
            """,
            splits=True,
        ),
        Figure(
            "basis_samples",
            CATEGORY,
            "The samples of a greedy basis, with their difficulty.",
            """
            The first samples of the greedy basis of all models in the order of choice, each with
            its label and the rank of its mean loss among all samples (0: easiest, 1: hardest).
            Right: distribution of that rank over the whole basis; dashed, that of all samples.
            """,
            splits=True,
        ),
        Figure(
            "tangent_bases",
            CATEGORY,
            "Three directions, four points and InPCA, by number of dimensions.",
            """
            Explained pairwise distance of all models (filled) and of trainings held out (open) in
            the span of the direction to the truth and the mean tangents at ignorance and at the
            truth; in the embedding of four points; and in InPCA.
            """,
        ),
        Figure(
            "kernel_tangents",
            CATEGORY,
            "How long trainings follow the tangent kernel before training.",
            """
            Cosine of the angle between the way from a training's start, in the tangent space there,
            and the direction that the tangent kernel before training predicts, by progress; first
            training of each network, on train samples. Right: what the prediction misses of the way
            at an early checkpoint, by class.
            """,
            when=has_linearised,
        ),
    ),
    claims=("claims",),
)
