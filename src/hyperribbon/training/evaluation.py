"""What a checkpoint of a training records: predictions on both splits, and their errors."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.errors import DataError
from hyperribbon.storage.dataset import Split
from hyperribbon.tasks.imprinting import imprint
from hyperribbon.training.loop import predict
from hyperribbon.training.samples import Resident, Streamed

logger = logging.getLogger(__name__)

Evaluated = Mapping[Split, tuple[Resident | Streamed, Tensor]]


class Evaluation(NamedTuple):
    """Mean cross-entropy in nats, fraction misclassified, and probabilities (N, C) float32."""

    loss: float
    error: float
    probabilities: np.ndarray


def classify(network: nn.Module, evaluated: Evaluated) -> dict[Split, Evaluation]:
    """Predictions of the network's own classifier.

    Parameters
    ----------
    network : torch.nn.Module
        It is left in evaluation mode.
    evaluated : mapping
        Samples and true labels (N,) of each split.
    """
    return {
        split: _evaluation(predict(network, samples).double(), labels)
        for split, (samples, labels) in evaluated.items()
    }


def imprint_and_classify(
    network: nn.Module, evaluated: Evaluated, n_classes: int
) -> dict[Split, Evaluation]:
    """Predictions of all classes of the data from the network's features (thesis 3.2).

    The train samples form the weights (Eq. 3.2.1), which predict both splits. Features (N, F) of
    one split at a time are in memory. They are computed in float32; sums and logits are float64.

    If features are not finite, or those of a class sum to zero, every probability and the loss are
    NaN.

    Parameters
    ----------
    network : torch.nn.Module
        It has the part ``features``, which is left in evaluation mode.
    evaluated : mapping
        Samples and true labels (N,) of each split, ``train`` first, with samples of every class.
    n_classes : int
        Number of classes of the data, C.
    """
    features_of = network.get_submodule("features")
    found: dict[Split, Evaluation] = {}
    weights: Tensor | None = None
    for split, (samples, labels) in evaluated.items():
        features = predict(features_of, samples).flatten(1).double()
        if weights is None:
            weights = _imprinted(features, labels, n_classes)
        found[split] = _evaluation(features @ weights.T, labels)
    return found


def _imprinted(features: Tensor, labels: Tensor, n_classes: int) -> Tensor:
    try:
        return torch.as_tensor(imprint(features, labels, n_classes))
    except DataError as error:
        logger.warning("%s", error)
        return features.new_full((n_classes, features.shape[1]), torch.nan)


def _evaluation(logits: Tensor, labels: Tensor) -> Evaluation:
    loss = cross_entropy(logits, labels).item()
    error = (logits.argmax(dim=1) != labels).double().mean().item()
    return Evaluation(loss, error, logits.softmax(dim=1).float().cpu().numpy())
