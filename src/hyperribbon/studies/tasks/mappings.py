"""Networks whose weights are kept, mapped to all classes by imprinting and in other ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.embedding import InPCA
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.errors import StoreError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance
from hyperribbon.probability import progress as progress_of
from hyperribbon.probability.shuffling import shuffled_by_training
from hyperribbon.storage.dataset import SPLITS, Split, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.tasks import (
    imprint,
    imprinted_predictions,
    linear_probe,
    prototype_predictions,
    prototypes,
)
from hyperribbon.training.loop import predict
from hyperribbon.training.methods.fine_tuning import start_backbone
from hyperribbon.training.plan import Plan

DIMENSIONS = 50


def main(
    predictions: list[Path], data: Path, groups: str, seeds: int, threads: int, output: list[Path]
) -> None:
    """Map networks to all classes in several ways, and embed the models of each.

    Parameters
    ----------
    predictions : manifests of the trainings
    data : manifest of the data
    groups : group of each training, by the training's name, JSON
    seeds : number of seeds of each training, at most
    threads : of torch
    output : CSV files to write
    """
    torch.set_num_threads(threads)
    dataset = Dataset.open(store_path(data))
    group_of = json.loads(groups)
    rows: list[dict[str, Any]] = []
    models: dict[str, list[np.ndarray]] = {}
    labels = dataset.test_labels
    for path in map(store_path, predictions):
        for about, train_labels, features in kept_features(path, dataset, seeds):
            found = mapped(features, train_labels, dataset.n_classes)
            for name, P in found.items():
                models.setdefault(name, []).append(P)
                wrong = P.argmax(axis=1) != labels
                rows.append(
                    {
                        "mapping": name,
                        "group": group_of[about["stage"]],
                        **about,
                        "error": float(wrong.mean()),
                        "progress": float(progress_of(P, labels)),
                        "distance_to_probe": float(
                            bhattacharyya_distance(P, found["linear_probe"])
                        ),
                    }
                )
        logger.info("%s: mapped", path.name)
    table = pd.DataFrame(rows)
    embedded, stress = embed(table, models, labels, threads)
    tables = {"mapping_models": table, "mapping_embedding": embedded, "mapping_stress": stress}
    for path in output:
        write_table(tables[path.stem], path)


def kept_features(
    path: Path, dataset: Dataset, seeds: int
) -> Iterator[tuple[dict[str, Any], np.ndarray, dict[Split, np.ndarray]]]:
    """Labels (N,) of the train samples from which weights are imprinted, and features (N, F).

    There is one set of features for each network whose weights a store keeps, by split.
    """
    store = open_dataset(path)
    if store.attrs["data_sha256"] != dataset.sha256:
        raise StoreError(f"{path}: trained on other data than those of the study")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    # Evaluated as in the training, whose method and start do not matter here.
    plan = Plan(configuration.model_copy(update={"learning": None, "start": None}), dataset, "")
    network, cpu = plan.build_network(), torch.device("cpu")
    evaluated = {split: plan.evaluated(split, cpu) for split in SPLITS}
    labels = evaluated["train"][1].numpy()
    ended = np.flatnonzero(store["diverged_step"].values < 0)[:seeds]
    for seed in store["seed"].values[ended].tolist():
        for step in store["snapshot_step"].values.tolist():
            weights = load_weights(store, seed, step)
            start_backbone(network, {name: torch.tensor(w) for name, w in weights.items()})
            features = {
                split: predict(network.get_submodule("features"), samples).flatten(1).numpy()
                for split, (samples, _) in evaluated.items()
            }
            yield {"stage": store.attrs["stage"], "seed": seed, "step": step}, labels, features


def mapped(
    features: dict[Split, np.ndarray], labels: np.ndarray, n_classes: int
) -> dict[str, np.ndarray]:
    """Probabilities (N, C) of test samples, by the name of the mapping from train features."""
    train, test = features["train"], features["test"]
    unit = imprint(train, labels, n_classes, normalise=True)
    found = {
        "imprinted": imprinted_predictions(test, imprint(train, labels, n_classes)),
        "unit_features": imprinted_predictions(test, unit, normalise=True),
        "prototypes": prototype_predictions(test, prototypes(train, labels, n_classes)),
        "linear_probe": linear_probe(train, labels, n_classes).predictions(test),
    }
    return {name: P.astype(np.float32) for name, P in found.items()}


def embed(
    table: pd.DataFrame, models: dict[str, list[np.ndarray]], labels: np.ndarray, threads: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """InPCA of the models of each mapping, and of models whose samples are shuffled."""
    embedded, stress = [], []
    for name, parts in models.items():
        keys = table[table["mapping"] == name].reset_index(drop=True)
        inpca = _inpca(pairwise_distance(parts, threads=threads))
        embedded.append(keys.join(coordinate_table(inpca.embedding_, 3)))
        stress.append(dimension_table(inpca).assign(mapping=name, kind="models"))
        trainings = [
            np.stack([parts[k] for k in rows])
            for rows in keys.groupby(["stage", "seed"], sort=False).indices.values()
        ]
        shuffled = pairwise_distance(shuffled_by_training(trainings, labels, 0), threads=threads)
        stress.append(dimension_table(_inpca(shuffled)).assign(mapping=name, kind="shuffled"))
    columns = ["mapping", "group", "stage", "seed", "step", "pc1", "pc2", "pc3"]
    kept = ["mapping", "kind", "dimension", "eigenvalue", "explained_stress"]
    return pd.concat(embedded)[columns], pd.concat(stress)[kept]


def _inpca(D: np.ndarray) -> InPCA:
    return InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)


if __name__ == "__main__":
    run_step(main)
