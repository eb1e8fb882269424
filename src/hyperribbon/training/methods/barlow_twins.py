"""Barlow Twins (Zbontar et al. 2021)."""

from __future__ import annotations

import torch
from torch import Tensor

from hyperribbon.training.methods.two_views import TwoViews

# Variance below which a unit counts as dead. Those of living projections are of order 1.
DEAD = 1e-12


def barlow_twins_loss(z_a: Tensor, z_b: Tensor, redundancy: float) -> Tensor:
    r"""Distance of the cross-correlation of two views from the identity (Zbontar et al., Eq. 1).

    .. math:: \sum_i (1 - C_{ii})^2 + \lambda \sum_{i \neq j} C_{ij}^2

    The correlations C are over the batch, with population variances, and nothing is added to them.
    A unit whose variance is below `DEAD` has no correlations: it counts as uncorrelated, costs 1 on
    the diagonal, and gets no gradient, where a division by its standard deviation would give NaN.

    Parameters
    ----------
    z_a, z_b : Tensor, shape (B, P)
        Projections of the views.
    redundancy : float
        Lambda, the weight of the correlations of different units.

    Examples
    --------
    >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> barlow_twins_loss(z, z, redundancy=0.5), barlow_twins_loss(z, z.flip(1), redundancy=0.5)
    (tensor(0.), tensor(3.))
    """
    correlation = _standardised(z_a).T @ _standardised(z_b) / len(z_a)
    diagonal = correlation.diagonal()
    others = correlation.square().sum() - diagonal.square().sum()
    return (1 - diagonal).square().sum() + redundancy * others


def _standardised(z: Tensor) -> Tensor:
    """Units of mean 0 and population variance 1 over the batch; 0 where a unit is dead."""
    variance, mean = torch.var_mean(z, dim=0, correction=0)
    dead = variance < DEAD
    scale = torch.where(dead, 1.0, variance).rsqrt()
    return torch.where(dead, 0.0, (z - mean) * scale)


class BarlowTwins(TwoViews):
    """Each unit is alike in the two views of a sample, and no two units are alike."""

    batchnorm = True

    def compare(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """`barlow_twins_loss`."""
        return barlow_twins_loss(z_a, z_b, self.config.redundancy)


METHOD = BarlowTwins
