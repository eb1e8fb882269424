"""InPCA of all trainings of the grid on the data of one decay."""

from pathlib import Path

import pandas as pd

from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.synthetic.analysis import (
    FACTORS,
    Trainings,
    embed,
    geodesic_table,
    stress_table,
)
from hyperribbon.trajectories.separation import separation


def main(predictions: Path, decay: float, threads: int, output: list[Path]) -> None:
    """Embed all models of the grid on the data of one decay.

    Parameters
    ----------
    predictions : manifest
    decay : c of the inputs
    threads : tiles of distances worked on at once
    output : CSV files, KIND-DECAY.csv
    """
    trainings = Trainings(store_path(predictions))
    models = trainings.models()
    configuration = models[FACTORS].astype(str).agg("-".join, axis=1)
    found: dict[str, list[pd.DataFrame]] = {
        name: [] for name in ("stress", "embedding", "geodesic", "separation")
    }
    for split in SPLITS:
        P = trainings.predictions(split)
        checkpoints = P.shape[1]
        P = P.reshape(-1, *P.shape[2:])
        D, inpca = embed(P, threads)
        stress = stress_table(D, inpca, configuration)
        parts = {
            "stress": stress,
            "embedding": pd.concat([models, coordinate_table(inpca.embedding_, 3)], axis=1),
            "geodesic": geodesic_table(inpca, P, trainings.labels(split), threads),
            "separation": separation(D, trainings.table, FACTORS, checkpoints),
        }
        for name, part in parts.items():
            part.insert(0, "split", split)
            part.insert(0, "decay", decay)
            found[name].append(part)
        share = inpca.explained_stress_
        logger.info(
            "c = %g, %s: %d models, explained stress of 3 dimensions %.3f, of 10 %.3f",
            decay, split, len(P), share[:3][-1], share[:10][-1],
        )  # fmt: skip
    ends = trainings.ends(SPLITS)
    ends.insert(0, "decay", decay)
    found["trainings"] = [ends]
    for path in output:
        write_table(pd.concat(found[path.stem.split("-")[0]]), path)


if __name__ == "__main__":
    run_step(main)
