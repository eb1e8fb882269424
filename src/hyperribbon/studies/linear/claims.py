"""Claims on linear regression (thesis 5.2, 5.3).

The rules about the phase diagram and about the decay of eigenvalues were written after a first
look at both; their values and directions are those of the text.
"""

from __future__ import annotations

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import (
    AT_LEAST,
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    about,
    within_factor,
)
from hyperribbon.studies.linear.measures import (
    change_of_balanced_kernel,
    decay_over_bound,
    dimensions_at_small_slope,
    growth_with_time,
    head_of_targets,
    last_of_initialisation,
    line_of_a_boundary,
    line_of_log_steps,
    linear_models_as_predicted,
    low_where_weights_are_small,
    ratio_of_one_region,
    sloppier_decays_slower,
    tail_of_initialisation,
    upper_left_grows,
    violations,
    wide_networks_as_predicted,
)

CLAIMS = [
    Claim(
        "With small initial weights the hyper-ribbon is very low-dimensional for most T and c "
        "(share with at most three dimensions, at the largest sigma_*/sigma_w)",
        "Fig. 5.3a",
        AT_LEAST,
        low_where_weights_are_small,
        0.5,
    ),
    Claim(
        "Dimensionality is larger along a straight line, log T proportional to c (correlation)",
        "Fig. 5.3a",
        AT_LEAST,
        line_of_log_steps,
        0.9,
    ),
    Claim(
        "A straight line, log T proportional to c, separates few from more dimensions if initial "
        "weights are large (correlation along the boundary of ten)",
        "Fig. 5.3b, c",
        AT_LEAST,
        line_of_a_boundary,
        0.9,
    ),
    Claim(
        "For small slopes the hyper-ribbon is high-dimensional for all T if initial weights are "
        "large (smallest dimension over T, at least ten)",
        "Fig. 5.3c",
        AT_LEAST,
        dimensions_at_small_slope,
        10,
    ),
    Claim(
        "The upper left, long training on less sloppy data, is increasingly higher-dimensional as "
        "initial weights grow (difference of mean dimensions)",
        "Fig. 5.3b, c",
        POSITIVE,
        upper_left_grows,
    ),
    Claim(
        "There is a contiguous region of fewer than three dimensions from a ratio of 9 on "
        "(smallest ratio that connects long training on less sloppy data and short training on "
        "sloppy data)",
        "Fig. 5.3e",
        within_factor(2),
        ratio_of_one_region,
        9,
    ),
    Claim(
        "Eigenvalues from the targets decay about twice as fast as the bound of Lemma 5.2.1 "
        "(median over slopes, longest training)",
        "section 5.2.2",
        about(0.5),
        decay_over_bound("longest"),
        2,
    ),
    Claim(
        "Eigenvalues from the targets decay about twice as fast as the bound of Lemma 5.2.1 "
        "(median over slopes and all lengths of training)",
        "section 5.2.2",
        about(0.5),
        decay_over_bound("all"),
        2,
    ),
    Claim(
        "Sloppier data lead to a slower decay of the eigenvalues from the targets (rank "
        "correlation of decay and c, longest training)",
        "section 5.2.2",
        NEGATIVE,
        sloppier_decays_slower,
    ),
    Claim(
        "Lemmas 5.2.1 and 5.2.2 hold (eigenvalues beyond their bounds)",
        "section 5.2.2",
        AT_MOST,
        violations("Lemma 5.2.1", "Lemma 5.2.2"),
        0,
    ),
    Claim(
        "Eq. 5.2.10, and Lemma 5.2.3 as in its proof, hold (eigenvalues beyond their bounds)",
        "Fig. 5.4",
        AT_MOST,
        violations("Eq. 5.2.10", "Lemma 5.2.3"),
        0,
    ),
    Claim(
        "The bound for several kernels, the sum over them as in its proof, holds (eigenvalues "
        "beyond it, two kernels)",
        "section 5.3",
        AT_MOST,
        violations("Eq. 5.3.2"),
        0,
    ),
    Claim(
        "After long training, eigenvalues from initial weights decay to sigma_w^2 / 2 alpha",
        "Fig. 5.1",
        about(0.01),
        last_of_initialisation,
        0.5,
    ),
    Claim(
        "The head of P1 is well approximated by the targets' contribution (largest relative "
        "difference of three eigenvalues)",
        "Fig. 5.2",
        AT_MOST,
        head_of_targets,
        0.1,
    ),
    Claim(
        "The tail of P1 is well approximated by the initial weights' contribution (largest "
        "relative difference, later half)",
        "Fig. 5.2",
        AT_MOST,
        tail_of_initialisation,
        0.1,
    ),
    Claim(
        "The tail of T P(N, T) grows with T (smallest relative growth, last eigenvalue of all T)",
        "Fig. 5.5",
        POSITIVE,
        growth_with_time(-1),
    ),
    Claim(
        "The largest eigenvalue of T P(N, T) grows with T (smallest relative growth)",
        "Fig. 5.5",
        POSITIVE,
        growth_with_time(0),
    ),
    Claim(
        "Balanced linear networks of two layers keep their kernel (relative change)",
        "section 5.3",
        AT_MOST,
        change_of_balanced_kernel,
        0.01,
    ),
    Claim(
        "The theory predicts the dimensions of linear models on real data (largest relative "
        "difference on each data set, mean)",
        "section 5.2",
        AT_MOST,
        linear_models_as_predicted,
        0.1,
    ),
    Claim(
        "The theory predicts the dimensions of wide networks (largest relative difference on each "
        "data set, mean)",
        "section 5.3",
        AT_MOST,
        wide_networks_as_predicted,
        0.1,
    ),
]
