"""Bases of models: how much of the distances between other models their mixtures keep."""

from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hyperribbon.embedding.bases import ModelBasis, judge_inpca, judge_model_basis
from hyperribbon.embedding.bases.finding import METHODS
from hyperribbon.embedding.bases.mixtures import MIXTURES
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import progress
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, write_table
from hyperribbon.studies.bases.config import BasesConfig
from hyperribbon.studies.bases.divisions import (
    TRAININGS,
    Division,
    SomeModels,
    divisions,
    some_checkpoints,
)
from hyperribbon.studies.step import logger, run_step

USUAL = "probability"  # mixtures, with which all methods are compared
NESTED = ("subset", "k_medoids")  # whose basis models are shown
ELSEWHERE = ("subset", "random")  # methods for other divisions than random halves
INPCA = "InPCA"
ITERATIONS = 20  # of methods that alternate; more hardly change what is explained


def main(
    predictions: list[Path],
    bases: BasesConfig,
    threads: int,
    output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:
    """Judge bases of models, and list the models of which they are made.

    Parameters
    ----------
    predictions : manifests
    bases : section of the study, JSON
    threads : of linear algebra, and blocks of models worked on at once
    output : CSV files of what bases keep, and of basis models
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    rows = some_checkpoints(models, bases.checkpoints)
    judged, chosen = [], []
    with threadpool_limits(threads):
        for split in SPLITS:
            P = SomeModels(models, split, rows)
            D = pairwise_distance(P.all, floor=FLOOR, threads=threads)
            table = models.table.iloc[rows].reset_index(drop=True)
            for division in divisions(table, models.configurations, bases.draws):
                found = judge(P, D, division, bases.models)
                judged.append(found.assign(split=split, **division.about()))
            labels = models.labels(split)
            keys = table[MODEL_KEYS].assign(
                progress=progress(P.all, labels, smoothing=smoothing, threads=threads),
                loss=table[f"{split}_loss"],
                error=table[f"{split}_error"],
            )
            chosen += [
                basis_models(P.all, D, keys, method, bases.models[-1]).assign(split=split)
                for method in NESTED
            ]
            logger.info("%s: bases of models, from %d models", split, len(rows))
    first = ["split", "held_out", "piece", "fitted", "judged", "method", "mixture", "size"]
    write_table(pd.concat(judged).set_index(first).reset_index(), output[0])
    first = ["split", "method", "order", "weight"]
    write_table(pd.concat(chosen).set_index(first).reset_index(), output[1])


def judge(P: SomeModels, D: np.ndarray, division: Division, sizes: tuple[int, ...]) -> pd.DataFrame:
    """One row per method, mixture and size for a division of the models."""
    fitted, judged = P[division.fitted], P[division.judged]
    among = D[np.ix_(division.judged, division.judged)]
    between = D[np.ix_(division.judged, division.fitted)]
    within = D[np.ix_(division.fitted, division.fitted)]
    most = different(within)
    sizes = tuple(size for size in sizes if size <= most) or (min(2, most),)
    halves = division.held_out == TRAININGS
    found = [judge_inpca(within, between, among, sizes).assign(method=INPCA, mixture="")]
    for method in METHODS if halves else ELSEWHERE:
        for mixture in MIXTURES if halves and method == "subset" else (USUAL,):
            basis = ModelBasis(
                method=method, mixture=mixture, max_iter=ITERATIONS, random_state=division.seed
            )
            table = judge_model_basis(basis, fitted, judged, among, sizes)
            found.append(table.assign(method=method, mixture=mixture))
    return pd.concat(found)


def basis_models(
    P: list, D: np.ndarray, keys: pd.DataFrame, method: str, size: int
) -> pd.DataFrame:
    """The models of a basis in the order of choice, with their mean weight."""
    basis = ModelBasis(min(size, different(D)), method=method).fit(P)
    found = keys.iloc[basis.indices_].reset_index(drop=True)
    order = np.arange(1, len(found) + 1)
    return found.assign(method=method, order=order, weight=basis.weights_.mean(axis=0))


def different(D: np.ndarray) -> int:
    """Number of different models among those with distances D, of which a basis is made at most."""
    return len(np.unique(D.round(9), axis=0))


if __name__ == "__main__":
    run_step(main)
