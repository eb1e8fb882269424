"""Networks trained on synthetic sloppy data (2.5.5, 4.7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.part import Figure, Part, Step
from hyperribbon.studies.synthetic.config import SyntheticConfig

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

LOW = "Synthetic data, is it low-dimensional?"
FROM_CORNERS = "Synthetic data, from corners"
STUDENTS = "Synthetic data, students that interpolate"


def with_images(study: Study) -> bool:
    """Whether the spectrum of images is computed, too."""
    return study.section("synthetic").beside is not None


PART = Part(
    name="synthetic",
    title="Synthetic data",
    section=SyntheticConfig,
    about="Networks trained on synthetic sloppy data, analysed on their own; by default, none.",
    steps=(
        Step("synthetic_train", "train"),
        Step("synthetic_manifold", "manifold"),
        Step("synthetic_corners", "corners"),
        Step("synthetic_students", "students"),
        Step("synthetic_image_spectrum", "image_spectrum", when=with_images),
        Step(
            "synthetic_tables",
            "tables",
            tables={
                "synthetic_stress": (
                    "One row per c, split and InPCA dimension: eigenvalue (nats), kind, "
                    "explained stress with a 95% interval."
                ),
                "synthetic_embedding": (
                    "Models along trainings of the grid, and the geodesic, in InPCA "
                    "coordinates, of each c shown."
                ),
                "synthetic_geodesic": (
                    "Models along trainings of the grid, and the geodesic, in InPCA "
                    "coordinates, of each c shown."
                ),
                "synthetic_separation": (
                    "One row per c, split, factor and checkpoint: mean distance (nats) of "
                    "trainings that differ in the factor, and of those that differ in the "
                    "seed only."
                ),
                "synthetic_trainings": (
                    "One row per training of the grid: what it is, its errors at the end on"
                    " recorded samples, the step at which it diverged or -1."
                ),
                "synthetic_corners_stress": (
                    "One row per c, number of corners and dimension: as `synthetic_stress`."
                ),
                "synthetic_slices": (
                    "One row per c, number of corners, time and index: eigenvalues (nats) "
                    "of the centred distances of the models of a slice."
                ),
                "synthetic_corner_embedding": (
                    "Models along trainings from all corners, and the geodesic, in InPCA "
                    "coordinates."
                ),
                "synthetic_corner_geodesic": (
                    "Models along trainings from all corners, and the geodesic, in InPCA "
                    "coordinates."
                ),
                "synthetic_corner_trainings": (
                    "One row per training from a corner: as `synthetic_trainings`."
                ),
                "synthetic_students": (
                    "One row per student: c, widths of teacher and student, seed, errors at"
                    " the end on all samples, epochs."
                ),
                "synthetic_student_spectra": (
                    "As `spectra.csv` and `sloppiness.csv`, of a trained student of each c."
                ),
                "synthetic_student_sloppiness": (
                    "As `spectra.csv` and `sloppiness.csv`, of a trained student of each c."
                ),
                "synthetic_student_reduction": (
                    "One row per reduced student: eigenvectors kept, errors; and one row "
                    "per student: the fewest that predict about as well, beside the stiff "
                    "fraction of its inputs' spectrum."
                ),
                "synthetic_student_critical": (
                    "One row per reduced student: eigenvectors kept, errors; and one row "
                    "per student: the fewest that predict about as well, beside the stiff "
                    "fraction of its inputs' spectrum."
                ),
                "synthetic_spectra": (
                    "One row per c and index: eigenvalue of the inputs' correlation, and "
                    "the variance they are drawn with; without c, of images."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "synthetic_embedding",
            LOW,
            (
                "Models along trainings, train and test, in the first three InPCA "
                "coordinates (2.26b)."
            ),
            """
            Models along the trainings of the grid in the first three InPCA coordinates, coloured by
            network, on the training samples that are recorded and on the test samples; square:
            ignorance, star: the truth. An axis that is time-like says so. Thesis Fig. 2.26b.
            """,
        ),
        Figure(
            "synthetic_spectra",
            LOW,
            "Spectra of synthetic inputs, and of images if `synthetic.beside` names some (2.25).",
            r"""
            Eigenvalues of the inputs' correlation, X\ :sup:`T` X / N, of the training samples
            (lines), beside the variances 50 c exp(-c i) that they are drawn with (dashed).
            Isotropic inputs spread about theirs, as finite samples do. Grey: as many leading
            eigenvalues of images, each channel standardised, if the study names some
            (``synthetic.beside``). Thesis Fig. 2.25, whose images are CIFAR-10's.
            """,
        ),
        Figure(
            "synthetic_stress",
            LOW,
            "Explained stress by dimension for a range of sloppiness c (2.26a).",
            """
            Explained stress of the first dimensions of an InPCA of all trainings of the grid, for
            each c; bands: 95%, from drawing configurations again; dotted: 99%. Thesis Fig. 2.26a.
            How long the trainings are is under ``synthetic`` of the study's configuration; the
            dissertation does not say how long its are.
            """,
        ),
        Figure(
            "synthetic_separation",
            LOW,
            "How far apart configurations are along training, in parts of the distance of seeds.",
            """
            Mean distance of trainings that differ in one factor (and the seed), in parts of that of
            trainings that differ in the seed only, after equal parts of the training, on the
            training samples. Above 1, the factor sets trainings apart. No figure of the thesis:
            what 2.5.5 says of Fig. 2.26b by eye, in numbers. With twice the steps, smaller batches
            are further on after equal parts.
            """,
        ),
        Figure(
            "synthetic_corners",
            FROM_CORNERS,
            (
                "Explained stress of as many trainings from 1, 2, 5, 10 corners of the "
                "prediction space (2.27a, b)."
            ),
            """
            Explained stress of the first dimensions of an InPCA of as many trainings from one
            corner of the prediction space, or evenly from several, on the training samples; bands:
            95%, from drawing starts again; dotted: 99%. Thesis Fig. 2.27a, b, with 200 trainings
            each; how many here, and how long, is under ``synthetic.corners`` of the study's
            configuration.
            """,
        ),
        Figure(
            "synthetic_corner_embedding",
            FROM_CORNERS,
            "Those from all corners in the first three InPCA coordinates (2.27c).",
            """
            Models along trainings from corners of the prediction space in the first three InPCA
            coordinates, coloured by corner; square: ignorance, star: the truth. An axis that is
            time-like says so. Thesis Fig. 2.27c.
            """,
        ),
        Figure(
            "synthetic_slices",
            FROM_CORNERS,
            "Eigenvalues of the distances of models in a slice of trainings from corners (2.28).",
            """
            Eigenvalues of the centred distances between the models of a slice of the trainings from
            corners: at the start and after a small part of the training, of one corner and of all.
            Trainings of different optimisers start from the same weights, so at the start there are
            as many distinct models as seeds. Thesis Fig. 2.28.
            """,
        ),
        Figure(
            "synthetic_students",
            STUDENTS,
            "Test error of students that interpolate, by c and width (4.1, bottom right).",
            """
            Test error of students, one point a seed, against the sloppiness c of the inputs that a
            teacher labels; lines: means. Hollow points do not fit all training samples. Thesis Fig.
            4.1, bottom right; samples, epochs and learning rate are under ``synthetic.students`` of
            the study's configuration.
            """,
        ),
        Figure(
            "synthetic_student_spectra",
            STUDENTS,
            (
                "Spectra of inputs, activations, Jacobian, Fisher matrix, Hessian of a "
                "trained student, c by c (4.1, bottom left)."
            ),
            """
            Eigenvalues, each in parts of the largest of its spectrum, of a student that was trained
            on the labels of a teacher, for each sloppiness c of the inputs (if more than four are
            trained on, for four): correlations of the inputs, activations and activation gradients,
            Jacobian, Fisher matrix, and the Hessian's leading ones, of 300 training samples. Thesis
            Fig. 4.1, bottom left.
            """,
        ),
        Figure(
            "synthetic_student_reduction",
            STUDENTS,
            (
                "Small students reduced to their stiff directions, and how many each needs "
                "against the stiff part of its inputs' spectrum."
            ),
            """
            Left: accuracy on test samples of students whose weights are projected on the first k
            eigenvectors of their Fisher matrix, of 300 training samples, in parts of the whole
            student's, for each sloppiness c of the inputs and each seed; dots: the critical k. More
            directions can make it worse, where eigenvalues are small and the weights' components
            are not. Right: the critical k, the fewest eigenvectors with nine tenths of the whole
            student's accuracy, against the part of the inputs' directions that hold 95% of their
            variance; dotted, where both are equal. That it depends on this part is what Cowlagi &
            Chaudhari (2023) suppose.
            """,
        ),
    ),
    files={
        "synthetic/{grid,corners}-<c>.zarr": (
            "Predictions along all trainings on the data of one c, with what each training "
            "is, errors and labels; each with its manifest, `.json`."
        ),
        "synthetic/*.csv": "The tables of synthetic data, c by c, before they are put together.",
    },
    claims=("claims",),
    data="synthetic",
)
