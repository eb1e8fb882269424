"""The figures of the manifold, by category, with their captions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.part import Figure

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

PREDICTIONS = "Predictions"
DIMENSIONS = "How low-dimensional is it?"
TRAJECTORIES = "Trajectories"
PROGRESS = "Progress"
ENSEMBLES = "Ensembles"


def compares_networks(study: Study) -> bool:
    """Whether networks, optimisers and augmentations are compared, as in chapter 2."""
    return study.has_grid


FIGURES = (
    Figure(
        "manifold",
        PREDICTIONS,
        "All models in the first three InPCA coordinates (thesis Figs. 2.1a, 2.4a).",
        """
        All models in the first three InPCA coordinates of their predictions, with one colour per
        architecture and a thin line along each training. The square is ignorance (every class
        equally probable), the star is the truth (the labels), and the black curve is the geodesic
        between them; these are placed in the embedding but did not shape it. The title gives the
        share of the stress that three dimensions explain: the closer it is to 100%, the more
        faithfully the picture shows all distances. Thesis Figs. 2.1a (train) and 2.4a (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "spectrum",
        PREDICTIONS,
        "InPCA eigenvalues and explained stress, with time-like coordinates marked (2.1b, 2.4b).",
        """
        Magnitudes of the InPCA eigenvalues. Positive eigenvalues belong to space-like coordinates,
        negative ones to time-like coordinates, along which squared distance is subtracted. The
        numbers are the explained stress of the first 1, 3, 10, 25 and 50 dimensions. In a
        hyper-ribbon the magnitudes fall off over decades. Thesis Figs. 2.1b (train) and 2.4b
        (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "pairs",
        PREDICTIONS,
        "The first three InPCA coordinates in pairs (2.1c, 2.4c).",
        """
        The first three InPCA coordinates in pairs; colours, square, star and curve as in
        *manifold*. Thesis Figs. 2.1c (train) and 2.4c (test).
        """,
        splits=True,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "loss_error",
        PREDICTIONS,
        "The first two InPCA coordinates, coloured by architecture, loss and error (2.2).",
        """
        The first two InPCA coordinates, coloured by architecture, by loss and by error. They show
        which coordinate orders models by how close they are to the truth. Each colour of losses
        and errors covers a tenth of the models, so the scale is not even. Thesis Figs. 2.2 (train)
        and 2.18 (test).
        """,
        splits=True,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "near",
        PREDICTIONS,
        "Models near points of the geodesic, and models near ends of trainings (2.2d, 2.18).",
        """
        Left: the first two coordinates. A model is coloured if it is within 0.15 nats (train; 0.3
        on test) of a marked point of the geodesic; the legend gives the progress of each point.
        Right: the second and third coordinates. A model is coloured if it is within 0.45 nats of
        the end of a training, taking the first training of each architecture (colour) and
        augmentation (marker). These radii are for ten classes and grow as ln C. Grey models are
        far from all of these. Thesis Figs. 2.2d (train) and 2.18c, d (test).
        """,
        splits=True,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "away",
        PREDICTIONS,
        "Models away from the manifold by architecture, optimiser and epoch (2.3).",
        """
        Models away from the manifold, by architecture and by epoch, coloured by optimiser. These
        are farther from the truth than 1.7 times the distance of ignorance (2 nats for ten
        classes), and so worse than knowing nothing. Thesis Fig. 2.3.
        """,
        splits=True,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "subsets",
        DIMENSIONS,
        "How well embeddings from few samples, or mixtures of classes, do for all (2.5b, 2.13).",
        """
        Share of the pairwise distances on all samples that an embedding explains if it was
        computed from some of the samples (left) or from random mixtures of the classes (right;
        these distances are first scaled by a common factor, because mixing shrinks them). Bands
        range from the lowest to the highest of several draws. Thesis Figs. 2.5b and 2.13, section
        3.5.2.
        """,
        splits=True,
        module="figures.dimensionality",
        when=compares_networks,
    ),
    Figure(
        "subset_embedding",
        DIMENSIONS,
        "The embeddings themselves, from few samples or mixtures of classes (2.14).",
        """
        The first two coordinates of embeddings from some of the samples, and from random mixtures
        of the classes, aligned with the original embedding by rotation where their signs allow it.
        Thesis Fig. 2.14.
        """,
        splits=True,
        module="figures.dimensionality",
        when=compares_networks,
    ),
    Figure(
        "metric_embedding",
        DIMENSIONS,
        "Embeddings by InPCA, IsKL, geodesic distance and PCA, side by side (2.22, 2.23).",
        """
        The first two coordinates for four distances, with ignorance (square) and the geodesic up
        to progress 0.98, because the truth is infinitely far away in the symmetrised
        Kullback-Leibler divergence. Thesis Figs. 2.22 and 2.23.
        """,
        splits=True,
        module="figures.dimensionality",
        when=compares_networks,
    ),
    Figure(
        "four_points",
        DIMENSIONS,
        "All models in an embedding of four points (2.9, 2.10).",
        """
        All models placed in an InPCA of only four points: ignorance, the truth, and the averages
        of the models with progress near s and 1 - s. Compared with an InPCA of all models: the
        share of pairwise distances that it explains, and both embeddings for s = 0.2, aligned with
        each other (RMSD: the remaining difference, in the units of the axes). Coordinates of new
        models are divided by the square root of an eigenvalue. Where the third eigenvalue of the
        four points is nearly 0, distances come out far too large, and the explained share is
        negative (the panel ends at -1). Thesis Figs. 2.9 and 2.10.
        """,
        splits=True,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "null_model",
        DIMENSIONS,
        "Explained stress compared with null models that share only their progress.",
        """
        Explained stress of the first dimensions, compared with two null models that have the same
        losses, errors and values of progress. The samples of each class are shuffled, either once
        per training (so that each training learns them in another order) or once per model. Bands
        range from the lowest to the highest draw. The distance between the curves is what models
        share in addition to how far they have progressed.
        """,
        module="figures.dimensionality",
        when=compares_networks,
    ),
    Figure(
        "metrics",
        DIMENSIONS,
        "Explained stress of InPCA, IsKL, geodesic distance and PCA (2.5.4.3).",
        """
        Explained stress of the first dimensions for several distances: Bhattacharyya (InPCA),
        symmetrised Kullback-Leibler (IsKL), geodesic on the product of spheres, Euclidean (PCA),
        and those that the study's plugins register. Thesis section 2.5.4.3.
        """,
        module="figures.dimensionality",
        when=compares_networks,
    ),
    Figure(
        "joint",
        DIMENSIONS,
        "Train and test models in one embedding (2.5a).",
        """
        Models on the train samples (full colour), and the same models on the test samples (pale),
        placed in the axes of the former by Eq. 2.3.1. Curve, square and star are geodesic,
        ignorance and truth on train. The title gives the share of the pairwise distances on test
        that these three axes explain. Test coordinates are divided by the square root of the train
        eigenvalue. Where models differ on the test samples in ways in which they hardly differ on
        the train samples (other class proportions, few models), test coordinates come out too
        large and distort the picture. Thesis Fig. 2.5a.
        """,
        module="figures.embedding",
        when=compares_networks,
    ),
    Figure(
        "dendrogram",
        TRAJECTORIES,
        "Configurations clustered by trajectory distance, with their factors (2.6a, 2.19a).",
        """
        Configurations clustered by the mean distance of their trajectories at equal progress,
        averaged over seeds (average linkage). Next to each row are its values of all factors in
        which configurations differ. Weight decay is ranked within the same algorithm, the learning
        rate within the same algorithm and batch size. Two configurations are compared at the
        values of progress that both reach, which can be few: see the column *common* of
        *configuration distances*. Thesis Figs. 2.6a (train) and 2.19a (test).
        """,
        splits=True,
        module="figures.trajectories",
        when=compares_networks,
    ),
    Figure(
        "trajectory_embedding",
        TRAJECTORIES,
        "One point per training, by InPCA of trajectory distances (2.6b, 2.19b).",
        """
        InPCA of the distances between trajectories at equal progress: each point is one training.
        Trainings that never reach the same progress as another cannot be compared; as few as
        possible are left out for this reason. Thesis Figs. 2.6b (train) and 2.19b (test).
        """,
        splits=True,
        module="figures.trajectories",
        when=compares_networks,
    ),
    Figure(
        "importance",
        TRAJECTORIES,
        "Which factors set trajectories apart, with p-values (2.6c, 2.19c).",
        """
        Which factors set trajectories apart. A random forest predicts the distance of two
        configurations; the figure shows by how much its R squared drops (mean and standard
        deviation) if it is fitted again after the values of one factor were permuted among
        configurations that agree in all others. The p-value is the share of permutations that
        predict as well. With few configurations there are few permutations (*arrangements* in the
        table *importance*), and the p-value cannot be much smaller than one divided by their
        number. The distance to the geodesic is a covariate, permuted among all configurations and
        not tested. Thesis Figs. 2.6c (train) and 2.19c (test).
        """,
        splits=True,
        module="figures.trajectories",
        when=compares_networks,
    ),
    Figure(
        "lengths",
        TRAJECTORIES,
        "Lengths of trajectories, compared with that of the geodesic.",
        """
        Riemannian length of every training's trajectory, the sum of the arcs between its
        checkpoints, by architecture. The line is the length of the geodesic from ignorance to
        truth, arccos(1/sqrt C) for C classes. Noise between checkpoints lengthens a trajectory,
        more so with more checkpoints.
        """,
        module="figures.trajectories",
        when=compares_networks,
    ),
    Figure(
        "to_geodesic",
        TRAJECTORIES,
        "Distance to the geodesic by progress (2.17).",
        """
        Distance of models from the point of the geodesic that has their progress, by architecture:
        the median over configurations and seeds, and the band that contains half of them. Lines
        are solid as far as all trainings get and dotted where some are missing, with a break where
        a training drops out. Thesis Fig. 2.17.
        """,
        module="figures.tubes",
        when=compares_networks,
    ),
    Figure(
        "tubes",
        TRAJECTORIES,
        "Radii of the tubes of seeds by progress (2.16).",
        """
        Distance, at equal progress, of models that differ only in their seed from their arithmetic
        mean, over all configurations. Lines are medians, boxes quartiles, and whiskers extend to
        1.5 interquartile ranges. Compare with the distances in *dendrogram*. Thesis Fig. 2.16.
        """,
        module="figures.tubes",
        when=compares_networks,
    ),
    Figure(
        "tubes_by",
        TRAJECTORIES,
        "Radii of the tubes of seeds by architecture and augmentation (2.15).",
        """
        Distances as in *tubes*, by architecture and, if there are several, by augmentation: the
        median, and the band that contains half of the models. Lines are solid as far as all
        trainings get and dotted where some are missing, with a break where a training drops out.
        Thesis Fig. 2.15.
        """,
        module="figures.tubes",
        when=compares_networks,
    ),
    Figure(
        "progress_error",
        PROGRESS,
        "Progress against error (2.7).",
        """
        Progress (the position of the geodesic's point nearest to a model) against error for every
        model, on train and on test, with the R squared of a linear regression over all models.
        Thesis Fig. 2.7.
        """,
        module="figures.progress",
        when=compares_networks,
    ),
    Figure(
        "progress_epoch",
        PROGRESS,
        "Progress against epochs by architecture and augmentation (2.8).",
        """
        Progress on the train samples against epochs, from initialisation on. Lines are means over
        seeds, bands range from the lowest to the highest seed. There is one panel per optimiser
        and one line style per augmentation. The scale is logarithmic after the first checkpoint
        and linear before it. Thesis Fig. 2.8.
        """,
        module="figures.progress",
        when=compares_networks,
    ),
    Figure(
        "updates",
        PROGRESS,
        "Progress of small and large networks after equal numbers of gradient updates (2.8).",
        """
        Progress on the train samples after equal numbers of gradient updates, from initialisation
        on, for networks that come in several sizes, or for all networks if none do. Thin lines are
        configurations, averaged over seeds; thick lines are their medians as far as all of them
        go. The scale is logarithmic after the first checkpoint and linear before it. The number of
        parameters is known only where snapshots are kept. Thesis Fig. 2.8.
        """,
        module="figures.progress",
        when=compares_networks,
    ),
    Figure(
        "ensembles",
        ENSEMBLES,
        "Centroids of a configuration's seeds in the embedding, and error by progress (2.24).",
        """
        Ensembles of the configuration with the most seeds: six kinds of centroids of its seeds'
        models after equal numbers of updates. Left: the centroids in the embedding of all models,
        and the seeds themselves (grey). Right: error by progress along training. The arithmetic
        mean is the usual ensemble; in the thesis, the harmonic mean makes the most progress.
        Thesis Fig. 2.24.
        """,
        splits=True,
        module="figures.ensembles",
        when=compares_networks,
    ),
    Figure(
        "ensemble_gain",
        ENSEMBLES,
        (
            "Final test error of the six centroids, compared with single networks and with "
            "the arithmetic mean."
        ),
        """
        Gain of ensembles at the end of training, by kind of centroid: test error less the mean
        error of single networks (left), and less that of the arithmetic mean, the usual ensemble
        (right), in percentage points. There is one point per configuration; below 0 is better.
        Bars are means with 95% bootstrap intervals over configurations; on the right, an interval
        that contains 0 shows no difference. Thesis Fig. 2.24.
        """,
        module="figures.ensembles",
        when=compares_networks,
    ),
)
