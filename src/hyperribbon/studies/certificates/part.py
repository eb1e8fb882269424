"""PAC-Bayes certificates of trained networks (chapter 4)."""

from hyperribbon.studies.certificates.config import CertificatesConfig
from hyperribbon.studies.part import Figure, Part, Step

CATEGORY = "Certificates"

PART = Part(
    name="certificates",
    title="Certificates",
    section=CertificatesConfig,
    about="PAC-Bayes bounds on the error of trained networks on new samples; by default, none.",
    needs_trainings=True,
    steps=(
        Step("certify"),
        Step(
            "certificate_tables",
            "tables",
            tables={
                "certificates": (
                    "One row per training and method: bound on the error of networks drawn from Q "
                    "on new samples, their errors, KL divergence and penalty (nats), other bounds, "
                    "scale of the prior, effective dimension, strength and sloppy factor, rank "
                    "correlation of scales and eigenvalues, and seconds."
                ),
                "posterior_scales": (
                    "One row per training, method and range of ranks of the eigenvalues: medians "
                    "of the eigenvalue and of the standard deviations of prior and posterior, with "
                    "the range that holds 80% of the posterior's."
                ),
                "certificate_optimisation": (
                    "One row per training, optimised method and epoch: objective, cross-entropy "
                    "/ ln 2 of Q and KL divergence (nats)."
                ),
            },
        ),
    ),
    figures=(
        Figure(
            "certificates",
            CATEGORY,
            "Bounds on the error on new samples, errors, KL and effective dimension by method.",
            """
            Left: bound on the error of networks drawn from Q on new samples (diamonds), and what
            was to be bounded, their error on test samples (circles); vertical strokes are the test
            errors of the networks themselves, and the dashed line is the error of guessing. Middle:
            KL divergence of Q from the prior. Right: effective dimension, the number of directions
            along which Q has half the variance of the prior or less; for the analytic posterior,
            that of 4.4.1. Means over seeds, with
            their range. The baseline is diagonal in the weights (Dziugaite & Roy, 2017); Method 1
            is analytic; 2 and 3 are diagonal in the eigenbases of the Fisher matrix before training
            and of the Gauss-Newton matrix after it; 4 also takes the covariance of the prior from
            the Fisher matrix, of samples that no bound counts.
            """,
        ),
        Figure(
            "posterior_scales",
            CATEGORY,
            "How far the posterior spreads along stiff and sloppy directions (Remark 4.3.5).",
            """
            Standard deviation of the posterior relative to that of the prior, along directions
            ordered by eigenvalue: medians of directions of similar rank, with the range that holds
            80% of them, for the first seed of each network. The eigenvalue is divided by the
            threshold epsilon / (2 (n - 1)), so that directions right of 1 are the stiff ones
            (4.4.1); for a prior that is not isotropic, it is multiplied by the variance of the
            prior instead. Dashed: the analytic posterior, 1 / sqrt(1 + x). If sloppy directions
            are the spread ones, lines fall. rho: rank correlation over all directions.
            """,
        ),
        Figure(
            "stiff_and_sloppy",
            CATEGORY,
            "Eigenvalues at the mean of the posterior, split by the effective dimension (4.2).",
            """
            Eigenvalues of the Kronecker-factored Gauss-Newton matrix of cross-entropy / ln 2 at the
            trained weights, the mean of the analytic posterior, of the first seed. The effective
            dimension (dashed) counts those above the threshold that the scale of the prior sets.
            From there on, eigenvalues lie below the red line, an exponential whose rate is the
            sloppy factor (4.4.3). Thesis Fig. 4.2, where the rate is 0.0004 for FC-600-2.
            """,
        ),
        Figure(
            "certificate_optimisation",
            CATEGORY,
            "How posteriors are optimised: the objective and its two parts by epoch.",
            """
            The objective that is minimised, cross-entropy / ln 2 + sqrt((KL + penalty) / (2 (n -
            1))), the cross-entropy alone, and KL, by epoch; means over seeds, one row per network.
            """,
        ),
    ),
    files={
        "certificates/*.csv": "The tables of each certificate, before they are concatenated.",
    },
    claims=("claims", "further_claims"),
)
