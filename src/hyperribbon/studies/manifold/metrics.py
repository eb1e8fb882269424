"""InPCA in other distances, side by side: symmetrised KL (IsKL), geodesic, Euclidean (PCA)."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import (
    MODELS,
    explained_pairwise_distance_interval,
    explained_stress_interval,
)
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, models_parser, run_step

METRICS = ("bhattacharyya", "symmetric_kl", "geodesic", "euclidean")
DIMENSIONS = 50  # at least those that claims speak of
SHOWN = 3


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    tables: dict[str, list[pd.DataFrame]] = {path.stem: [] for path in args.output}
    for split, manifest in zip(SPLITS, args.distance, strict=True):
        rows, parts = models.sample(split, args.models)
        n_samples, n_classes = parts[0].shape[1:]
        ends = (
            ignorance(n_samples, n_classes),
            truth(models.labels(split), n_classes, args.smoothing),
        )
        stored, matrix = models.distances(store_path(manifest))
        # The curve without the truth, which symmetrised KL puts at infinity.
        alpha = stored["alpha"].values[:-1]
        curve = geodesic(*ends, alpha)
        keys = models.table[MODEL_KEYS].iloc[rows].reset_index(drop=True)
        few = evenly(len(rows), MODELS)
        configurations = keys["configuration"].iloc[few]
        for metric in METRICS:
            if metric == "bhattacharyya":
                D = matrix.oindex[rows, rows]
                to_curve = stored["geodesic_distance"].values[:-1, rows]
            else:
                options = {"metric": metric, "floor": FLOOR, "threads": args.threads}
                D = pairwise_distance(parts, progress_bar=True, **options)
                to_curve = pairwise_distance(curve, parts, **options)
            inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)
            of_curve = inpca.transform(to_curve)
            about = {"split": split, "metric": metric}
            low, high = explained_stress_interval(
                D[np.ix_(few, few)], configurations, inpca.explained_stress_
            )
            pairwise = explained_pairwise_distance_interval(
                D[np.ix_(few, few)],
                inpca.embedding_[few, :SHOWN],
                inpca.signature_[:SHOWN],
                configurations,
                inpca.explained_pairwise_distance_[:SHOWN],
            )
            bounds = pd.DataFrame({"low": low, "high": high})
            bounds[["pairwise_low", "pairwise_high"]] = np.nan
            bounds.loc[: SHOWN - 1, ["pairwise_low", "pairwise_high"]] = np.transpose(pairwise)
            for name, table in (
                ("metrics", dimension_table(inpca).join(bounds).assign(models=len(rows))),
                ("metric_embedding", keys.join(coordinate_table(inpca.embedding_, SHOWN))),
                ("metric_geodesic", coordinate_table(of_curve, SHOWN).assign(alpha=alpha)),
            ):
                tables[name].append(table.assign(**about))
            logger.info("%s, %s: %.3f", split, metric, inpca.explained_stress_[:SHOWN][-1])
    for path in args.output:
        write_table(pd.concat(tables[path.stem]).set_index("split").reset_index(), path)


def dimension_table(inpca: InPCA) -> pd.DataFrame:
    """One row a dimension; of PCA, explained pairwise distance is the explained variance."""
    eigenvalues = inpca.eigenvalues_
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(eigenvalues) + 1),
            "eigenvalue": eigenvalues,
            "explained_stress": inpca.explained_stress_,
            "explained_pairwise_distance": inpca.explained_pairwise_distance_,
        }
    )


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance")
    parser.add_argument("--models", type=int, required=True, help="how many, at most")
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="CSV files to write")
    run_step(main, parser)
