"""Bases of samples: how much of the distances they keep, and how well they rank trainings."""

from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from threadpoolctl import threadpool_limits

from hyperribbon.embedding.bases import (
    SAMPLE_METHODS,
    SampleBasis,
    agreement,
    chosen_samples,
    judge_sample_basis,
)
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.reporting.thumbnails import are_images, sheet
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.bases.config import BasesConfig
from hyperribbon.studies.bases.divisions import (
    NETWORKS,
    TRAININGS,
    Division,
    SomeModels,
    divisions,
    some_checkpoints,
)
from hyperribbon.studies.step import logger, run_step

# Methods, and whether samples get weights of their own.
VARIANTS = [*((name, True) for name in SAMPLE_METHODS), ("greedy", False), ("random", False)]
ELSEWHERE = [("greedy", True), ("random", False)]  # for other divisions than random halves
BOOTSTRAP = 100  # draws for the interval of a correlation


def main(
    predictions: list[Path],
    bases: BasesConfig,
    threads: int,
    output: tuple[Path, Path, Path],
    data: Path | None = None,
    smoothing: float = 0.0,
) -> None:
    """Judge bases of samples, follow trainings on them, and list their samples.

    Parameters
    ----------
    predictions : manifests
    bases : section of the study, JSON
    threads : of linear algebra, and tiles of distances worked on at once
    output : CSV files of what bases keep, of how well they rank models, and of basis samples
    data : manifest of the data, which may be images; none if they are not known
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    rows = some_checkpoints(models, bases.checkpoints)
    judged, ranked, chosen = [], [], []
    with threadpool_limits(threads):
        for split in SPLITS:
            labels = models.labels(split)
            sizes = tuple(size for size in bases.samples if size <= len(labels)) or (len(labels),)
            P = SomeModels(models, split, rows)
            D = pairwise_distance(P.all, floor=FLOOR, threads=threads)
            table = models.table.iloc[rows].reset_index(drop=True)
            for division in divisions(table, models.configurations, bases.draws):
                found = judge(P, D, division, sizes)
                judged.append(found.assign(split=split, **division.about()))
                if division.held_out in (TRAININGS, NETWORKS):
                    found = rank(P, table, labels, division, sizes, smoothing)
                    ranked += [part.assign(split=split, **division.about()) for part in found]
            basis = SampleBasis(sizes[-1], random_state=0).fit(P.all)
            found = chosen_samples(basis, P.all, labels)
            found.insert(0, "order", np.arange(1, len(found) + 1))
            images = None if data is None else zarr.open_group(store_path(data))[f"{split}_images"]
            chosen.append(found.assign(split=split, picture=pictures(images, basis.indices_)))
            logger.info("%s: bases of samples, from %d models", split, len(rows))
    first = ["split", "held_out", "piece", "fitted", "judged", "method", "weighted", "size"]
    write_table(pd.concat(judged).set_index(first).reset_index(), output[0])
    columns = ["split", "held_out", "piece", "method", "weighted", "size", "models", "quantity"]
    # None if there are too few trainings for any to be held out.
    ranking = pd.concat(ranked) if ranked else pd.DataFrame(columns=columns)
    write_table(ranking.set_index(columns).reset_index(), output[1])
    write_table(pd.concat(chosen).set_index(["split", "order"]).reset_index(), output[2])


def judge(P: SomeModels, D: np.ndarray, division: Division, sizes: tuple[int, ...]) -> pd.DataFrame:
    """One row per method and size for a division of the models."""
    fitted, judged = P[division.fitted], P[division.judged]
    among = D[np.ix_(division.judged, division.judged)]
    halves = division.held_out == TRAININGS
    found = []
    for method, weighted in VARIANTS if halves else ELSEWHERE:
        basis = SampleBasis(method=method, weighted=weighted, random_state=division.seed)
        table = judge_sample_basis(basis, fitted, judged, among, sizes)
        found.append(table.assign(method=method, weighted=weighted))
    return pd.concat(found)


def rank(
    P: SomeModels,
    table: pd.DataFrame,
    labels: np.ndarray,
    division: Division,
    sizes: tuple[int, ...],
    smoothing: float,
) -> list[pd.DataFrame]:
    """Correlations with all samples, for each method, set of models and size."""
    fitted = P[division.fitted]
    of_training = table[["configuration", "seed"]].astype(str).agg("-".join, axis=1)
    last = ~of_training.duplicated(keep="last").to_numpy()
    found = []
    for method, weighted in ELSEWHERE[: 2 if division.held_out == TRAININGS else 1]:
        basis = SampleBasis(sizes[-1], method=method, weighted=weighted,
                            random_state=division.seed).fit(fitted)  # fmt: skip
        for name, some in (("checkpoints", division.judged), ("ends", division.judged & last)):
            if some.sum() < 3:
                continue  # no correlation
            judged, groups = P[some], of_training[some].tolist()
            for size in sizes:
                compared = agreement(
                    basis.smaller(size), judged, labels, groups=groups, smoothing=smoothing,
                    draws=BOOTSTRAP,
                )  # fmt: skip
                compared = compared.rename(columns={"samples": "size", "models": "compared"})
                found.append(compared.assign(method=method, weighted=weighted, models=name))
    return found


def pictures(images, samples: np.ndarray) -> list[str]:
    """Images of samples as data addresses; empty where samples are no images."""
    if images is None or not are_images(images):
        return [""] * len(samples)
    return [sheet(np.asarray(images[int(n)])[None]).address for n in samples]


if __name__ == "__main__":
    run_step(main)
