"""The quantitative claims of chapter 2, each with the rule by which it is judged.

A published value is compared on the data set for which it was published, whatever the number of
samples and the size of the networks; a statement without a value holds for any data set. Published
shares have a margin of 0.05, and distances one of a tenth unless the claim says "about". Of what
the dissertation says of all models or of the farthest, three of four must be as it says: the
largest of more values is larger, and has no honest interval.
"""

from hyperribbon.reporting.claims import Claim
from hyperribbon.reporting.rules import (
    FIRST,
    NEGATIVE,
    POSITIVE,
    SIGNIFICANT,
    about,
    at_least,
    at_most,
    between,
    not_worse,
)
from hyperribbon.studies.corners import claims as corners
from hyperribbon.studies.manifold.claims import CIFAR10, IMAGENET, manifold, progress, trajectories
from hyperribbon.studies.manifold.claims.details import CLAIMS as DETAILS

OTHER_CENTROIDS = ["arithmetic", "sqrt_arithmetic", "geometric", "bhattacharyya", "jeffreys"]
SHARE = 0.05  # margin of equivalence of published shares of stress, variance and distance
# Median errors of Table 2.1 in percent, train and test, by name and number of parameters.
MEDIAN_ERRORS = {
    "Fully-Connected": (3_837_066, 1.5, 39.7),
    "AllCNN": (399_486, 0.1, 15.4),
    "Small ResNet": (300_226, 0.6, 15.4),
    "Large ResNet": (43_890_122, 0.0, 9.6),
    "ConvMixer": (594_186, 0.0, 11.7),
    "ViT": (9_523_722, 0.3, 32.7),
}

LOW_DIMENSIONAL = [
    Claim(
        f"{dimension} dimensions explain {value:.0%} of the stress, {split}",
        source,
        at_least(SHARE),
        manifold.stress(split, dimension),
        value,
        data,
    )
    for split, dimension, value, source, data in (
        ("train", 3, 0.76, "Fig. 2.1b", CIFAR10),
        ("train", 50, 0.98, "Fig. 2.1b", CIFAR10),
        ("train", 3, 0.84, "Fig. 2.1e", IMAGENET),
        ("train", 50, 0.96, "Fig. 2.1e", IMAGENET),
        ("test", 3, 0.63, "Fig. 2.4b", CIFAR10),
        ("test", 50, 0.95, "Fig. 2.4b", CIFAR10),
    )
] + [
    Claim(
        "The second coordinate is time-like, train (second eigenvalue over the first)",
        "Fig. 2.1b, c",
        NEGATIVE,
        manifold.second_eigenvalue,
        data=CIFAR10,
    ),
    Claim(
        "At initialisation three of four models are within 0.6 nats of ignorance, test",
        "section 2.3",
        at_most(0.06),
        manifold.first_distance,
        0.6,
        CIFAR10,
    ),
    Claim(
        "Three of four trajectories with train error of at most 10% end within 0.02 nats of the "
        "truth, train",
        "section 2.3",
        at_most(0.002),
        manifold.last_distance("train"),
        0.02,
        CIFAR10,
    ),
    Claim(
        "Three of four trajectories with train error of at most 10% end within 0.58 nats of the "
        "truth, test",
        "section 2.3",
        at_most(0.1),
        manifold.last_distance("test"),
        0.58,
        CIFAR10,
    ),
    Claim(
        "No AllCNN model is away from the manifold (share of its configurations)",
        "Fig. 2.3a",
        at_most(SHARE),
        manifold.away_of("AllCNN"),
        0.0,
    ),
    Claim(
        "The axes of train explain 0.52 of the pairwise distances on test, its own 0.56, in ten "
        "dimensions (difference)",
        "section 2.3",
        at_least(SHARE),
        manifold.train_axes_on_test,
        0.52 - 0.56,
        CIFAR10,
    ),
    Claim(
        "50 train samples give an embedding that explains pairwise distances nearly as well as all "
        "(difference in 3 dimensions)",
        "Figs. 2.5b, 2.13a",
        not_worse(SHARE),
        manifold.few_samples("train", 50),
    ),
    Claim(
        "100 test samples give an embedding that explains pairwise distances nearly as well as all "
        "(difference in 3 dimensions)",
        "Fig. 2.13b",
        not_worse(SHARE),
        manifold.few_samples("test", 100),
    ),
]

