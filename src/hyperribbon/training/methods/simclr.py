"""SimCLR (Chen et al. 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from hyperribbon.training.methods.two_views import TwoViews


def nt_xent(z_a: Tensor, z_b: Tensor, temperature: float) -> Tensor:
    r"""Normalised temperature-scaled cross-entropy of two views, in nats (Chen et al. 2020, Eq. 1).

    .. math:: -\log \frac{\exp(\cos(z_i, z_j) / t)}{\sum_{k \neq i} \exp(\cos(z_i, z_k) / t)}

    averaged over all 2 B projections i, whose partner j is the other view of the same sample.

    Parameters
    ----------
    z_a, z_b : Tensor, shape (B, P)
        Projections of the views.
    temperature : float
        t.

    Examples
    --------
    >>> nt_xent(torch.eye(2), torch.eye(2), temperature=1.0)  # log(e + 2) - 1
    tensor(0.5514)
    """
    z = normalize(torch.cat([z_a, z_b]))
    itself = torch.eye(len(z), dtype=torch.bool, device=z.device)
    similarities = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
    return cross_entropy(similarities, torch.arange(len(z), device=z.device).roll(len(z_a)))


class SimCLR(TwoViews):
    """The two views of a sample are alike, and those of different samples are not."""

    batchnorm = False

    def compare(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """Mean `nt_xent`."""
        return nt_xent(z_a, z_b, self.config.temperature)


METHOD = SimCLR
