"""The geometry of a network's representations.

A feature map, from inputs to the activations of a layer, pulls a metric back to the space of
inputs: its volume element says where training magnifies that space, its curvature how it bends it.
The activations of the samples of one class are a class manifold, whose size and distance from the
others change through training.
"""

from hyperribbon.extras import needs

needs("torch", "torch", "hyperribbon.representations")

from hyperribbon.representations.boundary import boundary_distance, crossings, plane_boundary
from hyperribbon.representations.class_manifolds import class_manifolds
from hyperribbon.representations.class_training import tanh_stack, train_manifolds
from hyperribbon.representations.conservation import conservation
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.finite_width import finite_widths
from hyperribbon.representations.followed_training import train_followed
from hyperribbon.representations.infinite_width import InfiniteWidth, ntk_features
from hyperribbon.representations.intrinsic_dimension import intrinsic_dimension
from hyperribbon.representations.inversion import inversion_point, stragglers
from hyperribbon.representations.magnification import magnification, path_contrast
from hyperribbon.representations.metric import (
    log_volume_element,
    metric_spectrum,
    pullback_metric,
)
from hyperribbon.representations.one_layer import OneLayer
from hyperribbon.representations.paths import neighbour_paths, plane_through, straight_paths
from hyperribbon.representations.riemann import ricci_scalar, ricci_tensor, riemann_tensor

__all__ = [
    "InfiniteWidth",
    "OneLayer",
    "boundary_distance",
    "class_manifolds",
    "conservation",
    "crossings",
    "finite_widths",
    "intrinsic_dimension",
    "inversion_point",
    "layer_features",
    "log_volume_element",
    "magnification",
    "metric_spectrum",
    "neighbour_paths",
    "ntk_features",
    "path_contrast",
    "plane_boundary",
    "plane_through",
    "pullback_metric",
    "ricci_scalar",
    "ricci_tensor",
    "riemann_tensor",
    "stragglers",
    "straight_paths",
    "tanh_stack",
    "train_followed",
    "train_manifolds",
]