TRAJECTORIES = [
    claim
    for split, stress, figures in (("train", 0.636, "2.6"), ("test", 0.737, "2.19"))
    for claim in (
        Claim(
            f"Architecture is the first factor of trajectories, {split} (importance less next)",
            f"Fig. {figures}c",
            FIRST,
            trajectories.architecture_first(split),
        ),
        Claim(
            f"The importance of the architecture is beyond chance, {split} (p-value)",
            f"Fig. {figures}c",
            SIGNIFICANT,
            trajectories.architecture_by_chance(split),
            1e-6,
        ),
        Claim(
            f"Optimisation is the second factor of trajectories, {split} (importance less next)",
            f"Fig. {figures}c",
            FIRST,
            trajectories.optimisation_second(split),
        ),
        Claim(
            f"Two dimensions of an embedding of trajectories explain {stress:.1%} of the stress, "
            f"{split}",
            f"Fig. {figures}b",
            at_least(SHARE),
            trajectories.trajectory_stress(split),
            stress,
            CIFAR10,
        ),
    )
] + [
    Claim(
        "Trajectories of two configurations are about 0.15 nats apart, train",
        "section 2.5.4.1",
        about(0.05),
        trajectories.configuration_distance,
        0.15,
        CIFAR10,
    ),
    Claim(
        "The median tube width is about 0.05 nats, train",
        "Fig. 2.16a",
        at_most(0.005),
        trajectories.tube_width("train"),
        0.05,
        CIFAR10,
    ),
    Claim(
        "Tubes of seeds are narrower than configurations are apart, train (difference, nats)",
        "section 2.5.4.1",
        NEGATIVE,
        trajectories.tube_in_configuration_distances,
    ),
    Claim(
        "With augmentation, tubes are wider at large progress, train (difference, nats)",
        "Fig. 2.15",
        POSITIVE,
        trajectories.augmentation_widens,
    ),
    Claim(
        "Trajectories are farther from the geodesic midway than at their ends, train (difference, "
        "nats)",
        "Fig. 2.17a",
        POSITIVE,
        trajectories.geodesic_middle,
    ),
    Claim(
        "Trajectories are farther from the geodesic on test than on train (difference, nats)",
        "Fig. 2.17",
        POSITIVE,
        trajectories.geodesic_test_less_train,
    ),
    Claim(
        "AllCNN is nearest to the geodesic, train (the next less AllCNN, nats)",
        "Fig. 2.17a",
        FIRST,
        trajectories.nearest_to_geodesic("AllCNN"),
    ),
]

PROGRESS = [
    Claim(
        f"R^2 of progress and {split} error is {value}",
        source,
        about(SHARE),
        progress.progress_and_error(split),
        value,
        CIFAR10,
    )
    for split, value, source in (("train", 0.95, "Fig. 2.7a"), ("test", 0.88, "Fig. 2.7b"))
] + [
    Claim(
        "R^2 of train and test progress is 0.99",
        "section 2.3",
        about(SHARE),
        progress.train_and_test_progress,
        0.99,
        CIFAR10,
    ),
    Claim(
        "Nesterov's acceleration is ahead very early (difference of mean progress in the first "
        "epoch)",
        "section 2.3",
        POSITIVE,
        progress.nesterov_is_early,
    ),
    Claim(
        "The larger network of an architecture is ahead at equal updates (difference of progress)",
        "Fig. 2.8",
        POSITIVE,
        progress.larger_is_faster,
    ),
]

