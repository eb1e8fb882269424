"""Claims on networks trained on synthetic data (thesis 2.5.5, and Fig. 4.1, bottom).

A claim about sloppy or isotropic data is judged only at the values of c that the dissertation
names. Where the dissertation calls something low-dimensional without a number, the rule requires
what Fig. 2.1b shows: 76% of the stress in three dimensions. The rules follow the words of the
dissertation; they were written after a first, reduced run of the study.
"""

from __future__ import annotations

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import (
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    at_least,
    at_most,
    between,
    not_worse,
)
from hyperribbon.studies.synthetic.measures import (
    ISOTROPIC,
    SLOPPY,
    corners_sloppy_less_isotropic,
    critical_with_stiff,
    decays_faster,
    interpolating,
    isotropic_separates_more,
    least_corner_stress,
    least_stress,
    nesterov_spreads,
    slice_stress,
    sloppiest_students,
    sloppy_less_isotropic,
    small_student_of_sloppier_data,
    splits_differ,
    widest_students,
)

LOW_DIMENSIONAL = 0.76
MARGIN = 0.05  # of a share of stress, or of students
SLIGHTLY_LOWER = between(-MARGIN, 0)

CLAIMS = [
    *(
        Claim(
            f"Ten dimensions explain 99% of the stress of trainings on synthetic data for every c, "
            f"{split}",
            "Fig. 2.26a",
            at_least(MARGIN),
            least_stress(split, 10),
            0.99,
        )
        for split in ("train", "test")
    ),
    Claim(
        "With sloppy inputs the explained stress is slightly lower (ten dimensions, c = 0.5 less "
        "0.001, train)",
        "section 2.5.5",
        SLIGHTLY_LOWER,
        sloppy_less_isotropic,
    ),
    Claim(
        "The explained stress on test data is essentially the same (ten dimensions, largest "
        "difference)",
        "section 2.5.5",
        AT_MOST,
        splits_differ,
        MARGIN,
    ),
    *(
        Claim(
            f"If inputs are not sloppy, trainings of two {words} are more separate (distance "
            "relative to that of seeds, difference)",
            "Fig. 2.26b",
            POSITIVE,
            isotropic_separates_more(factor),
        )
        for factor, words in (
            ("network", "architectures"),
            ("optimiser", "optimisers"),
            ("batch_size", "batch sizes"),
        )
    ),
    Claim(
        "With sloppy inputs, models spread more late in training with Nesterov's acceleration "
        "(logarithm of the ratio of spreads)",
        "Fig. 2.26b",
        POSITIVE,
        nesterov_spreads,
    ),
    Claim(
        "Few dimensions explain much of the stress also from several corners (three dimensions; "
        "at least as in Fig. 2.1b)",
        "Fig. 2.27a, b",
        at_least(MARGIN),
        least_corner_stress(3),
        LOW_DIMENSIONAL,
    ),
    *(
        Claim(
            f"Three dimensions explain more with sloppy inputs, from {name} (difference)",
            "Fig. 2.27a, b",
            POSITIVE,
            corners_sloppy_less_isotropic(corners, 3),
        )
        for corners, name in (
            (1, "1 corner"),
            (2, "2 corners"),
            (5, "5 corners"),
            (10, "10 corners"),
        )
    ),
    Claim(
        "Ten dimensions explain less with sloppy inputs, from 10 corners (difference)",
        "Fig. 2.27a, b",
        NEGATIVE,
        corners_sloppy_less_isotropic(10, 10),
    ),
    *(
        Claim(
            f"Models {when} are not low-dimensional, c = {decay} (three dimensions; at most as in "
            "Fig. 2.1b)",
            figure,
            at_most(MARGIN),
            slice_stress(decay, start),
            LOW_DIMENSIONAL,
        )
        for when, start, figure in (
            ("at the start of trainings from a corner", True, "Fig. 2.28a"),
            ("after 0.5% of trainings from a corner", False, "Fig. 2.28b"),
        )
        for decay in (ISOTROPIC, SLOPPY)
    ),
    *(
        Claim(
            f"With sloppy inputs {words} of a trained student decay faster (per index, c = 0.1 "
            "less 0.001)",
            "Fig. 4.1, bottom left",
            POSITIVE,
            decays_faster(matrix),
        )
        for matrix, words in (
            ("activations", "eigenvalues of activations"),
            ("gradients", "eigenvalues of activation gradients"),
            ("jacobian_summed", "eigenvalues of the logits' Jacobian"),
            ("fisher", "eigenvalues of the Fisher matrix"),
        )
    ),
    Claim(
        "All students interpolate (share)",
        "Fig. 4.1, bottom right",
        at_least(MARGIN),
        interpolating,
        1.0,
    ),
    Claim(
        "Students that interpolate generalise better the sloppier the inputs (test error, largest "
        "c less smallest)",
        "Fig. 4.1, bottom right",
        NEGATIVE,
        sloppiest_students,
    ),
    Claim(
        "Larger students generalise better (test error, widest less narrowest that interpolates)",
        "Fig. 4.1, bottom right",
        NEGATIVE,
        widest_students,
    ),
    Claim(
        "With sloppier inputs a student of 10 does as well as one of 500 (test error at c = 0.1 of "
        "the latter less at 0.5 of the former, teacher of 20)",
        "Fig. 4.1, bottom right",
        not_worse(0.05),
        small_student_of_sloppier_data,
    ),
    Claim(
        "The number of eigenvectors that a reduced model needs may depend on the stiff fraction of "
        "the inputs' (rank correlation over c, means of students)",
        "section Model Reduction (Cowlagi & Chaudhari)",
        POSITIVE,
        critical_with_stiff,
    ),
]
