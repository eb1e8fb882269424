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
    """Whether the study also computes the spectrum of images."""
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
                    "explained stress with a 95% interval, numbers of models and of groups drawn."
                ),
                "synthetic_embedding": (
                    "One row per model along the trainings of the grid, for each c shown: "
                    "InPCA coordinates."
                ),
                "synthetic_geodesic": (
                    "One row per point of the geodesic, for each c shown: coordinates in the "
                    "same embeddings."
                ),
                "synthetic_separation": (
                    "One row per c, split, factor and checkpoint: mean distance (nats) of "
                    "trainings that differ in the factor, and of those that differ in the "
                    "seed only; their ratio's 95% interval, and from how many settings of the "
                    "other factors."
                ),
                "synthetic_trainings": (
                    "One row per training of the grid: its factors, its final errors on "
                    "recorded samples, the step at which it diverged or -1."
                ),
                "synthetic_corners_stress": (
                    "One row per c, number of corners and dimension: the columns of "
                    "`synthetic_stress`, for trainings from initialisation corners."
                ),
                "synthetic_slices": (
                    "One row per c, number of corners, time and index: eigenvalues (nats) "
                    "of the centred distances of the models of a slice, and what as many "
                    "dimensions explain, with a 95% interval."
                ),
                "synthetic_corner_embedding": (
                    "One row per model along trainings from all initialisation corners: InPCA "
                    "coordinates."
                ),
                "synthetic_corner_geodesic": (
                    "One row per point of the geodesic: coordinates in those embeddings."
                ),
                "synthetic_corner_trainings": (
                    "One row per training from an initialisation corner: the columns of "
                    "`synthetic_trainings`."
                ),
                "synthetic_students": (
                    "One row per student: c, widths of teacher and student, seed, final errors "
                    "on all samples, epochs."
                ),
                "synthetic_student_spectra": (
                    "One row per eigenvalue of a trained student, for each c: the columns of "
                    "`spectra.csv`."
                ),
                "synthetic_student_sloppiness": (
                    "One row per spectrum of a trained student, for each c: the columns of "
                    "`sloppiness.csv`."
                ),
                "synthetic_student_reduction": (
                    "One row per reduced student: number of eigenvectors kept, train and test "
                    "errors."
                ),
                "synthetic_student_critical": (
                    "One row per student: the fewest eigenvectors that predict about as well as "
                    "all, and the stiff fraction of its inputs' spectrum."
                ),
                "synthetic_spectra": (
                    "One row per c and index: eigenvalue of the inputs' correlation matrix, and "
                    "the variance they are drawn with; rows without c belong to images."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "synthetic_embedding",
            LOW,
            (
                "Models along trainings, on train and test, in the first three InPCA "
                "coordinates (2.26b)."
            ),
            """
            Models along the trainings of the grid in the first three InPCA coordinates, coloured by
            network, on the recorded training samples and on the test samples; square: ignorance,
            star: the truth. Labels mark time-like axes. Thesis Fig. 2.26b.
            """,
        ),
        Figure(
            "synthetic_spectra",
            LOW,
            "Spectra of synthetic inputs, and of images if `synthetic.beside` names some (2.25).",
            r"""
            Eigenvalues of the correlation matrix X\ :sup:`T` X / N of the training inputs (lines),
            and the variances 50 c exp(-c i) with which they are drawn (dashed). Eigenvalues of
            isotropic inputs scatter around the variances, because the sample is finite. Grey:
            leading eigenvalues of images, with standardised channels, if the study names a data set
            (``synthetic.beside``). Thesis Fig. 2.25, whose images are those of CIFAR-10.
            """,
        ),
        Figure(
            "synthetic_stress",
            LOW,
            "Explained stress by dimension for a range of sloppiness c (2.26a).",
            """
            Explained stress of the first dimensions of an InPCA of all trainings of the grid, for
            each c. Bands are 95% bootstrap intervals over configurations; dotted: 99%. Thesis Fig.
            2.26a. The section ``synthetic`` of the study's configuration sets the length of the
            trainings, which the dissertation does not give.
            """,
        ),
        Figure(
            "synthetic_separation",
            LOW,
            "How far apart configurations are along training, relative to the distance of seeds.",
            """
            Mean distance of trainings that differ in one factor (and the seed), divided by that of
            trainings that differ only in the seed, after equal fractions of the training, on the
            training samples. Above 1, the factor separates trainings. The thesis has no such
            figure: this one quantifies what 2.5.5 says about Fig. 2.26b. Smaller batches take more
            steps, and so are further ahead after equal fractions.
            """,
        ),
        Figure(
            "synthetic_corners",
            FROM_CORNERS,
            (
                "Explained stress of equally many trainings from 1, 2, 5 or 10 initialisation "
                "corners (2.27a, b)."
            ),
            """
            Explained stress of the first dimensions of an InPCA of equally many trainings from one
            initialisation corner, or divided evenly among several, on the training samples. Bands
            are 95% bootstrap intervals over starts; dotted: 99%. Thesis Fig. 2.27a, b, with 200
            trainings each; ``synthetic.corners`` in the study's configuration sets their number and
            length here.
            """,
        ),
        Figure(
            "synthetic_corner_embedding",
            FROM_CORNERS,
            "Trainings from all initialisation corners in three InPCA coordinates (2.27c).",
            """
            Models along trainings from initialisation corners in the first three InPCA coordinates,
            coloured by corner; square: ignorance, star: the truth. Labels mark time-like axes.
            Thesis Fig. 2.27c.
            """,
        ),
        Figure(
            "synthetic_slices",
            FROM_CORNERS,
            "Eigenvalues of the distances of models at one time of trainings from corners (2.28).",
            """
            Eigenvalues of the centred distances between the models of a slice of the trainings from
            initialisation corners: at the start, and after a small fraction of the training, for
            one corner and for all. Different optimisers start from the same weights, so at the
            start there are as many distinct models as seeds. Thesis Fig. 2.28.
            """,
        ),
        Figure(
            "synthetic_students",
            STUDENTS,
            "Test error of students that interpolate, by c and width (4.1, bottom right).",
            """
            Test error of students, one point per seed, against the sloppiness c of the inputs that
            a teacher labels; lines are means. Students with hollow points do not fit all training
            samples. Thesis Fig. 4.1, bottom right; ``synthetic.students`` in the study's
            configuration sets samples, epochs and learning rate.
            """,
        ),
        Figure(
            "synthetic_student_spectra",
            STUDENTS,
            (
                "Spectra of inputs, activations, Jacobian, Fisher matrix and Hessian of a "
                "trained student, for each c (4.1, bottom left)."
            ),
            """
            Spectra, each divided by its largest eigenvalue, of a student trained on the labels of a
            teacher, for up to four values of the inputs' sloppiness c: correlations of inputs,
            activations and activation gradients, Jacobian, Fisher matrix, and the leading
            eigenvalues of the Hessian, on 300 training samples. Thesis Fig. 4.1, bottom left.
            """,
        ),
        Figure(
            "synthetic_student_reduction",
            STUDENTS,
            (
                "Small students reduced to their stiff directions, and how many directions each "
                "needs, against the stiff fraction of its inputs' spectrum."
            ),
            """
            Left: test accuracy, relative to the complete student, of students whose weights are
            projected onto the first k eigenvectors of their Fisher matrix on 300 training samples,
            for each sloppiness c of the inputs and each seed; dots mark the critical k. More
            directions can be worse, where eigenvalues are small but the weights' components are
            not. Right: the critical k, the fewest eigenvectors with nine tenths of the complete
            student's accuracy, against the fraction of the inputs' directions that hold 95% of
            their variance; on the dotted line both are equal. Cowlagi & Chaudhari (2023) conjecture
            that the former depends on the latter.
            """,
        ),
    ),
    files={
        "synthetic/{grid,corners}-<c>.zarr": (
            "Predictions along all trainings on the data of one c, with each training's "
            "factors, errors and labels; each with its manifest, `.json`."
        ),
        "synthetic/*.csv": "The tables for each c, before they are concatenated.",
    },
    claims=("claims", "further_claims"),
    data="synthetic",
)
