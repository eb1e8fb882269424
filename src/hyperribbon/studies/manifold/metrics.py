"""InPCA in other distances, side by side: symmetrised KL (IsKL), geodesic, Euclidean (PCA).

Those that the study's plugins register come after them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import (
    explained_pairwise_distance_interval,
    explained_stress_draws,
    second_eigenvalue_interval,
)
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.numerics.blocks import submatrix
from hyperribbon.numerics.bootstrap import percentiles
from hyperribbon.pairwise import FLOOR, METRICS, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step

COMPARED = [name for name in METRICS if name in METRICS.built_in and METRICS[name].label]
DIMENSIONS = 50  # at least those that claims speak of
SHOWN = 3
BOUNDS = ["low", "high", "pairwise_low", "pairwise_high", "less_inpca_low", "less_inpca_high"]
BOUNDS += ["ratio_low", "ratio_high"]


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    models: int,
    threads: int,
    output: list[Path],
    smoothing: float = 0.0,
    registered: tuple[str, ...] = (),
) -> None:
    """Embed some models, and the geodesic among them, by each distance.

    Parameters
    ----------
    predictions : manifests
    distance : manifests, train then test
    models : number of models, at most
    threads : tiles of distances worked on at once
    output : CSV files to write
    smoothing : of the labels of the truth
    registered : metrics that plugins register
    """
    all_models = Models(list(map(store_path, predictions)))
    tables: dict[str, list[pd.DataFrame]] = {path.stem: [] for path in output}
    for split, manifest in zip(SPLITS, distance, strict=True):
        rows, parts = all_models.sample(split, models)
        n_samples, n_classes = parts[0].shape[1:]
        end = truth(all_models.labels(split), n_classes, smoothing)
        stored, matrix = all_models.distances(store_path(manifest))
        # The curve without the truth, which symmetrised KL puts at infinity.
        alpha = stored["alpha"].values[:-1]
        curve = geodesic(ignorance(n_samples, n_classes), end, alpha)
        keys = all_models.table[MODEL_KEYS].iloc[rows].reset_index(drop=True)
        of_inpca = None  # the first of them
        for metric in (*COMPARED, *registered):
            if metric == "bhattacharyya":
                D = submatrix(matrix, rows)
                to_curve = stored["geodesic_distance"].values[:-1, rows]
            else:
                D = pairwise_distance(
                    parts, metric=metric, floor=FLOOR, threads=threads, progress_bar=True
                )
                to_curve = pairwise_distance(
                    curve, parts, metric=metric, floor=FLOOR, threads=threads
                )
            inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)
            about = {"split": split, "metric": metric}
            draws = explained_stress_draws(D, keys["configuration"], inpca.explained_stress_)
            of_inpca = draws if of_inpca is None else of_inpca
            shares = explained(inpca, D, keys["configuration"], draws, of_inpca)
            for name, table in (
                ("metrics", shares.assign(models=len(rows))),
                ("metric_embedding", keys.join(coordinate_table(inpca.embedding_, SHOWN))),
                (
                    "metric_geodesic",
                    coordinate_table(inpca.transform(to_curve), SHOWN).assign(alpha=alpha),
                ),
            ):
                tables[name].append(table.assign(**about))
            logger.info("%s, %s: %.3f", split, metric, inpca.explained_stress_[:SHOWN][-1])
    for path in output:
        write_table(pd.concat(tables[path.stem]).set_index("split").reset_index(), path)


def explained(
    inpca: InPCA, D: np.ndarray, configurations: pd.Series, draws: np.ndarray, of_inpca: np.ndarray
) -> pd.DataFrame:
    """What each dimension explains, with intervals; of PCA, the variance.

    The draws (draws, k) of the stress by this distance and by that of InPCA took the same
    configurations, so that they also give the interval of the difference. The second dimension of
    InPCA has the interval of its eigenvalue relative to the first.
    """
    values = inpca.eigenvalues_
    of_pairs = explained_pairwise_distance_interval(
        D,
        inpca.embedding_[:, :SHOWN],
        inpca.signature_[:SHOWN],
        configurations,
        inpca.explained_pairwise_distance_[:SHOWN],
    )
    bounds = pd.DataFrame(np.nan, index=range(len(values)), columns=BOUNDS)
    bounds[["low", "high"]] = np.clip(percentiles(draws), 0, 1).T
    bounds.loc[: SHOWN - 1, ["pairwise_low", "pairwise_high"]] = np.transpose(of_pairs)
    bounds[["less_inpca_low", "less_inpca_high"]] = np.transpose(percentiles(draws - of_inpca))
    if draws is of_inpca:
        ratio = second_eigenvalue_interval(D, configurations, values[1] / values[0])
        bounds.loc[1, ["ratio_low", "ratio_high"]] = ratio
    return dimension_table(inpca).drop(columns="kind").join(bounds)


if __name__ == "__main__":
    run_step(main)
