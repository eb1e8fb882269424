"""Claims on the inversion of class manifolds (arXiv:2303.05161), and some of our own.

Rules on published statements were written before the study ran, with values of the text where it
gives some. Those on the linear classifier, and on as many of the misclassified of earlier epochs,
were written after a first look at MNIST.
"""

from __future__ import annotations

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import AT_LEAST, AT_MOST, POSITIVE, about, at_most, between
from hyperribbon.studies.inversion.measures import (
    NAMES,
    conservation_at_inversion,
    conservation_between,
    correlation_with,
    cost_of_removal,
    difference_over,
    half,
    inverting,
    inverting_without,
    peak_of_conservation,
    share_of,
    smallest,
    spread_over_initialisations,
    turn_of,
)

PUBLISHED_SHARE = between(0.10, 0.13)
OF_RUNS = 0.05  # margin of a share of runs
PAPER = "arXiv:2303.05161"
OWN = "our own question"

CLAIMS = [
    *(
        Claim(
            f"Stragglers are 10 to 13% of the training samples ({name})",
            PAPER,
            PUBLISHED_SHARE,
            share_of(data),
        )
        for data, name in NAMES.items()
    ),
    Claim(
        "The training error at the inversion is stable across initialisations (largest relative "
        "standard deviation)",
        PAPER,
        AT_MOST,
        spread_over_initialisations,
        0.1,
    ),
    Claim(
        "The training error at the inversion is stable across optimisers (largest relative "
        "difference from gradient descent)",
        PAPER,
        AT_MOST,
        difference_over("optimiser"),
        0.1,
    ),
    Claim(
        "The training error at the inversion is stable under subsampling (largest relative "
        "difference, half of the samples)",
        PAPER,
        AT_MOST,
        difference_over("samples", half),
        0.1,
    ),
    Claim(
        "The training error at the inversion is stable under subsampling (largest relative "
        "difference, fewest samples with which some runs on every data set invert)",
        PAPER,
        AT_MOST,
        difference_over("samples", smallest),
        0.1,
    ),
    Claim(
        "The training error at the inversion does not depend on the width (largest relative "
        "difference)",
        OWN,
        AT_MOST,
        difference_over("width"),
        0.1,
    ),
    Claim(
        "Of all sets of misclassified samples, stragglers are maximally conserved between runs "
        "(training error of the greatest z-score over that at the inversion, geometric mean over "
        "data sets)",
        PAPER,
        about(0.2),
        peak_of_conservation,
        1.0,
    ),
    Claim(
        "Stragglers have nearly the greatest z-score of all sets of misclassified samples (share "
        "of it, mean over data sets)",
        PAPER,
        AT_LEAST,
        conservation_at_inversion,
        0.98,
    ),
    Claim(
        "Stragglers are conserved across architectures (least mean z-score, mean over data sets)",
        PAPER,
        AT_LEAST,
        conservation_between("width", "depth", "convolutional"),
        10,
    ),
    Claim(
        "Without stragglers there is no inversion (share of runs that invert)",
        PAPER,
        at_most(OF_RUNS),
        inverting_without("stragglers"),
        0,
    ),
    Claim(
        "Without as many random samples as stragglers there is an inversion (share of runs that "
        "invert)",
        PAPER,
        AT_LEAST,
        inverting_without("random, as many"),
        0.9,
    ),
    Claim(
        "Stragglers alone have this effect: without the misclassified of other epochs there is an "
        "inversion (share of runs that invert, least of three epochs)",
        OWN,
        AT_LEAST,
        inverting_without(
            "misclassified at t*/4", "misclassified at t*/2", "misclassified at 2 t*"
        ),
        0.5,
    ),
    Claim(
        "Stragglers alone have this effect: without as many of the misclassified of earlier epochs "
        "there is an inversion (share of runs that invert, least of two epochs)",
        OWN,
        AT_LEAST,
        inverting_without("as many of them at t*/4", "as many of them at t*/2"),
        0.5,
    ),
    Claim(
        "Without the samples that a linear classifier misclassifies there is no inversion (share "
        "of runs that invert)",
        OWN,
        at_most(OF_RUNS),
        inverting_without("misclassified by a linear classifier"),
        0,
    ),
    Claim(
        "Stragglers matter for generalisation (increase of the test error without them, least "
        "over data sets)",
        PAPER,
        POSITIVE,
        cost_of_removal,
    ),
    Claim(
        "Class manifolds of all ten classes invert, too (share of runs)",
        OWN,
        AT_LEAST,
        inverting("classes"),
        0.5,
    ),
    Claim(
        "The last hidden layer of deeper networks inverts (share of runs)",
        OWN,
        AT_LEAST,
        inverting("depth", "last"),
        0.5,
    ),
    Claim(
        "The hidden layer of a convolutional network inverts (share of runs)",
        f"{PAPER}, open question 2",
        AT_LEAST,
        inverting("convolutional", "last"),
        0.5,
    ),
    Claim(
        "The inversion shows in the manifold of predictions: the second InPCA coordinate turns at "
        "it (distance of the turn's step from t*, relative to t*)",
        OWN,
        AT_MOST,
        turn_of("pc2"),
        0.2,
    ),
    Claim(
        "The tube of runs is narrowest at the inversion (distance of the least spread's step from "
        "t*, relative to t*)",
        OWN,
        AT_MOST,
        turn_of("spread"),
        0.2,
    ),
    Claim(
        "Stragglers stop moving away from the truth at the inversion (distance of the turn's step "
        "from t*, relative to t*)",
        OWN,
        AT_MOST,
        turn_of("to_truth_stragglers"),
        0.2,
    ),
    Claim(
        "The share of stragglers falls with the progress at the inversion (rank correlation over "
        "tasks)",
        f"{PAPER}, open question 1",
        AT_MOST,
        correlation_with("progress"),
        -0.9,
    ),
    Claim(
        "The share of stragglers follows the training error of a linear classifier (rank "
        "correlation over tasks)",
        f"{PAPER}, open question 1",
        AT_LEAST,
        correlation_with("linear_error"),
        0.9,
    ),
    Claim(
        "Stragglers are the samples that a linear classifier misclassifies (mean z-score, mean "
        "over data sets)",
        OWN,
        AT_LEAST,
        conservation_between("linear"),
        10,
    ),
    Claim(
        "The share of stragglers grows with the intrinsic dimension of the images (rank "
        "correlation over data sets)",
        f"{PAPER}, open question 1",
        AT_LEAST,
        correlation_with("intrinsic_dimension", ["parity"]),
        0.9,
    ),
]
