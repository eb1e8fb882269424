"""The curvature of the loss (chapter 4)."""

from hyperribbon.studies.curvature.config import CurvatureConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "Curvature"

PART = Part(
    name="curvature",
    title="Curvature",
    section=CurvatureConfig,
    about="Spectra of the Fisher matrix, the Hessian and their like; by default, none.",
    needs_trainings=True,
    steps=(
        Step("curvature"),
        Step(
            "spectra",
            tables={
                "spectra": (
                    "One row per eigenvalue, the first 200 and then ever fewer: of which "
                    "configuration, moment, matrix, and layer or class."
                ),
                "sloppiness": (
                    "One row per spectrum: eigenvalues, the largest, trace, elbow, slope of"
                    " the sloppy range (per index, natural logarithm) with its interval."
                ),
                "effective_dimension": (
                    "One row per configuration and moment: effective dimension, strength, "
                    "sloppy factor, and the loose bound (4.4), of the Fisher matrix / ln 2."
                ),
                "eigenspace_overlaps": (
                    "One row per pair of spaces and number of leading eigenvectors: their "
                    "overlap, and that of random spaces."
                ),
                "eigenvector_products": (
                    "One row per pair of leading eigenvectors of Fisher matrix and Hessian "
                    "at the end."
                ),
                "reduction": (
                    "One row per reduced network: eigenvectors kept, errors; and each "
                    "sample as a point in its embedding."
                ),
                "reduction_embedding": (
                    "One row per reduced network: eigenvectors kept, errors; and each "
                    "sample as a point in its embedding."
                ),
                "reduction_critical": (
                    "One row per network: the fewest eigenvectors that predict about as "
                    "well, beside the stiff fraction of the inputs' spectrum."
                ),
                "spectral_density": (
                    "One row per network, size and sign: how many eigenvalues of the "
                    "Hessian are beyond it, with a standard error; empty where all are "
                    "known."
                ),
                "norm_bounds": (
                    "One row per bound by the norms of the weights: what is measured "
                    "(nats), the bound, and their ratio."
                ),
                "certificates": (
                    "One row per network with a PAC-Bayes certificate: errors, KL (nats), "
                    "the bound of its posterior's error on new samples; empty without "
                    "`curvature.draws`."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "spectra",
            CATEGORY,
            (
                "Spectra of inputs, activations, Jacobian, Fisher matrix, Hessian at the "
                "end (4.1, 4.4, 4.8, 4.9)."
            ),
            """
            Spectra at the end of training, each divided by its largest eigenvalue, first 200:
            correlations of the inputs, of what goes into each layer and of the loss's gradients in
            it; the Jacobian of the sum of all logits; the Fisher matrix, with the exact expectation
            over labels, the empirical one, the leading part of the Hessian (points: magnitudes;
            hollow where negative), and KFAC. Of several layers, the later are darker. Of sloppy
            ones the logarithm falls off linearly. Matrices are of the training samples that the
            study's *curvature* asks for. Thesis Figs. 4.1 (top), 4.4, 4.8, 4.9.
            """,
        ),
        Figure(
            "spectra_layers",
            CATEGORY,
            "The same by layer and class (4.5 to 4.7).",
            """
            Spectra at the end of training by layer (what goes into it, and the gradients of the
            loss in that), and of the Jacobian of each class's logit. Layers are in their order in
            the network; first 200 eigenvalues. Thesis Figs. 4.5 to 4.7.
            """,
        ),
        Figure(
            "spectra_training",
            CATEGORY,
            "Fisher matrix and Hessian at initialisation, middle and end (4.10).",
            """
            The Fisher matrix's spectrum and the leading part of the Hessian's at initialisation, in
            the middle and at the end of training, first 200; in nats, as they are. Hollow points
            are negative eigenvalues of the Hessian. Thesis Fig. 4.10.
            """,
        ),
        Figure(
            "spectra_compared",
            CATEGORY,
            "Each matrix's spectrum of all networks and kinds of labels (4.11).",
            """
            Spectra at the end of training, each matrix's of all networks and kinds of labels in one
            panel, first 200. With random labels in fractions (``config/random_labels.yaml``):
            thesis Fig. 4.11, where the empirical Fisher matrix grows and gets less sloppy with the
            fraction.
            """,
        ),
        Figure(
            "spectral_density",
            CATEGORY,
            "How many eigenvalues of the Hessian are beyond each size.",
            """
            How many eigenvalues of the Hessian at the end of training are beyond each size,
            positive ones above it and negative ones below its opposite, by stochastic Lanczos
            quadrature; bands are two standard errors over four random vectors. What is smaller than
            a thousandth of the largest cannot be told from 0. Points: the leading eigenvalues,
            found one by one.
            """,
        ),
        Figure(
            "sloppy_slopes",
            CATEGORY,
            "How fast sloppy eigenvalues decay, with intervals.",
            """
            How fast sloppy eigenvalues decay at the end of training: slope of ln(eigenvalue) per
            index, by least squares from the elbow to the last eigenvalue above rounding, with 95%
            intervals that allow for the correlation of neighbours; a point a layer or class.
            Matrices of different size have different numbers of eigenvalues: slopes are comparable
            between layers and classes, less so between matrices.
            """,
        ),
        Figure(
            "eigenspaces",
            CATEGORY,
            "Whether stiff directions of Fisher matrix and Hessian agree (4.3).",
            """
            Left: inner products of the leading eigenvectors of Fisher matrix and Hessian at the
            end. Middle: overlap of the spaces of the first k eigenvectors of both matrices, the
            mean squared cosine of the angles between them. Right: overlap of each matrix's space
            with its own at initialisation. Thesis Fig. 4.3.
            """,
        ),
        Figure(
            "reduction",
            CATEGORY,
            (
                "Networks reduced to the leading eigenvectors of their Fisher matrix: "
                "error, and samples as points."
            ),
            """
            Error of the final network with its weights projected on the first k eigenvectors of its
            Fisher matrix, on the training samples that the matrix is of and on all test samples. Of
            networks of more than 5,000 weights, the last point keeps all eigenvectors that are
            known not to be of 0; what it lacks does not change predictions to first order, yet is
            part of the weights. Dashed: the critical k, the fewest with nine tenths of the whole
            network's test accuracy. Solid grey: the part of the inputs' directions that holds 95%
            of their variance. Where they are outside the range of k, the title alone says them.
            Cowlagi & Chaudhari, Fig. 3.
            """,
            module="reduction_figures",
        ),
        Figure(
            "reduction_embedding",
            CATEGORY,
            (
                "Networks reduced to the leading eigenvectors of their Fisher matrix: "
                "error, and samples as points."
            ),
            """
            Each point is a sample, by InPCA of what is predicted for it, of the first
            configuration: networks whose weights are projected on the leading eigenvectors of the
            Fisher matrix, and the whole network. Cowlagi & Chaudhari, Fig. 3.
            """,
            module="reduction_figures",
        ),
        Figure(
            "norm_bounds",
            CATEGORY,
            "What is measured against its bound by the norms of the weights (4.3.1).",
            """
            Traces and eigenvalues at the end of training against their bounds by the norms of the
            weights, which hold below the line: Theorem 4.3.1 (traces), Lemmas 4.7.2 and 4.7.3
            (layers), Lemma 4.3.2 (Jacobians of logits; of each spectrum the eigenvalue nearest to
            its bound) and Corollary 4.7.7 (Fisher matrix). How far below says how loose they are.
            """,
        ),
    ),
    files={
        "curvature/<configuration>.zarr": (
            "All spectra (nats), overlaps, and what reduced networks predict, of one "
            "training at the moments of which weights are kept."
        ),
    },
    claims=("claims",),
)
