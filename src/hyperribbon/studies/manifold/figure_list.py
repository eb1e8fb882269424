"""The figures of the manifold, by category, with their captions."""

from hyperribbon.studies.part import Figure

PREDICTIONS = "Predictions"
DIMENSIONS = "How low-dimensional is it?"
TRAJECTORIES = "Trajectories"
PROGRESS = "Progress"
ENSEMBLES = "Ensembles"

FIGURES = (
    Figure(
        "manifold",
        PREDICTIONS,
        "All models in the first three InPCA coordinates (thesis Figs. 2.1a, 2.4a).",
        """
        All models in the first three InPCA coordinates of their predictions, one colour an
        architecture, thin lines along each training. The square is ignorance (every class
        equally probable), the star is the truth (the labels), the black curve the geodesic
        between them; these are placed in the picture but did not shape it. The title says how
        much of the stress three dimensions explain: the nearer to all of it, the more truly the
        picture shows all distances. Thesis Figs. 2.1a (train) and 2.4a (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "spectrum",
        PREDICTIONS,
        "Eigenvalues and explained stress; time-like coordinates marked (2.1b, 2.4b).",
        """
        Magnitudes of the InPCA eigenvalues. Positive ones make space-like coordinates, negative
        ones time-like coordinates, along which squared distance is subtracted. The numbers are
        the explained stress of the first 1, 3, 10, 25 and 50 dimensions. Of a hyper-ribbon the
        magnitudes fall off over decades. Thesis Figs. 2.1b (train) and 2.4b (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "pairs",
        PREDICTIONS,
        "The first three coordinates in pairs (2.1c, 2.4c).",
        """
        The first three InPCA coordinates in pairs; colours, square, star and curve as in
        *manifold*. Thesis Figs. 2.1c (train) and 2.4c (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "loss_error",
        PREDICTIONS,
        "The first two coordinates by architecture, loss and error (2.2).",
        """
        The first two InPCA coordinates, coloured by architecture, by loss and by error: which
        coordinate orders models by how close they are to the truth? Colours of losses and
        errors are tenths of the models: each holds as many of them, so the scale is not even.
        Thesis Figs. 2.2 (train) and 2.18 (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "near",
        PREDICTIONS,
        ("Which models are near points of the geodesic, and near ends of trainings (2.2d, 2.18)."),
        """
        Left, the first two coordinates, coloured by whether a model is within 0.15 nats (train;
        0.3 on test) of a point of the geodesic, the nearest one's progress in the legend.
        Right, the second and third coordinates, coloured by the nearest end of a training, the
        first of each architecture and augmentation, if it is within 0.45 nats: a colour is an
        architecture, a marker an augmentation. Radii are those for ten classes, and grow as ln
        C. Grey is far from all. Thesis Figs. 2.2d (train) and 2.18c, d (test).
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "away",
        PREDICTIONS,
        "Models away from the manifold by architecture, optimiser and epoch (2.3).",
        """
        Models away from the manifold: farther from the truth than 2 nats if there are ten
        classes, 1.7 times the distance of ignorance, so worse than knowing nothing. By
        architecture and by epoch, coloured by optimiser. Thesis Fig. 2.3.
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "subsets",
        DIMENSIONS,
        "Embeddings from few samples, or random mixtures of the classes (2.5b, 2.13, 2.14).",
        """
        How much of the pairwise distances on all samples an embedding explains that was made
        from some of the samples (left), or from random mixtures of the classes (right, whose
        distances are first scaled as a whole, since mixing shrinks them). Bands are the lowest
        and highest of several draws. Thesis Figs. 2.5b and 2.13, section 3.5.2.
        """,
        splits=True,
        module="figures.dimensionality",
    ),
    Figure(
        "subset_embedding",
        DIMENSIONS,
        "Embeddings from few samples, or random mixtures of the classes (2.5b, 2.13, 2.14).",
        """
        The first two coordinates of embeddings from some of the samples, and from random
        mixtures of the classes, turned upon the original embedding where their signs allow it.
        Thesis Fig. 2.14.
        """,
        splits=True,
        module="figures.dimensionality",
    ),
    Figure(
        "metric_embedding",
        DIMENSIONS,
        "InPCA, IsKL, geodesic distance and PCA side by side (2.22, 2.23).",
        """
        The first two coordinates in four distances, with ignorance (square) and the geodesic up
        to progress 0.98; in symmetrised Kullback-Leibler the truth is infinitely far away.
        Thesis Figs. 2.22 and 2.23.
        """,
        splits=True,
        module="figures.dimensionality",
    ),
    Figure(
        "four_points",
        DIMENSIONS,
        "All models in an embedding of four points (2.9, 2.10).",
        """
        An InPCA of four points only, ignorance, the truth and averages of the models with
        progress near s and 1 - s, in which all models are placed: how much of their pairwise
        distances it explains, beside InPCA of all models; and both pictures for s = 0.2, the
        second turned upon the first (RMSD: what is left, in the units of the axes). Coordinates
        of new models are divided by the root of an eigenvalue, so where the third one of the
        four points is nearly 0, distances come out far too large, and what is explained is
        below 0 (the picture ends at -1). Thesis Figs. 2.9 and 2.10.
        """,
        splits=True,
        module="figures.embedding",
    ),
    Figure(
        "null_model",
        DIMENSIONS,
        "Explained stress beside that of models that share nothing but how far they got.",
        """
        Explained stress of the first dimensions, beside that of two nulls with the same losses,
        errors and values of progress: the samples of each class exchanged at random, once a
        training (another order of learning for each, constant in time) or once a model. Bands
        are the lowest and the highest draw. What the models share beyond how far they got is
        the distance between the curves.
        """,
        module="figures.dimensionality",
    ),
    Figure(
        "metrics",
        DIMENSIONS,
        "InPCA, IsKL, geodesic distance and PCA side by side (2.22, 2.23).",
        """
        Explained stress of the first dimensions in four distances: Bhattacharyya (InPCA),
        symmetrised Kullback-Leibler (IsKL), the geodesic distance on the product of spheres,
        and the Euclidean one (PCA). Thesis section 2.5.4.3.
        """,
        module="figures.dimensionality",
    ),
    Figure(
        "joint",
        DIMENSIONS,
        "Train and test models in one embedding (2.5a).",
        """
        Train models in full colour, and the same networks' test models, pale, placed in the
        train models' axes by Eq. 2.3.1; curve, square and star are geodesic, ignorance and
        truth on train. The title says how much of the test models' pairwise distance these
        three axes explain. Test coordinates are divided by the root of the train eigenvalue, so
        where models differ on the test samples in ways in which they hardly differ on the train
        samples (classes in other shares, few models), they come out too large, and the picture
        of the test models is not true. Thesis Fig. 2.5a.
        """,
        module="figures.embedding",
    ),
    Figure(
        "dendrogram",
        TRAJECTORIES,
        "Configurations clustered by trajectory distance, with their factors (2.6a, 2.19a).",
        """
        Configurations clustered by the mean distance of their trajectories at equal progress,
        averaged over seeds (average linkage). Beside each row, its value of every factor in
        which configurations differ; ranks of weight decay are among those of the same
        algorithm, ranks of the learning rate among those of the same algorithm and batch size.
        Two configurations are compared at the values of progress that both reach, which can be
        few: see the column *common* of *configuration distances*. Thesis Figs. 2.6a (train) and
        2.19a (test).
        """,
        splits=True,
        module="figures.trajectories",
    ),
    Figure(
        "trajectory_embedding",
        TRAJECTORIES,
        "All trainings, each a point, by InPCA of trajectory distances (2.6b, 2.19b).",
        """
        InPCA of the distances between trajectories at equal progress: each point is one
        training. The fewest trainings possible are left out that never are at equal progress
        with another. Thesis Figs. 2.6b (train) and 2.19b (test).
        """,
        splits=True,
        module="figures.trajectories",
    ),
    Figure(
        "importance",
        TRAJECTORIES,
        "Which factors set trajectories apart, with p-values (2.6c, 2.19c).",
        """
        Which factors set trajectories apart: by how much the R squared of a random forest that
        predicts the distance of two configurations drops (mean and standard deviation) when it
        is fitted again after the values of one factor were exchanged between configurations
        that agree in all others. The p-value is the share of exchanges that predict as well. Of
        few configurations there are few exchanges (*arrangements* in the table *importance*),
        and no p-value is far below one in so many. The distance to the geodesic is a covariate,
        exchanged between all configurations and not tested. Thesis Figs. 2.6c (train) and 2.19c
        (test).
        """,
        splits=True,
        module="figures.trajectories",
    ),
    Figure(
        "lengths",
        TRAJECTORIES,
        "Lengths of trajectories, and the geodesic's.",
        """
        Riemannian length of every training's trajectory, the sum of arcs between its
        checkpoints, by architecture. The line is the geodesic from ignorance to truth,
        arccos(1/sqrt C) for C classes. Noise between checkpoints makes a trajectory longer, and
        more so the more checkpoints there are.
        """,
        module="figures.trajectories",
    ),
    Figure(
        "to_geodesic",
        TRAJECTORIES,
        "Distance to the geodesic by progress (2.17).",
        """
        How far models are from the point of the geodesic that has their progress, by
        architecture: the median over configurations and seeds, and the band that holds half of
        them. Lines are solid as far as all trainings get, and dotted where some are missing,
        with a break where a training drops out. Thesis Fig. 2.17.
        """,
        module="figures.tubes",
    ),
    Figure(
        "tubes",
        TRAJECTORIES,
        "Tube widths by progress (2.16).",
        """
        How far the models of one configuration that differ by their seed are from their
        arithmetic mean at equal progress, over all configurations. Lines are medians, boxes
        quartiles, whiskers 1.5 interquartile ranges. Compare with the distances in
        *dendrogram*. Thesis Fig. 2.16.
        """,
        module="figures.tubes",
    ),
    Figure(
        "tubes_by",
        TRAJECTORIES,
        "The same by architecture and augmentation (2.15).",
        """
        Distances as in *tubes*, by architecture and, if there are several, by augmentation: the
        median, and the band that holds half of the models. Lines are solid as far as all
        trainings get, and dotted where some are missing, with a break where a training drops
        out. Thesis Fig. 2.15.
        """,
        module="figures.tubes",
    ),
    Figure(
        "progress_error",
        PROGRESS,
        "Progress against error (2.7).",
        """
        Progress (the point of the geodesic nearest to a model) against error, for every model,
        on train and on test, with the R squared of a linear regression over all models. Thesis
        Fig. 2.7.
        """,
        module="figures.progress",
    ),
    Figure(
        "progress_epoch",
        PROGRESS,
        "Progress against epochs by architecture and augmentation (2.8).",
        """
        Progress on the train samples against epochs, from the initialisation on, mean over
        seeds, the band from the lowest to the highest seed. One panel per optimiser; a style of
        line is an augmentation. The scale is logarithmic after the first checkpoint, and linear
        before it. Thesis Fig. 2.8.
        """,
        module="figures.progress",
    ),
    Figure(
        "updates",
        PROGRESS,
        "Progress at equal gradient updates, of small and large networks (2.8).",
        """
        Progress on the train samples after equal numbers of gradient updates, from the
        initialisation on, of the networks of which there are several sizes, or of all if there
        are none. Thin lines are configurations, averaged over seeds, thick ones their median as
        far as all of them go. The scale is logarithmic after the first checkpoint, and linear
        before it. Numbers of parameters are known where weights are kept. Thesis Fig. 2.8.
        """,
        module="figures.progress",
    ),
    Figure(
        "ensembles",
        ENSEMBLES,
        "Centroids of a configuration's seeds in the embedding, and error by progress (2.24).",
        """
        Ensembles of the configuration that has the most seeds: centroids of its seeds' models
        after as many updates, of six kinds. Left: where they lie in the embedding of all
        models; grey, the seeds themselves. Right: error by progress along training. The
        arithmetic mean is what is usually taken; the harmonic mean makes the most progress in
        the thesis. Thesis Fig. 2.24.
        """,
        splits=True,
        module="figures.ensembles",
    ),
    Figure(
        "ensemble_gain",
        ENSEMBLES,
        (
            "Final test error of the six centroids against that of single networks and "
            "of the arithmetic mean."
        ),
        """
        What ensembles gain at the end of training, by kind of centroid: test error less that of
        single networks on average (left) and less that of the arithmetic mean, the usual
        ensemble (right), in percentage points; a point is a configuration, below 0 is better.
        Bars are means with 95% bootstrap intervals over configurations, so an interval that
        holds 0 on the right tells no difference. Thesis Fig. 2.24.
        """,
        module="figures.ensembles",
    ),
)
