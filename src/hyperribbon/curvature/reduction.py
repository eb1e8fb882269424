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
    """Models reduced to ever more Fisher eigenvectors; the last one is the whole model.

    Attributes
    ----------
    kept : (M,), eigenvectors, ascending; of the whole model, its p weights
    predictions : (M, N, C) float32, probabilities of the samples the eigenvectors are of
    errors : (M, 2), fractions misclassified, of those samples and of the test samples
    """

    kept: np.ndarray
    predictions: np.ndarray
    errors: np.ndarray


def reduced_models(
    eigenpairs: FisherEigenpairs | WholeEigenpairs, test: Problem, fractions: Sequence[float]
) -> ReducedModels:
    """Reduce a model to fractions of its weights' directions, to all that are not 0, and to none.

    Parameters
    ----------
    eigenpairs : of the model's Fisher matrix
    test : the model on test samples
    fractions : of the p weights; those beyond the matrix's rank are left out, for an eigenspace of
        0 has no directions of its own
    """
    problem, rank = eigenpairs.problem, eigenpairs.rank
    p = problem.n_parameters
    kept = {k for k in (round(f * p) for f in fractions) if 1 <= k <= rank}
    kept = sorted((kept | {rank}) - {p})
    predictions, errors = [], []
    for weights in (*reduced_weights(eigenpairs, kept), problem.flat_weights()):
        outputs = problem.all_outputs(weights)
        errors.append([misclassified(outputs, problem.targets), error_of(test, weights)])
        predictions.append(outputs.softmax(dim=1).float().cpu().numpy())
    return ReducedModels(np.array([*kept, p]), np.stack(predictions), np.array(errors))


def reduced_weights(
    eigenpairs: FisherEigenpairs | WholeEigenpairs, counts: Sequence[int]
) -> Iterator[np.ndarray]:
    """The weights' projections on the first k Fisher eigenvectors: w_k = sum <w, e_i> e_i.

    Parameters
    ----------
    eigenpairs : of the model's Fisher matrix, all p of them, or the r that are not 0
    counts : of eigenvectors that are kept, each from 1 to r. All r of them are not the whole model,
        unless r is p: it also has components on which predictions of these samples do not depend,
        to first order

    Yields
    ------
    (p,) weights, for each count

    Raises
    ------
    DataError
        If a count is outside 1 to r.

    Notes
    -----
    Of those that are not 0 all components take one product with the outputs' Jacobian, and each
    model one with its transpose.
    """
    known = len(eigenpairs.eigenvalues)
    counts = [check_count(k, "eigenvectors", 1, known) for k in counts]
    components = eigenpairs.components(eigenpairs.problem.flat_weights())
    for k in counts:
        yield eigenpairs.combine(components[:k, None])[:, 0]
