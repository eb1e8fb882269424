"""Claims of chapter 3, and some of our own. All rules were written before the studies ran."""

from __future__ import annotations

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import AT_LEAST, AT_MOST, NEGATIVE, POSITIVE, about
from hyperribbon.studies.tasks.mean_measures import (
    contrastive_before_supervised,
    contrastive_pairs,
    fixmatch_approaches,
    joint_against_tasks,
    larger_way_is_nearer,
    methods_against_tasks,
    over_ways,
    radius_over_ways,
    supervised_from_contrastive,
)
from hyperribbon.studies.tasks.measures import (
    above_shuffled,
    cophenetic_correlation,
    diversity,
    earliest_goes_backwards,
    late_departures,
    latest_over_earliest,
    length_ratio,
    mantel_p,
    probe_less_imprinting,
    progress_on_unseen,
    share_of_random_classes,
    share_of_smallest_node,
    stress_of,
)
from hyperribbon.studies.tasks.names import EPISODIC, TASKS, TREE

IMAGENET, CIFAR10 = ("imagenet",), ("cifar10",)
OWN = "our own question"

CLAIMS = [
    Claim(
        "Three dimensions explain the distances of models of different tasks (stress)",
        "Result 1, Fig. 3.1a",
        about(0.05),
        stress_of(TASKS),
        0.8002,
        IMAGENET,
    ),
    Claim(
        "Three dimensions explain the distances of models of different phyla (stress)",
        "Fig. 3.3a",
        about(0.05),
        stress_of(TREE),
        0.7872,
        IMAGENET,
    ),
    Claim(
        "Three dimensions explain less of episodic learning's fluctuations (stress, train)",
        "Result 4, Fig. 3.4a",
        about(0.05),
        stress_of(EPISODIC),
        0.4096,
        CIFAR10,
    ),
    Claim(
        "Three dimensions explain more stress than for models that share only their progress "
        "(least difference over comparisons)",
        OWN,
        POSITIVE,
        above_shuffled,
    ),
    Claim(
        "Training on a small phylum, such as dogs, makes most of the progress on all classes "
        "(share)",
        "Result 2, Fig. 3.2b",
        about(0.05),
        share_of_smallest_node,
        0.6338,
        IMAGENET,
    ),
    Claim(
        "Training on random classes, a third of all, makes nearly all of that progress (share)",
        "Result 2, Fig. 3.2b",
        about(0.05),
        share_of_random_classes,
        0.92,
        IMAGENET,
    ),
    Claim(
        "Training on one task makes progress on classes it never saw (least gain over tasks)",
        "Result 2, Fig. 3.2a",
        POSITIVE,
        progress_on_unseen,
    ),
    Claim(
        "Diverse classes make more progress on unseen ones than a phylum of similar size "
        "(difference of progress)",
        "Result 2, Fig. 3.2a",
        POSITIVE,
        diversity,
    ),
    Claim(
        "Distances between tasks, in tube radii at equal progress, are consistent with the tree of "
        "classes (Mantel's p)",
        "Result 3, Fig. 3.3b",
        AT_MOST,
        mantel_p(),
        0.05,
    ),
    Claim(
        "Distances between the last models of tasks are consistent with the tree of classes "
        "(Mantel's p)",
        OWN,
        AT_MOST,
        mantel_p("at_the_end"),
        0.05,
    ),
    Claim(
        "Clusters of trajectories follow the tree of classes (cophenetic correlation)",
        "Result 3, Fig. 3.3a",
        AT_LEAST,
        cophenetic_correlation,
        0.5,
    ),
    Claim(
        "Trajectories of 2-way episodic learning are 40 times as long as supervised ones "
        "(ratio at equal numbers of checkpoints)",
        "Result 4, Fig. 3.4a",
        about(10),
        length_ratio,
        40,
        CIFAR10,
    ),
    Claim(
        "Trajectories of 2-way episodic learning are longer than supervised ones at all (ratio, at "
        "least 2)",
        "Result 4",
        AT_LEAST,
        length_ratio,
        2,
    ),
    Claim(
        "A larger way is nearer to supervised learning (2-way less the largest, in tube radii)",
        "Result 4, Fig. 3.9",
        POSITIVE,
        larger_way_is_nearer,
    ),
    Claim(
        "Trainings on more classes end nearer to each other (rank correlation of the distance of "
        "their last models and the number of classes)",
        "Fig. 3.5a",
        NEGATIVE,
        over_ways("end_distance_apart"),
    ),
    Claim(
        "Trainings on more classes have narrower tubes at equal progress (rank correlation of "
        "radius and number of classes)",
        "Result 4, Fig. 3.5a",
        NEGATIVE,
        radius_over_ways,
    ),
    Claim(
        "Trainings on more classes end nearer to the truth (rank correlation of distance and "
        "number of classes)",
        "Fig. 3.5b",
        NEGATIVE,
        over_ways("distance_to_truth"),
    ),
    Claim(
        "Contrastive and semi-supervised learning are nearer to supervised learning of all classes "
        "than supervised learning of other tasks is (least difference, nats)",
        "Result 5, Fig. 3.6",
        POSITIVE,
        methods_against_tasks,
    ),
    Claim(
        "FixMatch becomes more similar to supervised learning (last third of progress less the "
        "first, in tube radii)",
        "Result 5, Fig. 3.6b",
        NEGATIVE,
        fixmatch_approaches,
    ),
    Claim(
        "Fine-tuning from later checkpoints changes predictions less (rank correlation of distance "
        "and epoch, mean over tasks and seeds)",
        "Result 6, Fig. 3.7a",
        NEGATIVE,
        late_departures("final"),
    ),
    Claim(
        "From the last checkpoint it changes little (distance over that from the first, at most "
        "a fifth)",
        "Result 6, Fig. 3.7a",
        AT_MOST,
        latest_over_earliest,
        0.2,
    ),
    Claim(
        "Fine-tuning goes backwards in progress (largest mean over departures)",
        "Fig. 3.7b",
        POSITIVE,
        earliest_goes_backwards,
    ),
    Claim(
        "Contrastive learning of two classes is near that of all: about 5 tube radii for 45% of "
        "the way",
        "Result 7, Fig. 3.8b",
        about(2),
        contrastive_pairs,
        5,
        CIFAR10,
    ),
    Claim(
        "Supervised learning is about 20 tube radii from contrastive learning of all classes",
        "Result 7, Fig. 3.8b",
        about(5),
        supervised_from_contrastive,
        20,
        CIFAR10,
    ),
    Claim(
        "Contrastive learning of any classes is nearer to that of all than supervised learning is "
        "(least difference, nats)",
        "Result 7, Fig. 3.8b",
        POSITIVE,
        contrastive_before_supervised,
    ),
    Claim(
        "Imprinting is nearly as accurate as a trained linear classifier (difference of accuracy)",
        "3.5.4",
        AT_MOST,
        probe_less_imprinting,
        0.05,
    ),
    Claim(
        "Joint training on two tasks is nearer to training on all classes than either alone (nats)",
        OWN,
        POSITIVE,
        joint_against_tasks,
    ),
]
