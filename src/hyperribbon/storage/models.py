"""The predictions stores of a study as one set of models, read lazily."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from hyperribbon.errors import StoreError
from hyperribbon.numerics.blocks import evenly
from hyperribbon.probability.views import Selection, selections
from hyperribbon.storage.dataset import SPLITS, Split, open_dataset
from hyperribbon.storage.manifest import Manifest, inputs_of, manifest_path
from hyperribbon.storage.predictions import (
    Trajectory,
    open_predictions,
    predictions_variable,
    stored_form,
)
from hyperribbon.storage.recorded_samples import RecordedSamples
from hyperribbon.storage.shared_samples import Samples
from hyperribbon.storage.vocabulary import coarse_prior, read_vocabulary, refuse_other_classes


class Models:
    """All checkpoints of all trainings that did not diverge, in the order of the stores.

    Parameters
    ----------
    paths : sequence of path
        Predictions stores of the same data; recordings must have the same labels, sample by sample,
        and their inputs, where they are known, must be in the same order.
    splits : sequence of {"train", "test"}
        Splits that every store must have; both by default.

    Attributes
    ----------
    table : DataFrame
        One row per model: configuration, network, optimiser, augmentation and stage ("unknown" for
        a recording), seed, checkpoint, step, epoch, and loss (nats) and error on each split.
    trainings : DataFrame
        One row per training, including diverged ones: configuration, network, optimiser,
        augmentation, stage, seed, diverged_step (-1 if it did not diverge).
    configurations : DataFrame
        One row per configuration: configuration, network, architecture, parameters (their number),
        optimiser, algorithm, learning_rate, batch_size, weight_decay, augmentation; missing where
        unknown.
    n_classes : int
        Number of classes, C.
    data_sha256 : str
        Hash of the data.
    inputs : dict
        SHA-256 of each store's manifest, by name; for a recording, by path.

    Raises
    ------
    StoreError
        If a store is missing, foreign, of other data than the first or without a split, or if every
        training diverged.
    """

    def __init__(self, paths: Sequence[str | Path], splits: Sequence[Split] = SPLITS):
        self._paths = [Path(path) for path in paths]
        self.splits = tuple(splits)
        rows, trainings = [], []
        self._seeds: list[np.ndarray] = []
        self._stores = [open_dataset(path) for path in self._paths]
        configurations = [
            _configuration(path, store, self.splits)
            for path, store in zip(self._paths, self._stores, strict=True)
        ]
        named = (configuration.get("class_names") for configuration in configurations)
        self._class_names: list[str] | None = next(filter(None, named), None)
        self._rounded = [
            path
            for path, store in zip(self._paths, self._stores, strict=True)
            if any(stored_form(store, split) == "sqrt_float16" for split in self.splits)
        ]
        about = [_about(*pair) for pair in zip(self._stores, configurations, strict=True)]
        found = pd.DataFrame(about).drop_duplicates("configuration", ignore_index=True)
        self.configurations = found.astype({"parameters": "Int64", "batch_size": "Int64"})
        recorded = [configuration.get("recorded", False) for configuration in configurations]
        elsewhere = list(itertools.compress(self._paths, recorded))
        self.inputs = inputs_of(self._paths, elsewhere)
        # Trainings of the study decide, if there are any, because all of their data is known.
        self._first = first = recorded.index(False) if False in recorded else 0
        recorded_samples = RecordedSamples()
        for path, store, configuration, foreign in zip(
            self._paths, self._stores, configurations, recorded, strict=True
        ):
            first_path, first_store = self._paths[first], self._stores[first]
            if foreign:
                _check_labels(path, store, first_path, first_store, self.splits)
                recorded_samples.check(path, store)
            else:
                _check_data(path, store, first_path, first_store)
            who = {
                "configuration": store.attrs["configuration_id"],
                "network": configuration["network_name"],
                "optimiser": configuration["optimiser_name"],
                "augmentation": configuration.get("augmentation_name", "unknown"),
                "stage": store.attrs.get("stage", "unknown"),
            }
            diverged = store["diverged_step"].values
            for seed, step in zip(store["seed"].values, diverged, strict=True):
                trainings.append({**who, "seed": int(seed), "diverged_step": int(step)})
            kept = np.flatnonzero(diverged < 0)
            self._seeds.append(kept)
            curves = [f"{split}_{name}" for split in self.splits for name in ("loss", "error")]
            frame = store[curves].isel(seed=kept).reset_coords(["step", "epoch"]).to_dataframe()
            rows.append(frame[["step", "epoch", *curves]].reset_index().assign(**who))
        self.n_classes = self._stores[first].sizes["class"]
        self.data_sha256 = self._stores[first].attrs["data_sha256"]
        self.trainings = pd.DataFrame(trainings)
        if (self.trainings["diverged_step"] >= 0).all():
            raise StoreError(f"{self._paths[0]} and {len(paths) - 1} more: every training diverged")
        columns = [*who, "seed", "checkpoint", "step", "epoch", *curves]
        self.table = pd.concat(rows, ignore_index=True)[columns]

    def __len__(self) -> int:
        return len(self.table)

    def labels(self, split: str) -> np.ndarray:
        """True classes (N,) of a split."""
        return self._stores[0][f"{split}_label"].values

    def known_samples(self, split: str) -> Samples:
        """What is known about the samples of a split, to find them among those of others."""
        store, hashes = self._stores[self._first], f"{split}_input_hash"
        of_own = not json.loads(store.attrs["configuration"]).get("recorded", False)
        hashed = next((store for store in self._stores if hashes in store), None)
        return Samples(
            self.n_classes,
            self.labels(split),
            json.loads(store.attrs["configuration"]).get("data") if of_own else None,
            store[f"{split}_index"].values if of_own else None,
            None if of_own or hashed is None else hashed[hashes].values,
        )

    def class_names(self) -> list[str] | None:
        """Names of the classes, if a store has them."""
        if self._class_names is None and self.prior is None:
            tokens = map(read_vocabulary, self._stores)
            self._class_names = next((found for found in tokens if found is not None), None)
        return self._class_names

    @property
    def prior(self) -> np.ndarray | None:
        """Ignorance (C,), where few classes are kept of a large vocabulary; else None."""
        return coarse_prior(self._stores[self._first])

    def check_metric(self, metric: str) -> None:
        """Refuse a metric for which predictions are stored too coarsely.

        Raises
        ------
        StoreError
            If it is ``symmetric_kl`` and a store is in half precision.
        """
        if metric == "symmetric_kl" and self._rounded:
            raise StoreError(
                f"{self._rounded[0]}: in half precision, where probabilities below 1e-15 are 0 and "
                'have no logarithm; for symmetric_kl, record in form = "float32"'
            )

    def trajectories(self, split: str) -> Iterator[Trajectory]:
        """Each training's predictions (K, N, C), in the order of the table, lazily."""
        for path, seeds in zip(self._paths, self._seeds, strict=True):
            array = open_predictions(path, split)
            yield from (Trajectory(array, int(seed)) for seed in seeds)

    def corner_labels(self) -> Iterator[np.ndarray | None]:
        """The random labels (N,) of each training's corner, or None, in the order of the table."""
        for store, seeds in zip(self._stores, self._seeds, strict=True):
            labels = store.get("train_corner_label")
            yield from [None if labels is None else labels.values] * len(seeds)

    def sample(self, split: str, count: int | None = None) -> tuple[np.ndarray, list[Selection]]:
        """Models evenly spread over the table; by default, all.

        Returns
        -------
        rows : ndarray of int, shape (k,)
            Rows of the table.
        parts : list of Selection
            The models (b, N, C) of each training among them, read lazily; trainings without any are
            left out.
        """
        rows = evenly(len(self), count)
        return rows, self.selections(split, rows)

    def selections(self, split: str, rows: np.ndarray) -> list[Selection]:
        """The models (b, N, C) of each training among rows of the table, in increasing order.

        They are read lazily; trainings without any are left out.
        """
        return selections(self.trajectories(split), rows)

    def coordinates(self) -> dict[str, tuple[str, np.ndarray]]:
        """Coordinates that identify the models in a store that was computed from them."""
        keys = self.table[["configuration", "seed", "checkpoint", "step"]]
        return {
            name: ("model", column.to_numpy(object if name == "configuration" else None))
            for name, column in keys.items()
        }

    def open(self, path: str | Path) -> xr.Dataset:
        """A store that was computed from these models or their trainings.

        Raises
        ------
        StoreError
            If it is missing, or has other models or another order.
        """
        store = open_dataset(path)
        if "trajectory" in store.dims:
            expected = {name: self.training_keys()[name] for name in ("configuration", "seed")}
        else:
            expected = {name: pd.Series(values) for name, (_, values) in self.coordinates().items()}
        for name, column in expected.items():
            if name not in store or store[name].values.tolist() != column.tolist():
                raise StoreError(f"{path}: of other models than the predictions, or in other order")
        return store

    def distances(self, path: str | Path) -> tuple[xr.Dataset, zarr.Array]:
        """A store of these models' distances, opened by `open`, and the matrix (m, m) in it."""
        return self.open(path), zarr.open_array(Path(path, "distance"), mode="r")

    def digests(self, split: str) -> list[str]:
        """SHA-256 of each training's stored predictions, in the order of the table."""
        found = []
        for path, store, seeds in zip(self._paths, self._stores, self._seeds, strict=True):
            manifest = Manifest.read(manifest_path(path))
            form = stored_form(store, split)
            assert form is not None  # checked when the store was opened
            name = predictions_variable(split, form)
            found += [manifest.digest(f"{name}/c/{seed}/") for seed in seeds]
        return found

    def training_keys(self) -> pd.DataFrame:
        """One row per training that did not diverge, in the order of the table."""
        kept = self.trainings[self.trainings["diverged_step"] < 0]
        return kept.drop(columns="diverged_step").reset_index(drop=True)


