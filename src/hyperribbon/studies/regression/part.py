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
                    "One row per eigenvalue of the inputs' correlation matrix or of the Fisher "
                    "matrix, with its data, network, seed and moment."
                ),
                "regression_sloppiness": (
                    "One row per spectrum: the columns of `sloppiness`, and the mean squared "
                    "error relative to the variance of the target."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "regression",
            "Regression",
            (
                "Spectra of inputs and of Fisher matrices of networks that learn a regression: "
                "during training, for several networks, and on random data (Cowlagi & "
                "Chaudhari, Fig. 2 b to d)."
            ),
            """
            Perceptrons that learn a regression, on Boston housing and on random data of the same
            size: eigenvalues of the inputs' correlation matrix (dashed) and of the Fisher matrix,
            one line per seed, against the index divided by the number of eigenvalues. (a)
            Initialisation, middle and end of training. (b) End of training for several networks, by
            units of each hidden layer. (c) As (a), for Gaussian inputs and outputs. Slopes are
            those of ln(eigenvalue) per index over the sloppy range, with 95% intervals that account
            for the correlation of neighbours; shorter spectra are steeper because they have fewer
            indices. Fig. 2 (b-d) of Cowlagi & Chaudhari.
            """,
        ),
    ),
    claims=("claims", "further_claims"),
    data="boston",
)
