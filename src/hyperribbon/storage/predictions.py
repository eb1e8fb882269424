"""Stores of predictions: their layout, the forms of predictions, and how they are read.

A predictions store holds one configuration:

===================  ===========================================  ===============================
variable             dimensions                                   content
===================  ===========================================  ===============================
{split}_predictions  seed, checkpoint, {split}_sample, class      probabilities, float32; other
                                                                  forms have another variable,
                                                                  see below
{split}_loss         seed, checkpoint                             mean cross-entropy, nats
{split}_error        seed, checkpoint                             fraction misclassified
objective            seed, checkpoint                             mean of what was minimised
                                                                  since the last checkpoint; only
                                                                  of trainings on tasks
diverged_step        seed                                         steps taken when the loss was
                                                                  no longer finite, or -1
weights              seed, snapshot, parameter                    flat state of the network
===================  ===========================================  ===============================

The predictions of one checkpoint are one chunk in one file, and no chunk has two seeds. A
checkpoint that was never reached is NaN. If random labels were trained to first, the coordinate
``train_corner_label`` holds them. A recording (:mod:`hyperribbon.recording`) holds one seed and no
weights, perhaps samples of one split only, and NaN for the epochs if the steps per epoch are not
known; where its inputs are known, the coordinate ``{split}_input_hash`` has a hash of each sample.

Predictions have one of two forms:

================  ============================  =======  =========================================
form              variable                      type     content
================  ============================  =======  =========================================
``float32``       ``{split}_predictions``       float32  probabilities
``sqrt_float16``  ``{split}_sqrt_predictions``  float16  their square roots, in half the space
================  ============================  =======  =========================================

Distances are computed from square roots. In float16 they have a relative error of at most 2^-11
(an absolute one of 3e-8 below 6e-5), so that a stored model is within a Bhattacharyya distance of
2^-23, or 1.2e-7 nats, of the true one. Whatever the form, reading gives probabilities in float32.
"""

from __future__ import annotations

import json
from collections.abc import Container, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import xarray as xr
import zarr

from hyperribbon.errors import StoreError, first_line
from hyperribbon.storage.dataset import CODECS, SPLITS, link
from hyperribbon.storage.manifest import LAYOUT, Manifest, manifest_path


class Form(NamedTuple):
    """One of the forms above: its variable, type and content, and whether it holds roots."""

    variable: str
    dtype: str
    content: str
    roots: bool


PREDICTION_FORMS = {
    "float32": Form("predictions", "float32", "predicted probabilities", False),
    "sqrt_float16": Form(
        "sqrt_predictions", "float16", "square roots of predicted probabilities", True
    ),
}


def predictions_variable(split: str, form: str) -> str:
    """Name of the variable that holds the predictions of a split.

    >>> predictions_variable("train", "sqrt_float16")
    'train_sqrt_predictions'
    """
    return f"{split}_{PREDICTION_FORMS[form].variable}"


def as_stored(P: np.ndarray, form: str) -> np.ndarray:
    """Probabilities in the form in which they are stored.

    >>> as_stored(np.array([[0.25, 0.75]]), "sqrt_float16").tolist()
    [[0.5, 0.8662109375]]
    """
    kept = PREDICTION_FORMS[form]
    return (np.sqrt(P) if kept.roots else P).astype(kept.dtype)


def stored_form(store: Container[Hashable], split: str) -> str | None:
    """The form of a split's predictions among the variables of a store; None if there are none."""
    forms = (form for form in PREDICTION_FORMS if predictions_variable(split, form) in store)
    return next(forms, None)


def splits_in(path: str | Path) -> set[str]:
    """The splits of whose predictions a store has a folder; nothing is opened."""
    names = [folder.name for folder in Path(path).iterdir()] if Path(path).is_dir() else []
    return {split for split in SPLITS if stored_form(names, split) is not None}


def open_predictions(path: str | Path, split: str) -> zarr.Array:
    """The predictions (seed, checkpoint, N, C) of a split, in the form in which they are stored.

    Raises
    ------
    StoreError
        If the store holds no predictions of the split.
    """
    form = stored_form([folder.name for folder in Path(path).iterdir()], split)
    if form is None:
        raise StoreError(f"{path}: no {split} predictions")
    # Chunks are small: many of them per call of the codecs take half the time.
    with zarr.config.set({"codec_pipeline.batch_size": 32}):
        return zarr.open_array(Path(path, predictions_variable(split, form)), mode="r")


