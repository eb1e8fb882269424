"""The geometry of representations (Zavatone-Veth et al., arXiv:2301.11375)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hyperribbon.studies.part import Figure, Page, Part, Step
from hyperribbon.studies.representations.config import RepresentationsConfig

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

CATEGORY = "Representations"


def with_planes(study: Study) -> bool:
    """Whether networks learn tasks in the plane."""
    return study.section("representations").planes is not None


def with_widths(study: Study) -> bool:
    """Whether random layers are compared with infinitely wide ones."""
    return study.section("representations").widths is not None


def with_images(study: Study) -> bool:
    """Whether the metric of the study's own networks is computed."""
    return study.section("representations").images is not None


def _task(name: str):
    def learned(study: Study) -> bool:
        planes = study.section("representations").planes
        return planes is not None and name in planes.tasks()

    return learned


_MAPS = """
            {task}: log volume element (above) and scalar curvature (below) of the metric that the
            hidden layer of the standard network, first seed, pulls back to the plane, at five
            moments of training. White or green: the network's decision boundary; dashed: the true
            one. Curvature is shown on a scale that is linear about 0 and logarithmic beyond. The
            *representations maps* show all moments. {source}
            """

PART = Part(
    name="representations",
    title="The geometry of representations",
    section=RepresentationsConfig,
    about=(
        "The metric that features pull back to inputs: tasks in the plane, and the study's own "
        "networks; by default, none."
    ),
    steps=(
        Step("plane_geometry", "planes", when=with_planes),
        Step(
            "plane_tables",
            tables={
                "plane_trainings": (
                    "One row per task, variant, seed and epoch: loss (nats), accuracy on the "
                    "samples and on the square, and the metric in numbers: median and 95% "
                    "quantile of log10 of the condition number, median eigenvalues, share of "
                    "points where it is singular, mean log volume (nats), and the rank "
                    "correlation of log volume and radius."
                ),
                "plane_magnification": (
                    "One row per task, variant, seed, epoch and boundary (the network's, the same "
                    "turned about the origin, the true one): rank correlations of the log volume "
                    "with the distance from it, without and with the radius taken out, of its "
                    "change since initialisation, and of each eigenvalue; empty where the network "
                    "has no boundary in the square."
                ),
                "plane_magnification_means": (
                    "One row per task, variant, epoch, boundary and statistic: mean over seeds of "
                    "a rank correlation, with a 95% bootstrap interval."
                ),
                "plane_maps": (
                    "One row per point of the square, for the first seed of some variants, by "
                    "epoch: log volume (nats), scalar curvature, logit of class 1 less that of "
                    "class 0, and a function that is 0 on the true boundary."
                ),
            },
            when=with_planes,
        ),
        Step("plane_explore", "explore", when=with_planes),
        Step(
            "width_geometry",
            "widths",
            tables={
                "width_deviations": (
                    "One row per activation, width and radius: root mean square deviation of the "
                    "metric from the infinitely wide layer's, and from the nearest spherically "
                    "symmetric metric, relative to the former; mean and standard deviation over "
                    "draws and directions of log volume (nats) and scalar curvature, and their "
                    "limits."
                ),
                "width_rates": (
                    "One row per activation and deviation: slope of the logarithm of its mean "
                    "square against that of the width, and its standard error."
                ),
            },
            when=with_widths,
        ),
        Step("image_geometry", "images", when=with_images),
        Step(
            "image_tables",
            tables={
                "image_paths": (
                    "One row per configuration, seed, snapshot, path and position: log volume "
                    "(nats), rank of the metric, predicted class."
                ),
                "image_crossings": (
                    "One row per crossing of a decision boundary by a path: its position, the "
                    "classes on both sides, the log volume there above the straight line between "
                    "its values at the ends (nats), and the position of its largest value."
                ),
                "image_contrasts": (
                    "One row per configuration, seed, snapshot and path, read at the crossing "
                    "nearest to the middle, or in the middle if there is none: log volume above "
                    "the straight line between its values at the ends (nats), its change since "
                    "the first snapshot, where the volume is largest, and by how much it exceeds "
                    "both ends; empty where the rank is not constant along the path."
                ),
                "image_contrast_means": (
                    "One row per configuration, snapshot, kind of path, kind of pair and "
                    "statistic: mean, 95% bootstrap interval over pairs, share above 0, number of "
                    "paths, and of those left out for their rank."
                ),
                "image_spectra": (
                    "One row per configuration, seed, snapshot, image and eigenvalue of the "
                    "metric (60 of them), with its rank and condition number."
                ),
                "image_planes": (
                    "One row per configuration, snapshot, plane and point, for the first seed: "
                    "log volume and scalar curvature of the plane's metric, predicted class."
                ),
                "image_plane_corners": "One row per image of a plane: coordinates and class.",
                "image_pictures": (
                    "One row per image on the paths that figures show: pixels, two hexadecimal "
                    "digits each."
                ),
            },
            when=with_images,
        ),
    ),
    figures=(
        Figure(
            "plane_maps_xor",
            CATEGORY,
            "Maps of volume and curvature through training, on XOR.",
            _MAPS.format(task="XOR", source="Figs. 1 and 2 of Zavatone-Veth et al."),
            when=_task("xor"),
        ),
        Figure(
            "plane_maps_sinusoid",
            CATEGORY,
            "Maps of volume and curvature through training, on the sinusoid.",
            _MAPS.format(task="The sinusoid", source="Zavatone-Veth et al., appendix."),
            when=_task("sinusoid"),
        ),
        Figure(
            "plane_variants_mapped",
            CATEGORY,
            "Maps of volume and curvature of other networks at the end of training.",
            """
            As the maps of the standard network, for other networks at the end of training, each
            with scales of its own: ReLU, whose curvature is 0 between the kinks, random labels, and
            a deep network. First seed.
            """,
            when=with_planes,
        ),
        Figure(
            "plane_magnification",
            CATEGORY,
            "Whether volume is large near decision boundaries, through training, with controls.",
            """
            Rank correlation, over the points of the square, of the log volume element with the
            distance from a decision boundary: negative if volume is large near it. Columns: log
            volume; the same with the radius taken out (partial correlation), because volume falls
            with the radius before any training; its change since initialisation; the change with
            the radius taken out. Lines: distance from the standard network's own boundary, from the
            true one, and two nulls, the network's boundary turned about the origin by random
            angles, and networks trained to random labels. Means over seeds with 95% bootstrap
            intervals; seeds without a boundary in the square do not count.
            """,
            when=with_planes,
        ),
        Figure(
            "plane_variants",
            CATEGORY,
            "Magnification at the end of training of all networks in the plane.",
            """
            Rank correlation of the change of log volume since initialisation with the distance from
            a decision boundary, with the radius taken out, at the end of training, for every
            variant of the network and its training. Means over seeds with 95% bootstrap intervals.
            """,
            when=with_planes,
        ),
        Figure(
            "plane_spectra",
            CATEGORY,
            "Eigenvalues of the metric through training, in the plane.",
            """
            Left: median condition number of the metric over the square, mean over seeds, one line
            per variant. Middle: share of the points where the metric is singular. If magnification
            were an artefact of a degenerate metric, these would grow with it. Right: rank
            correlation with the distance from the network's boundary, for each eigenvalue of the
            standard network's metric; bands are 95% bootstrap intervals over seeds.
            """,
            when=with_planes,
        ),
        Figure(
            "plane_accuracy",
            CATEGORY,
            "Magnification against accuracy, by network in the plane.",
            """
            Accuracy on the whole square at the end of training against magnification, as the rank
            correlation of log volume, or of its change, with the distance from the network's
            boundary, the radius taken out: the farther to the left, the more the volume near the
            boundary is magnified. One point per training; networks with random labels are left out.
            The title has the rank correlation over all points. The first open question of
            Zavatone-Veth et al.
            """,
            when=with_planes,
        ),
        Figure(
            "width_deviations",
            CATEGORY,
            "How random layers approach the symmetry of infinitely wide ones.",
            """
            Layers with random weights of variance 1, by the number of their units. Left: mean
            square deviation of the metric from the nearest spherically symmetric one, relative to
            the square of the infinitely wide layer's, mean over radii, with the slope of the fitted
            line; dotted, a line that falls as 1/n. Middle, right: log volume element and scalar
            curvature at radius 1, or the nearest in the table, less their limits; bars are a
            standard deviation over draws and directions.
            """,
            module="width_figure",
            when=with_widths,
        ),
        Figure(
            "image_paths",
            CATEGORY,
            "Log volume along paths between test images, with the images.",
            """
            Log volume element of the features along a path between two test images of different
            classes (left) and of the same class (right), less the mean of its values at the ends,
            straight in the space of pixels and by way of neighbours in the training set, at the
            snapshots of training; dotted: crossings of
            decision boundaries at the end of training. Images on both paths are below. First
            five networks, each with its first optimiser, augmentation and seed.
            """,
            module="image_figures",
            when=with_images,
        ),
        Figure(
            "image_contrasts",
            CATEGORY,
            "How far volume stands out at decision boundaries between images.",
            """
            Log volume at the crossing of a decision boundary nearest to the middle of a path, above
            the straight line between its values at the ends: one point per path, with means and 95%
            bootstrap intervals over pairs of images, at each snapshot. Paths between images of
            different classes, and of the same class, whose value in the middle counts if they cross
            no boundary. Above: straight paths; below: by way of neighbours. Paths along which the
            rank of the metric changes are left out, because volumes of different ranks cannot be
            compared. First five networks, each with its first optimiser and augmentation.
            """,
            module="image_figures",
            when=with_images,
        ),
        Figure(
            "image_peaks",
            CATEGORY,
            "Where along paths between images the volume is largest.",
            """
            Position of the largest log volume on a path less that of the crossing of a decision
            boundary nearest to the middle, at the end of training, as cumulative shares of the
            paths between images of different classes, for straight paths and those by way of
            neighbours; before training, dashed. If volume had its peak at the boundary, all would
            be at 0. First five networks.
            """,
            module="image_figures",
            when=with_images,
        ),
        Figure(
            "image_planes",
            CATEGORY,
            "Volume and curvature on planes through three test images.",
            """
            Log volume element and scalar curvature of the metric restricted to a plane through
            three test images of different classes, at the end of training, with the boundaries of
            the predicted classes (white or green) and the images' classes. First plane; first five
            networks, each with its first optimiser, augmentation and seed.
            """,
            module="image_figures",
            when=with_images,
        ),
        Figure(
            "image_spectra",
            CATEGORY,
            "Eigenvalues of the metric at test images, through training.",
            """
            Eigenvalues of the metric at some test images (mean of logarithms), at the snapshots of
            training, one panel for each of the first five networks; the legend gives the median
            rank and condition number.
            """,
            module="image_figures",
            when=with_images,
        ),
    ),
    pages=(
        Page(
            "representations_maps.html",
            "plane_explore",
            (
                "Maps of volume and curvature in the plane, with a slider through training; a "
                "single page that works offline."
            ),
            link="Watch networks bend the plane as they learn",
        ),
    ),
    files={
        "representations/<configuration>.zarr": (
            "Log volumes, classes and crossings on paths between test images, maps of planes, and "
            "eigenvalues of the metric, at the snapshots of one configuration's trainings."
        ),
        "representations/*.csv": "The tables of each task in the plane, before they are joined.",
    },
    claims=("claims",),
    data="representations",
)
