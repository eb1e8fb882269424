"""Further claims of chapter 3. Their rules were written before any study was judged by them."""

from __future__ import annotations

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import (
    NEGATIVE,
    POSITIVE,
    about,
    at_least,
    at_most,
    between,
)
from hyperribbon.studies.tasks import further_measures as measures

IMAGENET = ("imagenet",)

CLAIMS = [
    Claim(
        "All experiments are low-dimensional (stress that three dimensions explain, least over "
        "comparisons, at least the least published)",
        "Result 1",
        at_least(0.05),
        measures.least_stress,
        0.4096,
    ),
    Claim(
        "Larger phyla make more progress on all classes (rank correlation of progress and number "
        "of classes)",
        "Result 2, Fig. 3.2b",
        POSITIVE,
        measures.larger_phyla,
    ),
    Claim(
        "Training on all classes makes about 80% progress across them",
        "Result 2, Fig. 3.2a",
        about(0.05),
        measures.progress_over_classes,
        0.8,
        IMAGENET,
    ),
    Claim(
        "The progress of training on all classes on one of them is highly correlated with its test "
        "error (correlation, at most -0.8)",
        "Result 2",
        between(-1, -0.8),
        measures.progress_and_error_of_classes,
    ),
    Claim(
        "Training makes more progress on the classes that it sees (difference to unseen ones)",
        "Fig. 3.2a",
        POSITIVE,
        measures.seen_less_unseen,
    ),
    Claim(
        "Trajectories of tasks bifurcate (distance from all classes, last third of progress less "
        "the first, least over tasks, nats)",
        "Result 2",
        POSITIVE,
        measures.bifurcate,
    ),
    Claim(
        "Random classes are nearest to all classes (distance at equal progress, difference to the "
        "next task, nats)",
        "Fig. 3.1a",
        POSITIVE,
        measures.random_is_nearest,
    ),
    Claim(
        "Vertebrates are as far from conveyances as all classes are for more than 60% of the "
        "progress (share)",
        "Fig. 3.3b",
        at_least(0.05),
        measures.vertebrates_as_near,
        0.6,
        IMAGENET,
    ),
    Claim(
        "2-way episodic learning does not reach the accuracy of a larger way (difference of test "
        "errors)",
        "Result 4, Fig. 3.4a",
        POSITIVE,
        measures.small_way_errs_more,
    ),
    Claim(
        "2-way learning is far from supervised learning for much of the way (share of progress at "
        "which their tubes intersect, at most half)",
        "Result 4, Fig. 3.9",
        between(0, 0.5),
        measures.near_supervised(largest=False),
    ),
    Claim(
        "A larger way is similar to supervised learning for almost the entire way (the same share, "
        "at least 90%)",
        "Result 4, Fig. 3.9",
        between(0.9, 1),
        measures.near_supervised(largest=True),
    ),
    Claim(
        "2-way and supervised learning are similar during early parts (distance, last third of "
        "progress less the first, nats)",
        "Result 4, Fig. 3.4a",
        POSITIVE,
        measures.departs_late,
    ),
    Claim(
        "With more classes trajectories get more similar to supervised learning of all (rank "
        "correlation of distance and number of classes)",
        "Result 4, Fig. 3.5b",
        NEGATIVE,
        measures.approaches_with_way,
    ),
    Claim(
        "At first FixMatch is farther from supervised learning than contrastive learning is (first "
        "third of progress, in tube radii, difference)",
        "Result 5, Fig. 3.6b",
        POSITIVE,
        measures.fixmatch_is_farther(late=False),
    ),
    Claim(
        "In the end it is nearer (last third of progress, in tube radii, difference)",
        "Result 5, Fig. 3.6",
        NEGATIVE,
        measures.fixmatch_is_farther(late=True),
    ),
    Claim(
        "Semi-supervised learning is within 5% of the accuracy of supervised learning (difference "
        "of test errors)",
        "Result 5",
        at_most(),
        measures.fixmatch_accuracy,
        0.05,
    ),
    Claim(
        "Contrastive learning of two classes does not go all the way to the truth (final progress, "
        "all classes less two)",
        "Result 7, Fig. 3.8b",
        POSITIVE,
        measures.pairs_fall_short,
    ),
    Claim(
        "Mixing classes at random leaves the embedding the same (RMSD relative to its size, "
        "largest over comparisons, at most a tenth)",
        "section 3.5.2",
        between(0, 0.1),
        measures.mixing,
    ),
]
