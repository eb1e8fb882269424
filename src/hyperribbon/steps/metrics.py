"""InPCA in other distances, side by side: symmetrised KL (IsKL), geodesic, Euclidean (PCA)."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.manifest import store_path
from hyperribbon.models import Models
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.store import SPLITS
from hyperribbon.tables import MODEL_KEYS, write_table

METRICS = ("bhattacharyya", "symmetric_kl", "geodesic", "euclidean")
DIMENSIONS = 50
SHOWN = 3
# The curve without the truth, which symmetrised KL puts at infinity.
ALPHA = np.linspace(0, 0.98, 50)


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    tables: dict[str, list[pd.DataFrame]] = {path.stem: [] for path in args.output}
    for split in SPLITS:
        rows, parts = models.sample(split, args.models)
        n_samples, n_classes = parts[0].shape[1:]
        ends = (
            ignorance(n_samples, n_classes),
            truth(models.labels(split), n_classes, args.smoothing),
        )
        curve = geodesic(*ends, ALPHA)
        keys = models.table[MODEL_KEYS].iloc[rows].reset_index(drop=True)
        for metric in METRICS:
            options = {"metric": metric, "floor": FLOOR, "threads": args.threads}
            D = pairwise_distance(parts, progress=True, **options)
            inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)
            of_curve = inpca.transform(pairwise_distance(curve, parts, **options))
            about = {"split": split, "metric": metric}
            for name, table in (
                ("metrics", dimension_table(inpca, D).assign(models=len(rows))),
                ("metric_embedding", keys.join(coordinates(inpca.embedding_))),
                ("metric_geodesic", coordinates(of_curve).assign(alpha=ALPHA)),
            ):
                tables[name].append(table.assign(**about))
            logger.info("%s, %s: %.3f", split, metric, inpca.explained_stress_[SHOWN - 1])
    for path in args.output:
        write_table(pd.concat(tables[path.stem]).set_index("split").reset_index(), path)


def dimension_table(inpca: InPCA, D: np.ndarray) -> pd.DataFrame:
    """One row a dimension; explained variance only where no eigenvalue is negative."""
    eigenvalues = inpca.eigenvalues_
    trace = D.sum() / (2 * len(D))  # of W, for distances of 0 on the diagonal
    variance = np.cumsum(eigenvalues) / trace
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(eigenvalues) + 1),
            "eigenvalue": eigenvalues,
            "explained_stress": inpca.explained_stress_,
            "explained_pairwise_distance": inpca.explained_pairwise_distance_,
            "explained_variance": variance if (eigenvalues >= 0).all() else np.nan,
        }
    )


def coordinates(X: np.ndarray) -> pd.DataFrame:
    """The first coordinates, by name."""
    return pd.DataFrame(X[:, :SHOWN], columns=[f"pc{k + 1}" for k in range(SHOWN)])


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    parser.add_argument("--models", type=int, required=True, help="how many, at most")
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="CSV files to write")
    run_step(main, parser)
