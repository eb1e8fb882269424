"""Linear regression in closed form (chapter 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.part import Figure, Page, Part, Step

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

CATEGORY = "Linear regression"


def with_experiments(study: Study) -> bool:
    """Whether models are trained, too."""
    return study.section("linear").experiments is not None


PART = Part(
    name="linear",
    title="Linear regression",
    section=LinearConfig,
    about="Linear regression in closed form, its phase diagram and its like; by default, none.",
    steps=(
        Step(
            "linear",
            tables={
                "linear_phase": (
                    "One row per ratio, c and T: dimension, mean over draws of the true "
                    "weights, and its standard error."
                ),
                "linear_spectra": (
                    "One row per eigenvalue of Figs. 5.1, 5.2, 5.4, 5.5 and of the "
                    "variants, with its bound where one is drawn."
                ),
                "linear_bounds": (
                    "One row per bound, c, T and ratio: eigenvalues compared, how many were"
                    " beyond the bound, the largest and median in parts of it, and how fast"
                    " both fall."
                ),
                "linear_variants": (
                    "One row per variant and T: dimension, and of networks of two layers "
                    "how far their kernel and v v^T - u u^T moved, in parts of their size."
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
                    "One row per eigenvalue, the first 200 and then ever fewer, of a kernel"
                    " on a data set, in parts of the largest, and the slope of its sloppy "
                    "range."
                ),
                "linear_kernels": (
                    "One row per data set, kernel, ratio and T: dimension predicted."
                ),
                "linear_experiments": (
                    "One row per data set, model, ratio and T: dimension predicted and "
                    "measured, relative difference of the covariances, relative change of "
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
            Phase diagram of linear regression: dimensions that hold 95% (the study's *fraction*) of
            the variance of all points on all trajectories, for inputs of eigenvalues exp(-c (i -
            1)), T steps of gradient descent at the step size 1 / lambda_1, and true weights so many
            times as large as initial ones (sigma_* / sigma_w); in closed form, a mean over draws of
            the true weights. (a-c) Heat maps for three ratios, with the boundaries of 3, 10 and 30
            dimensions. (d) The same across ratios, for one slope. (e, f) Where there are 3 and 10
            dimensions, one line for each ratio. The boundaries in all three parameters are in the
            *linear explorer*. Thesis Fig. 5.3.
            """,
            module="phase_figure",
        ),
        Figure(
            "linear_initialisation",
            CATEGORY,
            (
                "Eigenvalues from initial weights with their bound, and beside those from "
                "the targets (5.1, 5.2)."
            ),
            """
            What initial weights contribute to the covariance of the points (times T), of inputs
            with c = 0.5, initial weights and a step size of 1: computed (Eq. 5.2.9) and bounded
            (Eq. 5.2.10). The longer the training, the more eigenvalues stay at half of sigma_w^2 /
            alpha. Thesis Fig. 5.1.
            """,
        ),
        Figure(
            "linear_parts",
            CATEGORY,
            (
                "Eigenvalues from initial weights with their bound, and beside those from "
                "the targets (5.1, 5.2)."
            ),
            """
            Eigenvalues of P1 after T = 50 steps, of inputs with c = 0.2, sigma_w^2 = 0.1 and
            sigma_*^2 = 2, and of its two parts: what targets contribute makes the head, what
            initial weights contribute the tail. Eigenvalues below 1e-15 of the largest are
            rounding, and left out. Thesis Fig. 5.2.
            """,
        ),
        Figure(
            "linear_bounds",
            CATEGORY,
            "Eigenvalues and the bound of Lemma 5.2.3, by c (5.4).",
            """
            Eigenvalues of P1 in parts of the largest, one panel for each length of training T and
            slope c, and the bound of Lemma 5.2.3 (dotted); weights as in the figure of the parts.
            How far bounds are from what they bound is in the table *linear bounds*. Thesis Fig.
            5.4.
            """,
        ),
        Figure(
            "linear_models",
            CATEGORY,
            "Eigenvalues of T P(N, T) of models drawn, and in the limit of many (5.5).",
            """
            Eigenvalues of T P(N, T) of 1,000 models from initial weights drawn, and of the limit of
            infinitely many, of inputs with c = 0.1 and sigma_w = sigma_* = 1, after T steps, one
            panel for each T. Those below 1e-15 of the largest are rounding, and left out. They grow
            with T, as the thesis says; those of P, a mean over T, fall. Thesis Fig. 5.5.
            """,
        ),
        Figure(
            "linear_variants",
            CATEGORY,
            "Gradient descent beside SGD, weight decay and networks of two layers (5.3).",
            """
            Gradient descent beside its variants, of inputs with c = 0.1, sigma_w = 0.1, sigma_* =
            1, at the step size 0.05: the noise of SGD and weight decay in closed form, linear
            networks of two layers by training them. Left: eigenvalues of P after the longest
            training. Right: dimensions of the hyper-ribbon by T. Thesis 5.3.
            """,
        ),
        Figure(
            "linear_kernels",
            CATEGORY,
            "Spectra of kernels on real data, and dimensions predicted of their machines.",
            """
            Above: eigenvalues of kernels on each data set: the inputs' own (linear), RBF, Laplace,
            and the tangent kernel of each kind of network at its initial weights, first seed; first
            200, with the slope of the sloppy range, per index. Below: dimensions of the hyper-
            ribbon predicted for machines of each kernel, and of two at once, for the ratios sigma_*
            / sigma_w of the study. Thesis 5.3.
            """,
            when=with_experiments,
        ),
        Figure(
            "linear_experiments",
            CATEGORY,
            (
                "Dimensions predicted and measured of linear models and of networks trained"
                " on real data."
            ),
            """
            Models trained on each data set by gradient descent, labels of two groups of classes as
            +1 and -1 (of *sloppy*, a linear teacher): linear models, and networks of several
            widths, which the theory knows by their tangent kernels and outputs at initial weights
            alone. Above: dimensions of the hyper-ribbon, predicted in closed form (lines) and
            measured (circles). Below: how far the measured covariance is from the predicted one, by
            Frobenius norm; of linear models it is chance, of the N that are drawn. The wider a
            network, the nearer it stays to its prediction. Thesis 5.3.
            """,
            when=with_experiments,
        ),
    ),
    pages=(
        Page(
            "linear_explorer.html",
            "linear_explore",
            (
                "The phase diagram of linear regression with its three parameters to choose; one "
                "page that needs no network."
            ),
            link="Choose a point of the phase diagram of linear regression",
        ),
    ),
    files={
        "linear/<data>.npz": (
            "The samples that linear models and networks are trained on, and the tables "
            "data set by data set, before they are put together."
        ),
        "linear/*.csv": (
            "The samples that linear models and networks are trained on, and the tables "
            "data set by data set, before they are put together."
        ),
    },
    claims=("claims",),
    data="linear",
)
