"""A basis of samples: a few of them, with weights, on which models are as far apart as on all."""

from __future__ import annotations

import copy
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from hyperribbon.embedding.bases.sample_methods import SAMPLE_METHODS, Choice, refit
from hyperribbon.embedding.bases.sample_terms import WeightedDistances, few_samples, pair_terms
from hyperribbon.embedding.fidelity import explained_by
from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.distributions import check_size


class SampleBasis(TransformerMixin, BaseEstimator):
    r"""A few samples whose weighted distances stand for those on all samples.

    The Bhattacharyya distance of two models is a mean over N samples, :math:`D_{ij} = \sum_n d_n(i,
    j) / N`. A basis of K samples :math:`n_1, \dots, n_K` with weights :math:`w_k \ge 0` gives

    .. math:: \hat D_{ij} = \sum_k w_k\, d_{n_k}(i, j)

    Parameters
    ----------
    n_basis : int, number K of samples
    method : how samples are chosen; all have an order, of which any beginning is a choice too

        - "greedy": forward selection of the sample that leaves the least squared misfit of the
          distances of pairs, given those before it; O(M N) per sample, for M pairs;
        - "leverage": drawn with probabilities proportional to their leverage in the 10 leading
          components of an InPCA (see `sample_loadings`);
        - "d_optimal": greedy, so that the loadings chosen have the largest determinant;
        - "pivoted_qr": pivots of a QR factorisation of the loadings;
        - "random": a random subset, the baseline
    weighted : bool, whether weights are fitted to the distances of pairs, by least squares and not
        negative; otherwise all are 1 / K
    random_state : int, RandomState or None; seed of the pairs, and of what a method draws
    progress_bar : bool, show progress bars; quiet when the output is not a terminal

    Attributes
    ----------
    indices_ : (K,) int, positions of the samples, in the order of choice
    weights_ : (K,) float64, 0 or more. Where fewer samples explain all, the others have weight 0
    misfit_ : float, norm of the misfit of the pairs' distances relative to theirs
    n_pairs_ : int, number M of pairs of models that the basis was fitted to
    n_samples_ : int, number N of all samples

    Notes
    -----
    The basis is fitted to all pairs of up to 88 models. Of more, it is fitted to 3,840 pairs at
    random, in groups of 16 models: 512 models are read, and 4 M N bytes are kept (twice that for
    models in float64), 154 MB for 10,000 samples. Loadings are those of 256 models at random.

    Samples on which two models have no class in common count as in `pairwise_distance`: their
    coefficients are raised to 1e-30, 69 nats.

    Examples
    --------
    Of three samples, two are the same, and the pair of them counts twice:

    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 2))[:, [0, 1, 1]]
    >>> basis = SampleBasis(2).fit(P)
    >>> sorted(basis.weights_.round(6).tolist())
    [0.333333, 0.666667]
    >>> round(basis.score(P), 6)
    1.0
    >>> basis.transform(P).shape, basis.smaller(1).indices_.shape
    ((8, 2, 3), (1,))
    """

    def __init__(
        self, n_basis=50, *, method="greedy", weighted=True, random_state=None, progress_bar=False
    ):
        self.n_basis = n_basis
        self.method = method
        self.weighted = weighted
        self.random_state = random_state
        self.progress_bar = progress_bar

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, P, y=None) -> Self:
        """Choose samples on which these models are as far apart as on all.

        Parameters
        ----------
        P : (m, N, C) models, or what `hyperribbon.pairwise.pairwise_distance` takes
        y : ignored

        Raises
        ------
        DataError
            If there are fewer than two models or fewer than K samples, all models are identical,
            rows are not distributions, or there is no such method.
        """
        method = SAMPLE_METHODS.find(self.method)
        stack = Stack(P, "P")
        m, n_samples, _ = stack.shape
        count = _count(self.n_basis, n_samples)
        if m < 2:
            raise DataError("P: one model, expected two or more, whose distances to keep")
        rng = check_random_state(self.random_state)
        terms = pair_terms(stack, rng, "pairs of models" if self.progress_bar else None)
        choice = Choice(stack, terms, self.weighted, rng)
        # As in `embedding.inpca.without_rounding`.
        rounding = 4 * np.finfo(np.float32).eps if stack.single else 1e-13
        if not choice.target.max() > rounding:
            raise DataError(
                f"P: {m} models that are all the same, expected models at some distance from each "
                "other"
            )
        order = method(choice, count, f"{self.method} choice" if self.progress_bar else None)
        chosen = terms[:, order].astype(np.float64)
        self.n_samples_, self.n_pairs_ = n_samples, len(terms)
        self._order = order
        # The triangle holds all that is needed to fit the weights of any beginning again.
        Q, self._triangle = np.linalg.qr(chosen)
        self._target = Q.T @ choice.target
        self._size = np.linalg.norm(choice.target)
        self._beyond = np.linalg.norm(choice.target - Q @ self._target)
        return self._begin(count)

    def smaller(self, n_basis: int) -> Self:
        """The basis of the first samples, with weights of its own; nothing is chosen again.

        Raises
        ------
        DataError
            If there are fewer samples in this basis.

        Examples
        --------
        >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 9))
        >>> basis = SampleBasis(5, random_state=0).fit(P)
        >>> bool(np.allclose(basis.smaller(3).weights_, SampleBasis(3).fit(P).weights_))
        True
        """
        check_is_fitted(self)
        most = len(self._order)
        if not 1 <= check_size(n_basis, "n_basis") <= most:
            raise DataError(f"n_basis = {n_basis}: expected 1 to {most}, the size of this basis")
        smaller = copy.copy(self).set_params(n_basis=n_basis)
        return smaller._begin(n_basis)

    def _begin(self, count: int) -> Self:
        """Set the attributes of the basis of the first samples."""
        self.indices_, R = self._order[:count], self._triangle[:, :count]
        self.weights_ = refit(R, self._target) if self.weighted else np.full(count, 1 / count)
        misfit = np.linalg.norm(R @ self.weights_ - self._target)
        self.misfit_ = float(np.hypot(misfit, self._beyond) / self._size)
        return self

    def transform(self, P) -> np.ndarray:
        """Predictions (m, K, C) of models on the samples of the basis, in their order.

        Parameters
        ----------
        P : (m, N, C) models of the fitted samples; any sliceable arrays, read in blocks

        Raises
        ------
        DataError
            If the models have another number of samples.
        """
        check_is_fitted(self)
        stack = Stack(P, "P")
        if stack.shape[1] != self.n_samples_:
            expected = f"(models, {self.n_samples_}, classes), the samples that were fitted"
            raise DataError(f"P: shape {stack.shape}, expected {expected}")
        return few_samples(stack, self.indices_)

    def on_basis(self, P) -> np.ndarray:
        """Predictions (m, K, C) on the basis, of models of all N samples or of these K alone.

        Raises
        ------
        DataError
            If the models have another number of samples.
        """
        check_is_fitted(self)
        stack = Stack(P, "P")
        count = len(self.indices_)
        if stack.shape[1] == count != self.n_samples_:
            return stack[:]
        if stack.shape[1] != self.n_samples_:
            expected = f"{self.n_samples_} samples, or the {count} of the basis alone"
            raise DataError(f"P: shape {stack.shape}, expected {expected}")
        return few_samples(stack, self.indices_)

    def pairwise_distances(self, P) -> np.ndarray:
        """Distances between models from the samples of the basis.

        Parameters
        ----------
        P : (m, N, C) models of all samples, or (m, K, C) of those of the basis, in its order

        Returns
        -------
        (m, m) float64, nats, symmetric with a zero diagonal

        Raises
        ------
        DataError
            If the models have another number of samples, or rows are not distributions.

        Notes
        -----
        It takes m^2 K (C + 1) / 2 operations and 8 m^2 bytes; `score` does without the latter.
        """
        return WeightedDistances(self.on_basis(P), self.weights_).dense()

    def score(self, P, D=None) -> float:
        r"""Explained pairwise distance (Eq. 2.4.2) of the basis against all samples.

        .. math:: 1 - \sum_{ij} |D_{ij} - \hat D_{ij}| / \sum_{ij} |D_{ij}|

        Parameters
        ----------
        P : as of `pairwise_distances`; models that were not fitted, for an honest score
        D : (m, m) their distances on all samples, any sliceable array; computed by default, in
            8 m^2 bytes, which needs all samples

        Returns
        -------
        float, at most 1; NaN if all distances are 0

        Raises
        ------
        DataError
            If the models have another number of samples, D is not of as many models, or rows are
            not distributions.
        """
        if D is None:
            if Stack(P, "P").shape[1] != self.n_samples_:
                expected = f"D, or all {self.n_samples_} samples to compute it from"
                raise DataError(f"P: shape {Stack(P, 'P').shape}, expected {expected}")
            D = pairwise_distance(P, floor=FLOOR)
        return explained_by(D, WeightedDistances(self.on_basis(P), self.weights_))


def _count(n_basis, n_samples: int) -> int:
    count = check_size(n_basis, "n_basis")
    if count > n_samples:
        raise DataError(
            f"n_basis = {n_basis}: more than there are samples, expected 1 to {n_samples}"
        )
    return count
