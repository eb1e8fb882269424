"""InPCA of trainings from one corner and from several, and of slices of them."""

from pathlib import Path

import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.synthetic.analysis import (
    Trainings,
    embed,
    geodesic_table,
    of_corners,
    stress_table,
)

OF_SLICES = ["index", "eigenvalue", "explained_stress", "low", "high", "models", "groups"]


def main(
    predictions: Path,
    decay: float,
    counts: list[int],
    trajectories: int,
    threads: int,
    output: list[Path],
) -> None:
    """Embed the models of trainings from corners.

    Parameters
    ----------
    predictions : manifest
    decay : c of the inputs
    counts : numbers of corners
    trajectories : number of trainings for each count
    threads : tiles of distances worked on at once
    output : CSV files, KIND-DECAY.csv
    """
    trainings = Trainings(store_path(predictions))
    slices = {"start": 0}
    if "slice_checkpoint" in trainings.store.attrs:
        at = trainings.store.attrs["slice_checkpoint"]
        slices[f"{trainings.store['fraction'].values[at]:.1%} of training"] = at
    found: dict[str, list[pd.DataFrame]] = {"corners_stress": [], "slices": []}
    for corners in counts:
        rows = of_corners(trainings.table, corners, trajectories)
        P = trainings.predictions("train", rows)
        starts = trainings.table.iloc[rows][["corner", "seed"]].astype(str).agg(" ".join, axis=1)
        for when, checkpoint in slices.items():
            D = pairwise_distance(P[:, checkpoint], threads=threads)
            inpca = InPCA(None, metric="precomputed", solver="full").fit(D)
            part = stress_table(D, inpca, starts).rename(columns={"dimension": "index"})
            about = {"decay": decay, "corners": corners, "when": when}
            found["slices"].append(pd.DataFrame(about, part.index).join(part[OF_SLICES]))
        P = P.reshape(-1, *P.shape[2:])
        D, inpca = embed(P, threads)
        models = trainings.models(rows)
        of_models = starts.repeat(len(models) // len(rows))
        stress = stress_table(D, inpca, of_models).assign(trajectories=len(rows))
        stress.insert(0, "corners", corners)
        stress.insert(0, "decay", decay)
        found["corners_stress"].append(stress)
        logger.info(
            "c = %g, %d corners: %d trajectories, explained stress of 3 dimensions %.3f",
            decay, corners, len(rows), inpca.explained_stress_[:3][-1],
        )  # fmt: skip
        if corners == max(counts):
            embedding = pd.concat([models, coordinate_table(inpca.embedding_, 3)], axis=1)
            found["corner_embedding"] = [embedding]
            found["corner_geodesic"] = [
                geodesic_table(inpca, P, trainings.labels("train"), threads)
            ]
    found["corner_trainings"] = [trainings.ends(["train"])]
    for name in ("corner_embedding", "corner_geodesic", "corner_trainings"):
        found[name][0].insert(0, "decay", decay)
    for path in output:
        write_table(pd.concat(found[path.stem.split("-")[0]]), path)


if __name__ == "__main__":
    run_step(main)
