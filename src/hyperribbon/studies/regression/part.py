"""Perceptrons that learn a regression (Cowlagi & Chaudhari)."""

from hyperribbon.studies.part import Figure, Part, Step
from hyperribbon.studies.regression.config import RegressionConfig

PART = Part(
    name="regression",
    title="Regression",
    section=RegressionConfig,
    about=(
        "Perceptrons that learn a regression, and their Fisher matrices' spectra; by default, none."
    ),
    steps=(
        Step(
            "regression",
            tables={
                "regression_spectra": (
                    "One row per eigenvalue of the inputs' correlation matrix or the Fisher"
                    " matrix, of which data, network, seed and moment."
                ),
                "regression_sloppiness": (
                    "One row per spectrum: as `sloppiness`, and the mean squared error in "
                    "variances of the target."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "regression",
            "Regression",
            (
                "Spectra of inputs and Fisher matrices of networks that learn a regression,"
                " in training, of several networks, and on random data (Cowlagi & "
                "Chaudhari, Fig. 2 b to d)."
            ),
            """
            Perceptrons that learn a regression, on Boston housing and on random data of the same
            size: eigenvalues of the inputs' correlation matrix (dashed) and of the Fisher matrix, a
            line a seed, against the index as a part of all. (a) Initialisation, middle and end of
            training. (b) End of training of several networks, by the units of each hidden layer.
            (c) As (a), Gaussian inputs and outputs. Slopes are of ln(eigenvalue) per index over the
            sloppy range, with 95% intervals that allow for the correlation of neighbours; of
            shorter spectra they are steeper as there are fewer indices. Fig. 2 (b-d) of Cowlagi &
            Chaudhari.
            """,
        ),
    ),
    claims=("claims",),
    data="boston",
)