class Trajectory:
    """The predictions (K, N, C) of a training in a store, read when they are sliced.

    Reading takes a third of the time that dask takes for as many small chunks. Trajectories can be
    sent to other processes.

    Parameters
    ----------
    predictions : zarr.Array
        As returned by `open_predictions`.
    seed : int
        Position of the seed in the store.
    """

    def __init__(self, predictions: zarr.Array, seed: int):
        if predictions.dtype not in (np.float32, np.float16):
            raise StoreError(f"predictions of {predictions.dtype}, expected float32 or float16")
        self._predictions, self._seed = predictions, seed
        self.shape, self.dtype = predictions.shape[1:], np.dtype("float32")
        self.chunks = predictions.chunks[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        if self._predictions.dtype == self.dtype:
            return self._read(key)
        # Complete distributions are read, because rounded ones no longer sum to 1.
        P = np.square(self._read(key[:2]), dtype=np.float32)
        P /= P.sum(axis=-1, keepdims=True)
        return P[(..., *key[2:])]

    def _read(self, key: tuple) -> np.ndarray:
        """Predictions as they are stored; a StoreError names the array if a chunk is damaged."""
        try:
            return cast(np.ndarray, self._predictions[(self._seed, *key)])
        except (OSError, ValueError) as error:
            where = str(self._predictions.store_path).removeprefix("file://")
            raise StoreError(f"{where}: damaged or not readable ({first_line(error)})") from None

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)


# Variables of a predictions store whose chunks each belong to one seed.
PER_SEED = (
    *(predictions_variable(split, form) for split in SPLITS for form in PREDICTION_FORMS),
    *(f"{split}_{name}" for split in SPLITS for name in ("loss", "error")),
    "objective",
    "diverged_step",
    "weights",
)


_ANY_STEP = 2**53  # more than any number of steps