INTERPRETATION = [
    Claim(
        f"Four points (s = {s}) explain pairwise distances as well as the first {words} original "
        "dimensions, train (difference)",
        source,
        not_worse(SHARE),
        manifold.four_points(s, dimension),
    )
    for s, dimension, words, source in (
        (0.3, 3, "three", "Fig. 2.9"),
        (0.2, 3, "three", "Fig. 2.10c"),
        (0.2, 8, "eight", "Fig. 2.10c"),
    )
] + [
    Claim(
        "The embedding of four points, aligned with the original, has an RMSD of 0.06",
        "Fig. 2.10",
        about(0.03),
        manifold.four_points_rmsd,
        0.06,
        CIFAR10,
    ),
]

OTHER_DISTANCES = [
    Claim(
        f"PCA explains {value:.0%} of the variance in three dimensions, {split}",
        "Fig. 2.23",
        at_least(SHARE),
        manifold.pca(split),
        value,
        CIFAR10,
    )
    for split, value in (("train", 0.91), ("test", 0.86))
] + [
    Claim(
        "IsKL explains slightly more stress than InPCA in three dimensions (difference, train)",
        "section 2.5.4.3",
        POSITIVE,
        manifold.iskl_less_inpca,
    ),
]

ENSEMBLES = [
    Claim(
        "The harmonic mean of an ensemble has a lower test error than the arithmetic one "
        "(difference, percent; published 18.9 against 25.0)",
        "Fig. 2.24b",
        NEGATIVE,
        progress.harmonic_less_arithmetic,
    ),
    Claim(
        "The harmonic mean has the lowest test error of six centroids (the next less it, percent)",
        "Fig. 2.24b",
        FIRST,
        progress.harmonic_is_best(*OTHER_CENTROIDS),
    ),
    Claim(
        "The harmonic mean makes the most progress of six centroids, test (it less the next)",
        "section 2.5.4.4",
        FIRST,
        progress.harmonic_is_farthest(*OTHER_CENTROIDS),
    ),
]

CORNERS = [
    Claim(
        "Three dimensions explain 87% of the stress of trainings by way of random labels, train",
        "section 2.5.4.1",
        at_least(SHARE),
        manifold.stress("train", 3),
        0.87,
        CIFAR10,
        check=corners.with_corners,
    ),
    Claim(
        "From random labels, trainings come within 0.1 to 0.5 nats of ignorance, train (mean)",
        "section 2.5.4.1",
        between(0.1, 0.5),
        corners.nearest_to_ignorance,
        data=CIFAR10,
        check=corners.with_corners,
    ),
    Claim(
        "Geodesics from random labels to the truth come within 0.83 nats of ignorance, train",
        "section 2.5.4.1",
        about(0.02),
        corners.geodesic_from_corner,
        0.83,
        check=corners.with_corners,
    ),
    Claim(
        "Trainings from random labels come nearer than geodesics from their start (difference)",
        "section 2.5.4.1",
        NEGATIVE,
        corners.nearer_than_geodesic,
        check=corners.with_corners,
    ),
    Claim(
        "Trainings from random labels come within 0.15 nats of direct ones at progress 0.27 +- "
        "0.15, train",
        "section 2.5.4.1",
        about(0.15),
        corners.rejoining_progress,
        0.27,
        CIFAR10,
        check=corners.with_corners,
    ),
]

ERRORS = [
    Claim(
        f"Median {split} error of {name}, percent",
        "Table 2.1",
        about(3.0),
        progress.median_error(name, split, parameters),
        value,
        CIFAR10,
    )
    for name, (parameters, *values) in MEDIAN_ERRORS.items()
    for split, value in zip(("train", "test"), values, strict=True)
]

# A study of trainings by way of random labels judges only the claims about these.
CLAIMS = [
    claim if claim.check else claim._replace(check=corners.without_corners)
    for claim in [
        *LOW_DIMENSIONAL,
        *TRAJECTORIES,
        *PROGRESS,
        *INTERPRETATION,
        *OTHER_DISTANCES,
        *ENSEMBLES,
        *CORNERS,
        *ERRORS,
        *DETAILS,
    ]
]
