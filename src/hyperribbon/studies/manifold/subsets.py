"""InPCA from few of the samples, or of random mixtures of the classes (thesis 2.5.3.3, 3.5.2)."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA, align_like_signs, explained_pairwise_distance
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import random_stochastic_projection
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models, Selection
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, models_parser, run_step

DIMENSIONS = 10
SHOWN = 3
SIZES = [s * 10**k for k in range(1, 8) for s in (1, 5)]  # of samples: 10, 50, 100, ...
CLASSES = [2, 3, 5, 10, 20, 50, 100]  # to which those of the study are projected


class Projected:
    """Models with their classes mixed at random, projected where they are read."""

    def __init__(self, P, n_classes: int, seed: int):
        self._P, self._n_classes, self._seed = P, n_classes, seed
        self.shape, self.dtype = (*P.shape[:2], n_classes), P.dtype

    def __getitem__(self, key) -> np.ndarray:
        P = random_stochastic_projection(self._P[key], self._n_classes, self._seed)
        return P.astype(self.dtype)


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    subsets, embeddings = [], []
    for split, manifest in zip(SPLITS, args.distance, strict=True):
        rows, parts = models.sample(split, args.models)
        whole = models.distances(store_path(manifest))[1].oindex[rows, rows]
        k = min(DIMENSIONS, len(rows))
        original = InPCA(k, metric="precomputed", random_state=0).fit(whole)
        keys = models.table[MODEL_KEYS].iloc[rows].reset_index(drop=True)
        n_samples, n_classes = parts[0].shape[1:]
        about = {"split": split, "models": len(rows)}
        subsets.append(
            pd.DataFrame(
                {
                    "dimension": np.arange(1, k + 1),
                    "explained_stress": original.explained_stress_,
                    "explained_pairwise_distance": original.explained_pairwise_distance_,
                    "rmsd": 0.0,
                }
            ).assign(**about, kind="samples", size=n_samples, draw=0)
        )
        for kind, size, draw, chosen in chosen_parts(parts, n_samples, n_classes, args.draws):
            D = pairwise_distance(chosen, threads=args.threads)
            # Mixing shrinks all distances, so that one factor is undone.
            if kind == "classes" and D.any():
                D *= whole.sum() / D.sum()
            table, X = compare(D, whole, original, k)
            subsets.append(table.assign(**about, kind=kind, size=size, draw=draw))
            if draw == 0:
                shown = coordinate_table(X, SHOWN)
                embeddings.append(keys.join(shown).assign(split=split, kind=kind, size=size))
        logger.info("%s: %d models, %d draws", split, len(rows), args.draws)
    columns = ["split", "kind", "size", "draw", "models", "dimension"]
    write_table(pd.concat(subsets).set_index(columns).reset_index(), args.output[0])
    columns = ["split", "kind", "size", *MODEL_KEYS]
    write_table(pd.concat(embeddings).set_index(columns).reset_index(), args.output[1])


def chosen_parts(
    parts: list, n_samples: int, n_classes: int, draws: int
) -> Iterator[tuple[str, int, int, list]]:
    """Kind, size, draw and models, for every size below the whole."""
    for size in (size for size in SIZES if size < n_samples):
        for draw in range(draws):
            rng = np.random.default_rng((draw, size))
            few = np.sort(rng.choice(n_samples, size, replace=False))
            yield "samples", size, draw, [Selection(P, samples=few) for P in parts]
    for size in (size for size in CLASSES if size < n_classes):
        for draw in range(draws):
            yield "classes", size, draw, [Projected(P, size, draw) for P in parts]


def compare(
    D: np.ndarray, whole: np.ndarray, original: InPCA, k: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """An embedding of D beside the original: a table by dimension, and coordinates laid upon it.

    The distances on all samples are placed in the new axes by Eq. 2.3.1, and compared there; the
    root mean square deviation, of these coordinates aligned with the original ones, is in parts
    of the size of the original, and missing where the first dimensions have other signatures, or
    the original is one point.
    """
    inpca = InPCA(k, metric="precomputed", solver="block", random_state=0).fit(D)
    X = inpca.transform(whole)
    rmsd, laid = np.full(k, np.nan), X
    for d in range(1, k + 1):
        signature, B = original.signature_[:d], original.embedding_[:, :d]
        found = align_like_signs(X[:, :d], inpca.signature_[:d], B, signature)
        if found is not None:
            size = np.sqrt((B**2).sum(axis=1).mean())
            rmsd[d - 1] = found.rmsd / size if size > 0 else np.nan
            if d == SHOWN:
                laid = found.aligned
    table = pd.DataFrame(
        {
            "dimension": np.arange(1, k + 1),
            "explained_stress": inpca.explained_stress_,
            "explained_pairwise_distance": explained_pairwise_distance(whole, X, inpca.signature_),
            "rmsd": rmsd,
        }
    )
    return table, laid


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance")
    parser.add_argument("--models", type=int, required=True, help="how many, at most")
    parser.add_argument("--draws", type=int, required=True, help="of each size")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV files: explained, coordinates"
    )
    run_step(main, parser)
