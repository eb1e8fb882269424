"""Samples that a prior may depend on, and samples on which a bound rests: two types, kept apart.

A PAC-Bayes bound holds only if the prior does not depend on the samples that the bound counts. The
functions that make a prior take `PriorSamples` or none; those that certify take `BoundedSamples`.
Samples are hashed, so that one that found its way into both is refused.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.given import as_samples
from hyperribbon.errors import DataError


class Samples:
    """Inputs with classes; made as one of its two subclasses.

    Parameters
    ----------
    inputs : (n, ...) Tensor or array of real numbers
    targets : (n,) integer classes

    Attributes
    ----------
    inputs : (n, ...) float32 Tensor
    targets : (n,) int64 Tensor
    hashes : list of bytes, of each sample's input

    Raises
    ------
    DataError
        If they are not such arrays of equal length.
    """

    def __init__(self, inputs: Tensor | np.ndarray, targets: Tensor | np.ndarray):
        like = torch.empty(0)
        self.inputs = as_samples(inputs, "inputs", like).float()
        targets = as_samples(targets, "targets", like)
        if targets.ndim != 1 or targets.is_floating_point():
            found = f"{str(targets.dtype).removeprefix('torch.')} of shape {tuple(targets.shape)}"
            raise DataError(
                f"targets: {found}, expected integer classes (n,): a certificate bounds the error "
                "of a classifier trained with the cross-entropy"
            )
        self.targets = targets.long()
        if len(self.inputs) != len(self.targets):
            raise DataError(
                f"inputs: {len(self.inputs)} samples and {len(self.targets)} targets, expected "
                "equal numbers"
            )
        rows = np.ascontiguousarray(self.inputs.flatten(1).numpy()) + np.float32(0)  # -0 is 0
        self.hashes = [blake2b(row.tobytes(), digest_size=16).digest() for row in rows]

    def __len__(self) -> int:
        return len(self.targets)


class PriorSamples(Samples):
    """Samples that a prior may depend on, and that no bound counts."""


class BoundedSamples(Samples):
    """Samples on which a bound rests, and that no prior has seen."""


class SetAside(NamedTuple):
    """Samples in two parts that have none in common; see `set_aside`."""

    prior: PriorSamples
    bounded: BoundedSamples


def set_aside(
    inputs: Tensor | np.ndarray,
    targets: Tensor | np.ndarray,
    size: float,
    seed: int = 0,
) -> SetAside:
    """Set some samples aside for a prior, at random; the others are for the bound.

    Parameters
    ----------
    inputs, targets : as in `Samples`
    size : number of samples for the prior, an int, or their fraction, a float below 1
    seed : of the choice, which does not look at the samples

    Raises
    ------
    DataError
        If fewer than one sample would be for the prior or fewer than two for the bound, or if a
        sample occurs twice, so that it could be in both parts.

    Examples
    --------
    >>> prior, bounded = set_aside(torch.arange(20.0)[:, None], torch.arange(20) % 2, 0.25)
    >>> len(prior), len(bounded)
    (5, 15)
    """
    whole = Samples(inputs, targets)
    n = len(whole)
    share = isinstance(size, float) and 0 < size < 1
    count = check_count(round(size * n) if share else size, "size", 1, n - 2)  # type: ignore[arg-type]
    order = torch.from_numpy(np.random.default_rng(seed).permutation(n))
    parts = order[:count].sort().values, order[count:].sort().values
    prior, bounded = ((whole.inputs[rows], whole.targets[rows]) for rows in parts)
    found = SetAside(PriorSamples(*prior), BoundedSamples(*bounded))
    refuse_overlap(*found)
    return found


def refuse_overlap(prior: PriorSamples, bounded: BoundedSamples) -> None:
    """Refuse samples of a prior that are among those of a bound.

    Raises
    ------
    DataError
        If a sample is in both, or if one of the two is of another type.

    Examples
    --------
    >>> x, y = torch.eye(4), torch.tensor([0, 1, 0, 1])
    >>> refuse_overlap(PriorSamples(x[:3], y[:3]), BoundedSamples(x[2:], y[2:]))
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: samples: 1 of the prior's 3 are among the bounded ones, such as \
sample 2 of the prior's; expected none, because a prior must not depend on what it helps to bound
    """
    as_prior_samples(prior)
    as_bounded_samples(bounded)
    known = set(bounded.hashes)
    both = [row for row, name in enumerate(prior.hashes) if name in known]
    if both:
        raise DataError(
            f"samples: {len(both)} of the prior's {len(prior)} are among the bounded ones, such as "
            f"sample {both[0]} of the prior's; expected none, because a prior must not depend on "
            "what it helps to bound"
        )


def as_prior_samples(samples: object) -> PriorSamples:
    """The samples, if they are `PriorSamples`; otherwise a DataError."""
    if not isinstance(samples, PriorSamples):
        raise DataError(
            f"prior_samples: {type(samples).__name__}, expected PriorSamples, as set_aside makes "
            "them: a prior must not depend on what it helps to bound"
        )
    return samples


def as_bounded_samples(samples: object) -> BoundedSamples:
    """The samples, if they are `BoundedSamples`; otherwise a DataError."""
    if not isinstance(samples, BoundedSamples):
        raise DataError(
            f"bounded: {type(samples).__name__}, expected BoundedSamples, as set_aside makes them, "
            "or all training samples if the prior depends on none"
        )
    return samples
