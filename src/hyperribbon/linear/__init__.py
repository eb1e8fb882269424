"""The training manifold of linear models in closed form (thesis 5).

In the eigenbasis of the correlation matrix K = X X^T of the inputs, the covariance of all points on
all trajectories of gradient descent is known exactly, for any length of training. Begin with
`trajectory_covariance`, and `ribbon_dimension`, which counts the dimensions of the manifold. Wide
networks, which need torch, are in `hyperribbon.linear.networks`.
"""

from hyperribbon.linear.covariance import (
    TrajectoryCovariance,
    sampled_covariance,
    trajectory_covariance,
)
from hyperribbon.linear.dimension import ribbon_dimension
from hyperribbon.linear.kernels import kernels_covariance, linearised_covariance
from hyperribbon.linear.phase import phase_diagram
from hyperribbon.linear.simulation import train_linear
from hyperribbon.linear.two_layers import TwoLayerTrainings, train_two_layers

__all__ = [
    "TrajectoryCovariance",
    "TwoLayerTrainings",
    "kernels_covariance",
    "linearised_covariance",
    "phase_diagram",
    "ribbon_dimension",
    "sampled_covariance",
    "train_linear",
    "train_two_layers",
    "trajectory_covariance",
]
