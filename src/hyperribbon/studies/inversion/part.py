"""Class manifolds and their inversion (arXiv:2303.05161)."""

from __future__ import annotations

from hyperribbon.studies.inversion.config import InversionConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "Class manifolds"

PART = Part(
    name="inversion",
    title="Class manifolds and their inversion",
    section=InversionConfig,
    about="Class manifolds of hidden layers through training, where they invert; by default, none.",
    steps=(
        Step("inversion_inputs", "inputs"),
        Step("inversion"),
        Step(
            "inversion_tables",
            "tables",
            tables={
                "inversion_curves": (
                    "One row per data set, condition, layer and step: training error, mean "
                    "gyration radius over classes with the least and greatest of the runs, radii "
                    "of both classes, and mean distance of the centres."
                ),
                "inversion_points": (
                    "One row per data set, condition, layer and run: whether it inverts, step of "
                    "the inversion with the range over windows of smoothing, training error there, "
                    "steps at which both radii and the distance turn, rise of the radii after "
                    "their minimum relative to the drop before, and errors at the end."
                ),
                "inversion_removed": (
                    "One row per data set, set of removed samples and run: number of samples "
                    "removed."
                ),
                "inversion_conservation": (
                    "One row per data set and comparison of misclassified samples (between runs at "
                    "a training error, of stragglers between runs, and with other trainings): mean "
                    "z-score against random sets, its range over pairs, greatest log10 of the "
                    "exact p-value, and overlap as a share of the union."
                ),
                "inversion_difficulty": (
                    "One row per data set and task: share of stragglers, progress at the "
                    "inversion, error of a linear classifier, intrinsic dimension of the images "
                    "and slope of their spectrum."
                ),
                "inversion_manifold": (
                    "One row per data set, run and checkpoint: InPCA coordinates, progress, speed, "
                    "spread between runs, and distances of stragglers and of the rest to the truth."
                ),
                "inversion_signatures": (
                    "One row per data set, quantity and run: step at which the quantity turns, and "
                    "its ratio to the inversion."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "inversion_curves",
            CATEGORY,
            "Gyration radii and distance of class manifolds through training, with the inversion.",
            """
            Class manifolds of the hidden layer of the usual network, one column per data set: one
            layer of tanh units, labels by the parity of the class, gradient descent on all samples.
            Representations have unit length. Above: gyration radii of both classes and their mean,
            with the range over initialisations. Below: distance of the centres. Manifolds segregate
            at first, and entangle again after the inversion (dashed: mean t* over runs; shaded:
            range), the first minimum of the sum of the radii, smoothed over five epochs, after
            which the sum rises by at least 2% of its drop.
            """,
        ),
        Figure(
            "inversion_by_error",
            CATEGORY,
            "The same radii against the training error, for several optimisers.",
            """
            Mean gyration radius against the training error, which falls to the right, for several
            optimisers; circles mark the inversion. Against epochs these curves have different time
            scales; against the training error those of gradient descent and SGD are nearly one.
            """,
        ),
        Figure(
            "inversion_conditions",
            CATEGORY,
            "Training error at the inversion, for every kind of training.",
            """
            Training error at the inversion of each run (circles) for each kind of training, and the
            mean of the usual runs (dashed). Numbers count the runs that invert, where not all do.
            Depths and the convolutional network have a row for each hidden layer; *samples* train
            on as many images. *classes all* learns all classes instead of their parity, and tasks
            are random groupings of the classes, named by the first half.
            """,
        ),
        Figure(
            "inversion_conservation",
            CATEGORY,
            "How far runs and architectures agree on misclassified samples.",
            """
            Agreement of sets of misclassified samples: z-score of the overlap against random sets
            of the same sizes (hypergeometric). Above: between runs from different initialisations,
            when they reach a training error; mean and range over pairs; the dashed line is the
            mean error at the inversion, whose sets are the stragglers. Below: stragglers of the
            usual runs against those of other trainings, each at its own inversion, and against the
            samples that a linear classifier by least squares misclassifies.
            """,
        ),
        Figure(
            "inversion_removal",
            CATEGORY,
            "Training without stragglers, as many random samples, or the misclassified of others.",
            """
            Trainings from the same initial weights without some of the samples. Above: change of
            the mean gyration radius since the start, in the colours of the rows below; dashed, as
            many of the misclassified as there are stragglers. Below: test error at the end, of each
            run.
            Without stragglers the radii do not rise again; without as many random samples they do.
            But without the samples that are misclassified at other epochs they do not, either.
            """,
        ),
        Figure(
            "inversion_manifold",
            CATEGORY,
            "The inversion in the manifold of predictions: InPCA, spread of runs, stragglers.",
            """
            The usual runs in the manifold of predictions, of the first training samples. Above:
            the first two InPCA coordinates of all checkpoints, coloured by step relative to the
            inversion, which crosses mark; diamonds are ignorance and the truth. Middle: mean
            distance between runs at the same step, the width of their tube. Below: mean distances
            to the truth, of the stragglers of each run and of all other samples, on logarithmic
            axes.
            """,
        ),
        Figure(
            "inversion_difficulty",
            CATEGORY,
            "Share of stragglers against other measures of difficulty, over tasks.",
            """
            Share of stragglers, the mean training error at the inversion, for each task (parity:
            filled; random groupings of the classes: open) and data set, against the training error
            of a linear classifier by least squares (dashed: equality), the progress at the
            inversion, and the intrinsic dimension of the images by their two nearest neighbours.
            """,
        ),
    ),
    files={
        "inversion/<data>.npz": "The images on which networks train and are tested.",
        "inversion/*.csv": "The tables of each data set, before they are concatenated.",
    },
    claims=("claims", "further_claims"),
    data="inversion",
)
