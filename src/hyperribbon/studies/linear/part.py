"""Linear regression in closed form (chapter 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.part import Figure, Page, Part, Step

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

CATEGORY = "Linear regression"


def with_experiments(study: Study) -> bool:
    """Whether the study also trains models on real data."""
    return study.section("linear").experiments is not None


PART = Part(
    name="linear",
    title="Linear regression",
    section=LinearConfig,
    about="Linear regression in closed form: phase diagram, bounds, variants; by default, none.",
    steps=(
        Step(
            "linear",
            tables={
                "linear_phase": (
                    "One row per ratio, c and T: mean dimension over draws of the true weights, "
                    "and its standard error."
                ),
                "linear_spectra": (
                    "One row per eigenvalue of Figs. 5.1, 5.2, 5.4, 5.5 and of the "
                    "variants, with its bound where the figure draws one."
                ),
                "linear_bounds": (
                    "One row per bound, c, T and ratio: number of eigenvalues compared, and of "
                    "those beyond the bound, largest and median ratio of eigenvalue to bound, "
                    "and how fast both decay."
                ),
                "linear_variants": (
                    "One row per variant and T: dimension, and for networks of two layers the "
                    "relative change of their kernel and of v v^T - u u^T."
                ),
            },
        ),
        Step("linear_explore", "explore"),
        Step("linear_inputs", "inputs", when=with_experiments),
        Step("linear_experiment", "experiment", when=with_experiments),
        Step(
            "linear_tables",
            "tables",
            tables={
                "linear_kernel_spectra": (
                    "One row per eigenvalue of a kernel on a data set (the first 200, then a "
                    "selection), relative to the largest, with the slope of the sloppy range."
                ),
                "linear_kernels": (
                    "One row per data set, kernel, ratio and T: predicted dimension."
                ),
                "linear_experiments": (
                    "One row per data set, model, ratio and T: predicted and measured "
                    "dimension, relative difference of the covariances, relative change of "
                    "the kernel."
                ),
            },
            when=with_experiments,
        ),
    ),
    figures=(
        Figure(
            "linear_phase",
            CATEGORY,
            (
                "Dimensions of the hyper-ribbon of linear regression over T, c and "
                "sigma_*/sigma_w (5.3)."
            ),
            """
            Phase diagram of linear regression: number of dimensions that hold 95% (the study's
            *fraction*) of the variance of all points on all trajectories. Inputs have eigenvalues
            exp(-c (i - 1)); gradient descent takes T steps with step size 1 / lambda_1;
            sigma_* / sigma_w is the ratio of true to initial weights. Values are in closed form,
            averaged over draws of the true weights. (a-c) Heat maps for three ratios, with the
            boundaries of 3, 10 and 30 dimensions. (d) The same across ratios, for one slope. (e, f)
            The boundaries of 3 and 10 dimensions, one line per ratio. The *linear explorer* shows
            the boundaries in all three parameters. Thesis Fig. 5.3.
            """,
            module="phase_figure",
        ),
        Figure(
            "linear_initialisation",
            CATEGORY,
            "Eigenvalues that come from the initial weights, with their bound (5.1).",
            """
            Contribution of the initial weights to the covariance of the points, times T, for inputs
            with c = 0.5, initial weights of standard deviation 1 and step size 1: computed (Eq.
            5.2.9) and bounded (Eq. 5.2.10). The longer the training, the more eigenvalues remain at
            half of sigma_w^2 / alpha. Thesis Fig. 5.1.
            """,
        ),
        Figure(
            "linear_parts",
            CATEGORY,
            "Eigenvalues of P1 split into the parts from initial weights and targets (5.2).",
            """
            Eigenvalues of P1 and of its two parts after T = 50 steps, for inputs with c = 0.2,
            sigma_w^2 = 0.1 and sigma_*^2 = 2. The targets contribute the head of the spectrum, the
            initial weights its tail. Eigenvalues below 1e-15 of the largest are rounding errors and
            left out. Thesis Fig. 5.2.
            """,
        ),
        Figure(
            "linear_bounds",
            CATEGORY,
            "Eigenvalues and the bound of Lemma 5.2.3, by c (5.4).",
            """
            Eigenvalues of P1 relative to the largest, with the bound of Lemma 5.2.3 (dotted); one
            panel for each length of training T and slope c; weights as in *linear parts*. The table
            *linear bounds* shows how tight the bounds are. Thesis Fig. 5.4.
            """,
        ),
        Figure(
            "linear_models",
            CATEGORY,
            "Eigenvalues of T P(N, T) for 1,000 sampled models and for infinitely many (5.5).",
            """
            Eigenvalues of T P(N, T) after T steps, one panel for each T, for 1,000 models with
            random initial weights and for the limit of infinitely many; inputs have c = 0.1, and
            sigma_w = sigma_* = 1. Eigenvalues below 1e-15 of the largest are rounding errors and
            left out. They grow with T, as the thesis says; those of P, a mean over T, fall. Thesis
            Fig. 5.5.
            """,
        ),
        Figure(
            "linear_variants",
            CATEGORY,
            "Gradient descent compared with SGD, weight decay and networks of two layers (5.3).",
            """
            Gradient descent and its variants, for inputs with c = 0.1, sigma_w = 0.1, sigma_* = 1
            and step size 0.05. SGD noise and weight decay are computed in closed form; linear
            networks of two layers are trained. Left: eigenvalues of P after the longest training.
            Right: dimensions of the hyper-ribbon by T. Thesis 5.3.
            """,
        ),
        Figure(
            "linear_kernels",
            CATEGORY,
            "Spectra of kernels on real data, and predicted dimensions of kernel machines (5.3).",
            """
            Above: the first 200 eigenvalues of kernels on each data set, with the slope of the
            sloppy range per index: linear, RBF, Laplace, and the tangent kernel of each kind of
            network at its initial weights, first seed. Below: dimensions of the hyper-ribbon
            predicted for machines with each kernel, and with two kernels at once, for the study's
            ratios sigma_* / sigma_w. Thesis 5.3.
            """,
            when=with_experiments,
        ),
        Figure(
            "linear_experiments",
            CATEGORY,
            (
                "Predicted and measured dimensions of linear models and networks trained on real "
                "data (5.3)."
            ),
            """
            Linear models, and networks of several widths, trained on each data set by gradient
            descent, with labels +1 and -1 for two groups of classes (for *sloppy*, the outputs of a
            linear teacher). For networks, the prediction uses only their tangent kernels and
            outputs at initial weights. Above: dimensions of the hyper-ribbon, predicted in closed
            form (lines) and measured (circles). Below: relative difference of the measured and the
            predicted covariance, by Frobenius norm; for linear models it is due only to the finite
            number of models. The wider a network, the closer it stays to its prediction. Thesis
            5.3.
            """,
            when=with_experiments,
        ),
    ),
    pages=(
        Page(
            "linear_explorer.html",
            "linear_explore",
            (
                "The phase diagram of linear regression with sliders for its three parameters; a "
                "single page that works offline."
            ),
            link="Choose a point of the phase diagram of linear regression",
        ),
    ),
    files={
        "linear/<data>.npz": "The samples on which linear models and networks are trained.",
        "linear/*.csv": "The tables of each data set, before they are concatenated.",
    },
    claims=("claims", "further_claims"),
    data="linear",
)
