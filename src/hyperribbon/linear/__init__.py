"""Training of linear models: its manifold in closed form (thesis 5).

In the eigenbasis of the inputs' correlation matrix K = X X^T the covariance of all points on all
trajectories of gradient descent is known exactly (`trajectory_covariance`), and with it how many
dimensions the manifold has (`ribbon_dimension`), for any length of training. What needs torch, wide
networks, is in `hyperribbon.linear.networks`.
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
