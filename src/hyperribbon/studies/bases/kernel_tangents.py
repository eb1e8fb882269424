"""Where trainings go first, against the prediction of the tangent kernel before training."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.curvature.over_training import put_weights
from hyperribbon.curvature.tangent_kernel import ntk_tangent
from hyperribbon.embedding.bases import compare_tangents
from hyperribbon.probability import progress
from hyperribbon.probability.tangent_space import log_map
from hyperribbon.storage.predictions import Trajectory, load_weights, open_predictions
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.grid.trained import Trained, build, chosen, open_trained
from hyperribbon.studies.step import logger, run_step

BATCH = 100  # samples in memory at a time
EARLY = 0.2  # progress at which a tangent is shown by class
WHO = ["configuration", "network", "optimiser", "seed"]


def main(
    predictions: list[Path],
    data: Path,
    threads: int,
    output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:
    """Compare the first seed of each configuration with the network linearised before training.

    Parameters
    ----------
    predictions : manifests, one per network
    data : manifest of the data
    threads : of torch
    output : CSV files: one row per checkpoint, and one per class at an early checkpoint
    smoothing : of the labels of the truth
    """
    torch.set_num_threads(threads)
    checkpoints, classes = [], []
    for path in predictions:
        trained = open_trained(path, data)
        if not trained.seeds:
            logger.warning("%s: all seeds diverged, so there is no tangent", trained.path)
            continue
        found = compare(trained, smoothing)
        checkpoints.append(found[0])
        classes.append(found[1])
    columns = [*WHO, "checkpoint", "step", "progress", "cosine", "scale"]
    write_table(pd.concat([pd.DataFrame(columns=columns), *checkpoints])[columns], output[0])
    columns = [*WHO, "checkpoint", "progress", "label", "samples", "share", "cosine", "missing"]
    write_table(pd.concat([pd.DataFrame(columns=columns), *classes])[columns], output[1])


def compare(trained: Trained, smoothing: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cosines of one training, by checkpoint, and by class at an early one."""
    seed, configuration = trained.seeds[0], trained.configuration
    network = build(configuration, trained.dataset)
    put_weights(network, load_weights(trained.store, seed, 0))
    inputs, labels = chosen(trained.dataset, "train")
    predicted = ntk_tangent(network, inputs.double(), labels, batch_size=BATCH).tangent
    place = trained.store["seed"].values.tolist().index(seed)
    P = Trajectory(open_predictions(trained.path, "train"), place)[:]
    truth, steps = labels.numpy(), trained.store["step"].values
    s = np.ravel(progress(P, truth, smoothing=smoothing))
    who = {
        "configuration": configuration.id,
        "network": configuration.network_name,
        "optimiser": configuration.optimiser_name,
        "seed": seed,
    }
    rows, of_classes = [], pd.DataFrame()
    for k in range(1, len(P)):
        measured = log_map(P[0], P[k])
        if not measured.any():
            continue  # it has not moved
        found = compare_tangents(measured, predicted, truth)
        at = {**who, "checkpoint": k, "step": int(steps[k]), "progress": s[k]}
        rows.append({**at, "cosine": found.cosine, "scale": found.scale})
        if of_classes.empty or s[k] <= EARLY:
            of_classes = found.classes.assign(**at)
    logger.info("%s: cosine %.3f at the first checkpoint", configuration.label,
                rows[0]["cosine"] if rows else np.nan)  # fmt: skip
    return pd.DataFrame(rows), of_classes


if __name__ == "__main__":
    run_step(main)