def create_predictions(
    path: str | Path,
    *,
    seeds: Sequence[int],
    steps: Sequence[int],
    steps_per_epoch: int | None,
    labels: Mapping[str, np.ndarray],
    index: Mapping[str, np.ndarray],
    n_classes: int,
    attributes: Mapping[str, object],
    snapshot_steps: Sequence[int] = (),
    layout: Sequence[tuple[str, Sequence[int]]] = (),
    form: str = "float32",
    corner_labels: np.ndarray | None = None,
    objective: bool = False,
    input_hashes: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write an empty predictions store: all metadata and coordinates, and no chunk of the rest.

    Parameters
    ----------
    path : path
        A folder that does not exist.
    seeds : sequence of int
        Seeds of the trainings.
    steps : sequence of int
        Checkpoints, in optimiser steps.
    steps_per_epoch : int, optional
        None if it is not known.
    labels, index : mapping
        True classes (N,) and positions (N,) in the source, by split.
    n_classes : int
        Number of classes, C.
    attributes : mapping
        Attributes of the store; must be JSON.
    snapshot_steps : sequence of int
        Steps whose weights are kept; without any, there is no such variable.
    layout : sequence
        Name and shape of each tensor in the flat weights, in order.
    form : {"float32", "sqrt_float16"}
        Form of the predictions.
    corner_labels : ndarray of shape (N,), optional
        Random labels of the train samples that were trained to first.
    objective : bool
        Whether the store has that variable.
    input_hashes : mapping, optional
        A hash (N,) uint64 of each sample's inputs, by split, where it is known.
    """
    n_parameters = sum(int(np.prod(shape)) for _, shape in layout)
    per_checkpoint = ("seed", "checkpoint")
    shape = (len(seeds), len(steps))
    coordinates: dict[str, tuple[Any, ...]] = {
        "seed": ("seed", np.asarray(seeds)),
        "step": ("checkpoint", np.asarray(steps), {"long_name": "optimiser steps taken"}),
        "epoch": ("checkpoint", np.asarray(steps) / (steps_per_epoch or np.nan)),
        "class": ("class", np.arange(n_classes)),
    }

    if corner_labels is not None:
        coordinates["train_corner_label"] = ("train_sample", np.asarray(corner_labels))

    curve = (per_checkpoint, shape, (1, len(steps)), "float64")
    arrays: dict[str, tuple[Any, ...]] = {
        "diverged_step": (("seed",), shape[:1], (1,), "int64", {}),
    }
    for split in labels:
        n = len(labels[split])
        sample = f"{split}_sample"
        coordinates[f"{split}_index"] = (
            sample,
            np.asarray(index[split]),
            {"long_name": f"position of the {split} sample in the source"},
        )
        coordinates[f"{split}_label"] = (sample, np.asarray(labels[split]))
        if input_hashes and split in input_hashes:
            coordinates[f"{split}_input_hash"] = (sample, input_hashes[split])
        arrays[predictions_variable(split, form)] = (
            (*per_checkpoint, sample, "class"),
            (*shape, n, n_classes),
            (1, 1, n, n_classes),
            PREDICTION_FORMS[form].dtype,
            {"long_name": f"{PREDICTION_FORMS[form].content} on the {split} samples"},
        )
        for name, units in (("loss", "nats"), ("error", "1")):
            arrays[f"{split}_{name}"] = *curve, {"units": units}
    if objective:
        about = {"long_name": "mean training objective since the last checkpoint"}
        arrays["objective"] = *curve, about
    if len(snapshot_steps):
        coordinates["snapshot_step"] = ("snapshot", np.asarray(snapshot_steps))
        arrays["weights"] = (
            ("seed", "snapshot", "parameter"),
            (len(seeds), len(snapshot_steps), n_parameters),
            (1, 1, n_parameters),
            "float32",
            {"layout": json.dumps([[name, list(size)] for name, size in layout])},
        )
    # Coordinates are those that the arrays below name as theirs.
    dataset = xr.Dataset(coordinates).reset_coords().assign_attrs(format=LAYOUT, **attributes)
    encoding = {name: {"compressors": CODECS} for name in coordinates}
    dataset.to_zarr(path, zarr_format=3, consolidated=False, encoding=encoding)
    group = zarr.open_group(path, mode="r+")
    for name, (dims, size, chunks, dtype, about) in arrays.items():
        along = [at for at, (dim, *_) in coordinates.items() if dim in dims and at != dim]
        group.create_array(
            name,
            shape=size,
            chunks=chunks,
            dtype=dtype,
            fill_value=-1 if name == "diverged_step" else np.nan,
            compressors=CODECS,
            dimension_names=dims,
            attributes=about | ({"coordinates": " ".join(sorted(along))} if along else {}),
        )


def create_checkpoints(path: str | Path, n_samples: int, n_classes: int) -> zarr.Array:
    """Create an array for the predictions of one seed, (seed, step, N, C), with room for any step.

    The predictions of a step are one chunk in one file, with the same bytes as in a predictions
    store. Only what is written takes space.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     array = create_checkpoints(f"{folder}/train_predictions", 4, 3)
    ...     array[0, 10**9] = 1 / 3
    ...     array[0, 10**9].shape
    (4, 3)
    """
    return zarr.create_array(
        path,
        shape=(1, _ANY_STEP, n_samples, n_classes),
        chunks=(1, 1, n_samples, n_classes),
        dtype="float32",
        fill_value=np.nan,
        compressors=CODECS,
    )


def chunk_of(array: str | Path, checkpoint: int) -> Path:
    """File of the first seed's predictions at a checkpoint, in the folder of their array.

    >>> chunk_of("A.zarr/train_predictions", 7).as_posix()
    'A.zarr/train_predictions/c/0/7/0/0'
    """
    return Path(array, "c", "0", str(checkpoint), "0", "0")


def link_seed(source: str | Path, target: str | Path, position: int) -> None:
    """Make the seed of one store a seed of another by hard links, without copying.

    Parameters
    ----------
    source : path
        Predictions store of one seed, with its manifest.
    target : path
        Predictions store of the same configuration, as created by `create_predictions`.
    position : int
        Position of the seed in the target.
    """
    source, target = Path(source), Path(target)
    for name in Manifest.read(manifest_path(source)).files:
        variable, *chunk = name.split("/")
        if variable in PER_SEED and chunk[:2] == ["c", "0"]:
            place = target.joinpath(variable, "c", str(position), *chunk[2:])
            place.parent.mkdir(parents=True, exist_ok=True)
            link(source / name, place)


def load_weights(store: xr.Dataset, seed: int, step: int) -> dict[str, np.ndarray]:
    """Weights and buffers of a kept checkpoint, by the names of ``state_dict``.

    Examples
    --------
    ``network.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()}, strict=False)``

    Raises
    ------
    StoreError
        If the store keeps no weights of that seed and step.
    """
    seeds = store["seed"].values.tolist()
    steps = store["snapshot_step"].values.tolist() if "weights" in store else []
    if seed not in seeds or step not in steps:
        raise StoreError(
            f"weights of seed {seed} at step {step}: not kept; seeds {seeds}, steps {steps} are"
        )
    flat = store["weights"][seeds.index(seed), steps.index(step)].values
    arrays, offset = {}, 0
    for name, shape in json.loads(store["weights"].attrs["layout"]):
        size = int(np.prod(shape))
        arrays[name] = flat[offset : offset + size].reshape(shape)
        offset += size
    return arrays
