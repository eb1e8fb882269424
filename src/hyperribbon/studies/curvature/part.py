"""The curvature of the loss (chapter 4)."""

from hyperribbon.studies.curvature.config import CurvatureConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "Curvature"

PART = Part(
    name="curvature",
    title="Curvature",
    section=CurvatureConfig,
    about="Spectra of the Fisher matrix, the Hessian and related matrices; by default, none.",
    needs_trainings=True,
    steps=(
        Step("curvature"),
        Step(
            "spectra",
            tables={
                "spectra": (
                    "One row per eigenvalue (the first 200, then a selection), with its "
                    "configuration, moment, matrix, and layer or class."
                ),
                "sloppiness": (
                    "One row per spectrum: number of eigenvalues, the largest, trace, elbow, "
                    "slope of the sloppy range (per index, natural logarithm) with its interval."
                ),
                "effective_dimension": (
                    "One row per configuration and moment: effective dimension, strength, "
                    "sloppy factor and loose bound (4.4), from the Fisher matrix / ln 2."
                ),
                "eigenspace_overlaps": (
                    "One row per pair of spaces and number of leading eigenvectors: their "
                    "overlap, and that of random spaces."
                ),
                "eigenvector_products": (
                    "One row per pair of leading eigenvectors of Fisher matrix and Hessian at "
                    "the end of training: absolute inner product."
                ),
                "reduction": (
                    "One row per reduced network: number of eigenvectors kept, train and test "
                    "errors."
                ),
                "reduction_embedding": (
                    "One row per reduced network and sample: coordinates by InPCA of the "
                    "predictions for the samples."
                ),
                "reduction_critical": (
                    "One row per network: the fewest eigenvectors that predict about as "
                    "well as all, and the stiff fraction of the inputs' spectrum."
                ),
                "spectral_density": (
                    "One row per network, magnitude and sign: number of eigenvalues of the "
                    "Hessian beyond it, with a standard error; empty where all are known."
                ),
                "norm_bounds": (
                    "One row per bound from the norms of the weights: measured value (nats), "
                    "bound, and their ratio."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "spectra",
            CATEGORY,
            (
                "Spectra of inputs, activations, Jacobian, Fisher matrix and Hessian at the end "
                "of training (4.1, 4.4, 4.8, 4.9)."
            ),
            """
            The first 200 eigenvalues of each spectrum at the end of training, divided by the
            largest: correlations of the inputs, of each layer's inputs and of the gradients of the
            loss in them; the Jacobian of the sum of all logits; the Fisher matrix, with the exact
            expectation over labels; the empirical Fisher matrix; the leading part of the Hessian
            (points: magnitudes; hollow where negative); and KFAC. Later layers are darker. The
            logarithm of a sloppy spectrum falls off linearly. Matrices are computed on the training
            samples that the study's *curvature* section sets. Thesis Figs. 4.1 (top), 4.4, 4.8,
            4.9.
            """,
        ),
        Figure(
            "spectra_layers",
            CATEGORY,
            "Spectra of activations and gradients by layer, of Jacobians by class (4.5 to 4.7).",
            """
            The first 200 eigenvalues at the end of training, by layer for its inputs and for the
            gradients of the loss in them, and by class for the Jacobian of its logit. Layers are in
            their order in the network. Thesis Figs. 4.5 to 4.7.
            """,
        ),
        Figure(
            "spectra_training",
            CATEGORY,
            "Fisher matrix and Hessian at initialisation, middle and end of training (4.10).",
            """
            The first 200 eigenvalues of the Fisher matrix, and the leading eigenvalues of the
            Hessian, at initialisation, in the middle and at the end of training, in nats. Hollow
            points are negative eigenvalues of the Hessian. Thesis Fig. 4.10.
            """,
        ),
        Figure(
            "spectra_compared",
            CATEGORY,
            "Spectra of each matrix compared between networks and kinds of labels (4.11).",
            """
            The first 200 eigenvalues at the end of training, one panel per matrix with all networks
            and kinds of labels. With fractions of random labels (``config/random_labels.yaml``)
            this is thesis Fig. 4.11, where the empirical Fisher matrix grows and becomes less
            sloppy as the fraction increases.
            """,
        ),
        Figure(
            "spectral_density",
            CATEGORY,
            "Number of eigenvalues of the Hessian beyond each magnitude.",
            """
            Number of eigenvalues of the Hessian at the end of training beyond each magnitude
            (positive ones above it, negative ones below its opposite), by stochastic Lanczos
            quadrature; bands are two standard errors over four random vectors. Eigenvalues smaller
            than a thousandth of the largest cannot be distinguished from 0. Points are the leading
            eigenvalues, computed individually.
            """,
        ),
        Figure(
            "sloppy_slopes",
            CATEGORY,
            "How fast sloppy eigenvalues decay, with intervals.",
            """
            Decay of the sloppy eigenvalues at the end of training: slope of ln(eigenvalue) per
            index, by least squares from the elbow to the last eigenvalue above rounding error, with
            95% intervals that account for the correlation of neighbours; one point per layer or
            class. Matrices of different sizes have different numbers of eigenvalues, so slopes can
            be compared between layers and classes, but less so between matrices.
            """,
        ),
        Figure(
            "eigenspaces",
            CATEGORY,
            "How far stiff directions of Fisher matrix and Hessian agree (4.3).",
            """
            Left: absolute inner products of the leading eigenvectors of Fisher matrix and Hessian
            at the end of training. Middle: overlap of the spaces that the first k eigenvectors of
            both matrices span, the mean squared cosine of the angles between them. Right: overlap
            of each matrix's space with its own at initialisation. Thesis Fig. 4.3.
            """,
        ),
        Figure(
            "reduction",
            CATEGORY,
            "Error of networks reduced to the leading eigenvectors of their Fisher matrix.",
            """
            Error of the final network if its weights are projected onto the first k eigenvectors of
            its Fisher matrix, on the training samples over which the matrix is computed and on all
            test samples. For networks with more than 5,000 weights, the last point keeps all
            eigenvectors whose eigenvalues are not 0; the rest of the weights does not change
            predictions to first order. Dashed: the critical k, the fewest eigenvectors with nine
            tenths of the complete network's test accuracy. Solid grey: the fraction of the inputs'
            directions that holds 95% of their variance. If these lie outside the range of k, only
            the title gives them. Cowlagi & Chaudhari, Fig. 3.
            """,
            module="reduction_figures",
        ),
        Figure(
            "reduction_embedding",
            CATEGORY,
            "Predictions of reduced networks, one point per sample.",
            """
            Each point is a sample, placed by InPCA of the predictions for it, for the first
            configuration: networks whose weights are projected onto the leading eigenvectors of the
            Fisher matrix, and the complete network. Cowlagi & Chaudhari, Fig. 3.
            """,
            module="reduction_figures",
        ),
        Figure(
            "norm_bounds",
            CATEGORY,
            "Measured traces and eigenvalues against bounds from the norms of the weights (4.3.1).",
            """
            Traces and eigenvalues at the end of training against their bounds from the norms of the
            weights: Theorem 4.3.1 (traces), Lemmas 4.7.2 and 4.7.3 (layers), Lemma 4.3.2 (Jacobians
            of logits; for each spectrum the eigenvalue nearest to its bound) and Corollary 4.7.7
            (Fisher matrix). A bound holds if its point is below the line; the farther below, the
            looser it is.
            """,
        ),
    ),
    files={
        "curvature/<configuration>.zarr": (
            "All spectra (nats), overlaps and predictions of reduced networks for one training, "
            "at the moments of its snapshots."
        ),
    },
    claims=("claims", "further_claims"),
)