def _configuration(path: Path, store: xr.Dataset, splits: Sequence[str]) -> dict[str, Any]:
    there = [split for split in SPLITS if stored_form(store, split) is not None]
    if not there or "configuration" not in store.attrs:
        raise StoreError(f"{path}: not a predictions store of hyperribbon")
    for split in splits:
        if split not in there:
            raise StoreError(f"{path}: no {split} predictions, expected {' and '.join(splits)}")
    return json.loads(store.attrs["configuration"])


def _about(store: xr.Dataset, configuration: dict[str, Any]) -> dict[str, Any]:
    """The row of a configuration: what distinguishes it in tables and figures."""
    optimiser = configuration.get("optimiser", {})
    algorithm = optimiser.get("algorithm")
    if optimiser.get("momentum"):
        algorithm += "-nesterov" if optimiser.get("nesterov") else "-momentum"
    batch_size = optimiser.get("batch_size") or configuration.get("training", {}).get("batch_size")
    return {
        "configuration": store.attrs["configuration_id"],
        "network": configuration["network_name"],
        "architecture": configuration.get("network", {}).get("architecture"),
        "parameters": store.attrs.get("trained_parameters"),
        "optimiser": configuration["optimiser_name"],
        "algorithm": algorithm,
        "learning_rate": optimiser.get("learning_rate"),
        "batch_size": batch_size,
        "weight_decay": optimiser.get("weight_decay"),
        "augmentation": configuration.get("augmentation_name", "unknown"),
    }


def _check_data(path: Path, store: xr.Dataset, first_path: Path, first: xr.Dataset) -> None:
    """Refuse a store of other data."""
    given, expected = store.attrs["data_sha256"], first.attrs["data_sha256"]
    if given != expected:
        raise StoreError(
            f"{path}: of data with SHA-256 {given}, expected that of {first_path}, {expected}"
        )


def _check_labels(
    path: Path, store: xr.Dataset, first_path: Path, first: xr.Dataset, splits: Sequence[str]
) -> None:
    """Refuse a recording whose labels show that its samples are not those of a store."""
    refuse_other_classes(path, store, first_path, first, splits)
    for split in splits:
        ours, theirs = store[f"{split}_label"].values, first[f"{split}_label"].values
        if len(ours) != len(theirs):
            raise StoreError(
                f"{path}: {len(ours)} {split} samples, expected those of {first_path}, "
                f"{len(theirs)}, in the same order"
            )
        other = np.flatnonzero(ours != theirs)
        if len(other):
            k = other[0]
            raise StoreError(
                f"{path}: {split} sample {k} has label {ours[k]}, that of {first_path} has "
                f"{theirs[k]}; expected the same samples in the same order"
            )
