"""InPCA from few of the samples, or of random mixtures of the classes (thesis 2.5.3.3, 3.5.2)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.from_few import embed_from_few
from hyperribbon.numerics.blocks import submatrix
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.views import Projected, Selection
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step

DIMENSIONS = 10
SHOWN = 3
SIZES = [s * 10**k for k in range(1, 8) for s in (1, 5)]  # of samples: 10, 50, 100, ...
CLASSES = [2, 3, 5, 10, 20, 50, 100]  # to which those of the study are projected


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    models: int,
    draws: int,
    threads: int,
    output: tuple[Path, Path],
) -> None:
    """Compare embeddings from few samples, and of mixed classes, with the original one.

    Parameters
    ----------
    predictions : manifests
    distance : manifests, train then test
    models : number of models, at most
    draws : of each size
    threads : tiles of distances worked on at once
    output : CSV files of what is explained, and of coordinates
    """
    all_models = Models(list(map(store_path, predictions)))
    subsets, embeddings = [], []
    for split, manifest in zip(SPLITS, distance, strict=True):
        rows, parts = all_models.sample(split, models)
        whole = submatrix(all_models.distances(store_path(manifest))[1], rows)
        k = min(DIMENSIONS, len(rows))
        original = InPCA(k, metric="precomputed", random_state=0).fit(whole)
        keys = all_models.table[MODEL_KEYS].iloc[rows].reset_index(drop=True)
        n_samples, n_classes = parts[0].shape[1:]
        table = pd.DataFrame({"dimension": np.arange(1, k + 1)})
        table = table.assign(split=split, models=len(rows))
        subsets.append(
            table.assign(
                explained_stress=original.explained_stress_,
                explained_pairwise_distance=original.explained_pairwise_distance_,
                rmsd=0.0,
                kind="samples",
                size=n_samples,
                draw=0,
            )
        )
        for kind, size, draw, chosen in chosen_parts(parts, n_samples, n_classes, draws):
            D = pairwise_distance(chosen, threads=threads)
            # Mixing shrinks all distances, so that one factor is undone.
            if kind == "classes" and D.any():
                D *= whole.sum() / D.sum()
            found = embed_from_few(D, whole, original, aligned=SHOWN)
            subsets.append(
                table.assign(
                    explained_stress=found.explained_stress,
                    explained_pairwise_distance=found.explained_pairwise_distance,
                    rmsd=found.rmsd,
                    kind=kind,
                    size=size,
                    draw=draw,
                )
            )
            if draw == 0:
                shown = coordinate_table(found.coordinates, SHOWN)
                embeddings.append(keys.join(shown).assign(split=split, kind=kind, size=size))
        logger.info("%s: %d models, %d draws", split, len(rows), draws)
    columns = ["split", "kind", "size", "draw", "models", "dimension"]
    write_table(pd.concat(subsets).set_index(columns).reset_index(), output[0])
    columns = ["split", "kind", "size", *MODEL_KEYS]
    write_table(pd.concat(embeddings).set_index(columns).reset_index(), output[1])


def chosen_parts(
    parts: list[Selection], n_samples: int, n_classes: int, draws: int
) -> Iterator[tuple[str, int, int, list]]:
    """Yield kind, size, draw and models, for every size below the whole."""
    for size in (size for size in SIZES if size < n_samples):
        for draw in range(draws):
            rng = np.random.default_rng((draw, size))
            few = np.sort(rng.choice(n_samples, size, replace=False))
            yield "samples", size, draw, [Selection(P, samples=few) for P in parts]
    for size in (size for size in CLASSES if size < n_classes):
        for draw in range(draws):
            yield "classes", size, draw, [Projected(P, size, draw) for P in parts]


if __name__ == "__main__":
    run_step(main)
