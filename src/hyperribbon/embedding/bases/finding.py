"""How a basis of models is found: the registry of methods behind `ModelBasis`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

from hyperribbon.embedding.bases.alternating import optimise_archetypes, optimise_freely
from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixture, basis_from, frame_of
from hyperribbon.embedding.bases.reading import Roots
from hyperribbon.embedding.bases.selection import (
    affinities,
    choose_greedily,
    choose_medoids,
    distances_in_memory,
)
from hyperribbon.embedding.bases.weights import solve
from hyperribbon.probability.distributions import as_distributions
from hyperribbon.registry import Registry

_BLEND = 0.05  # of other models in a basis that updates change by factors, which cannot leave 0


class Search(NamedTuple):
    """What a method gets.

    roots : the models
    size : of the basis
    kind : of mixture
    max_iter, tol : of alternating methods
    random : source of random numbers
    title : of progress bars, if they are to be shown
    """

    roots: Roots
    size: int
    kind: Mixture
    max_iter: int
    tol: float
    random: np.random.RandomState
    title: str | None


class Found(NamedTuple):
    """What a method finds.

    basis : (K, N, C)
    indices : (K,) positions of basis models among the given ones, in the order of choice, if they
        are such
    composition : (K, m) weights of the given models in each basis model, if these are mixtures
    objective : what the method lowered, by iteration or by number of basis models
    """

    basis: np.ndarray
    indices: np.ndarray | None = None
    composition: np.ndarray | None = None
    objective: np.ndarray | None = None


def _given(search: Search, indices: np.ndarray, objective=None) -> Found:
    models = search.roots.models
    basis = as_distributions(np.asarray(models[indices]), models.name)
    return Found(basis, indices, None, objective)


def _subset(search: Search) -> Found:
    G = affinities(search.roots, search.title)
    return _given(search, *choose_greedily(G, search.size, search.title))


def _medoids(search: Search) -> Found:
    D = distances_in_memory(search.roots.models)
    return _given(search, *choose_medoids(D, search.size, search.title))


def _random(search: Search) -> Found:
    return _given(search, search.random.permutation(len(search.roots))[: search.size])


def _free(search: Search) -> Found:
    basis = _subset(search).basis
    blended = (1 - _BLEND) * basis + _BLEND * _mean(search.roots)
    found = optimise_freely(
        search.roots,
        frame_of(blended, search.kind),
        search.kind,
        search.max_iter,
        search.tol,
        search.title,
    )
    return Found(basis_from(found.frame, search.kind), objective=found.objective)


def _mean(roots: Roots) -> np.ndarray:
    parts = roots.map(lambda rows, A: (A * A).sum(axis=0))
    return (sum(parts, start=np.zeros(())) / len(roots)).T


def _archetypes(search: Search) -> Found:
    roots, kind = search.roots, MIXTURES["probability"]
    first = _subset(search)
    W = solve(roots, frame_of(first.basis, kind), kind, None, 1e-6, 20).weights
    # Models that use a basis model take part in it.
    share = W.T + 1e-3 / len(roots)
    composition = (1 - _BLEND) * np.eye(len(roots))[first.indices]
    composition += _BLEND * share / share.sum(axis=1, keepdims=True)
    found = optimise_archetypes(roots, composition, search.max_iter, search.tol, search.title)
    return Found(basis_from(found.frame, kind), None, found.state, found.objective)


def _nmf(search: Search) -> Found:
    """Plain factorisation of what the kind of mixture adds up, with all models in memory."""
    m, n_samples, n_classes = search.roots.shape
    roots_only = search.kind is MIXTURES["root"]
    X = np.empty((m, n_classes, n_samples), np.float64)
    for rows in search.roots.blocks:
        A = search.roots.read(rows)
        X[rows] = A if roots_only else A * A
    nmf = NMF(search.size, init="nndsvda", max_iter=search.max_iter, random_state=search.random)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        nmf.fit(X.reshape(m, -1))
    factors = nmf.components_.reshape(search.size, n_classes, n_samples)
    factors = factors**2 if roots_only else factors
    totals = factors.sum(axis=1, keepdims=True)
    uniform = np.full_like(factors, 1 / n_classes)
    basis = np.divide(factors, totals, out=uniform, where=totals > 0)
    return Found(np.ascontiguousarray(basis.swapaxes(1, 2)))


METHODS: Registry[Callable[[Search], Found]] = Registry(
    "method",
    {
        "subset": _subset,
        "archetypes": _archetypes,
        "free": _free,
        "k_medoids": _medoids,
        "random": _random,
        "nmf": _nmf,
    },
)
