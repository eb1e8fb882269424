"""Models reduced to the stiff directions of their weights (Cowlagi & Chaudhari, Fig. 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.gram import FisherEigenpairs
from hyperribbon.curvature.problem import Problem, error_of, misclassified
from hyperribbon.curvature.spectrum import WholeEigenpairs


class ReducedModels(NamedTuple):
    """Models reduced to more and more Fisher eigenvectors; the last one is the complete model.

    Attributes
    ----------
    kept : (M,), numbers of eigenvectors, ascending; for the complete model, its p weights
    predictions : (M, N, C) float32, probabilities for the samples of the Fisher matrix
    errors : (M, 2), fractions misclassified among those samples and among the test samples
    """

    kept: np.ndarray
    predictions: np.ndarray
    errors: np.ndarray


def reduced_models(
    eigenpairs: FisherEigenpairs | WholeEigenpairs, test: Problem, fractions: Sequence[float]
) -> ReducedModels:
    """Project a model's weights onto its leading Fisher eigenvectors.

    The models keep the given fractions of the eigenvectors, all eigenvectors of nonzero eigenvalue,
    and, last, all weights.

    Parameters
    ----------
    eigenpairs : eigenpairs of the model's Fisher matrix
    test : the model on test samples
    fractions : fractions of the p eigenvectors; those beyond the matrix's rank are left out,
        because the eigenspace of 0 has no preferred directions
    """
    problem, rank = eigenpairs.problem, eigenpairs.rank
    p = problem.n_parameters
    asked = {k for k in (round(f * p) for f in fractions) if 1 <= k <= rank}
    kept = sorted((asked | {rank}) - {p})
    predictions, errors = [], []
    for weights in (*reduced_weights(eigenpairs, kept), problem.flat_weights()):
        outputs = problem.all_outputs(weights)
        errors.append([misclassified(outputs, problem.targets), error_of(test, weights)])
        predictions.append(outputs.softmax(dim=1).float().cpu().numpy())
    return ReducedModels(np.array([*kept, p]), np.stack(predictions), np.array(errors))


def reduced_weights(
    eigenpairs: FisherEigenpairs | WholeEigenpairs, counts: Sequence[int]
) -> Iterator[np.ndarray]:
    """Projections of the weights onto the first k Fisher eigenvectors: w_k = sum <w, e_i> e_i.

    Parameters
    ----------
    eigenpairs : eigenpairs of the model's Fisher matrix, all p, or the r of nonzero eigenvalue
    counts : numbers of eigenvectors to keep, each from 1 to r. Unless r is p, all r of them do not
        give back the complete model: its weights also have components on which the predictions for
        these samples do not depend, to first order

    Yields
    ------
    (p,) weights, for each count

    Raises
    ------
    DataError
        If a count is outside 1 to r.

    Notes
    -----
    If only the r eigenpairs of nonzero eigenvalue are given, computing all components takes one
    product with the Jacobian of the outputs, and each model one product with its transpose.
    """
    known = len(eigenpairs.eigenvalues)
    counts = [check_count(k, "eigenvectors", 1, known) for k in counts]
    components = eigenpairs.components(eigenpairs.problem.flat_weights())
    for k in counts:
        yield eigenpairs.combine(components[:k, None])[:, 0]
