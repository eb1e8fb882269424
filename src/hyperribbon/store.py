"""How predictions and derived arrays lie on disk: Zarr v3, labelled, published whole.

``xarray.open_zarr(path)`` shows every store with its dimensions and coordinates. A predictions
store holds one configuration:

===================  ===========================================  ===============================
variable             dimensions                                   content
===================  ===========================================  ===============================
{split}_predictions  seed, checkpoint, {split}_sample, class      probabilities, float32, or
                                                                  otherwise, in another variable:
                                                                  `hyperribbon.stored_predictions`
{split}_loss         seed, checkpoint                             mean cross-entropy, nats
{split}_error        seed, checkpoint                             fraction misclassified
diverged_step        seed                                         steps taken when the loss
                                                                  stopped being finite, or -1
weights              seed, snapshot, parameter                    flat state of the network
===================  ===========================================  ===============================

One checkpoint's predictions are one chunk, one file, and no chunk is of two seeds. A checkpoint
never reached is NaN. Where random labels were trained to first, the coordinate
``train_corner_label`` holds them. A recording (:mod:`hyperribbon.recording`) holds one seed and no
weights, perhaps no test samples, and NaN for the epochs if the steps of an epoch are not known.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import dask.array as da
import numpy as np
import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec

from hyperribbon.errors import StoreError, first_line
from hyperribbon.files import partial_path, remove_partial
from hyperribbon.manifest import LAYOUT, Manifest, check_complete, check_layout, manifest_path
from hyperribbon.stored_predictions import PREDICTION_FORMS, predictions_variable

SPLITS = ("train", "test")
# The variables of a predictions store that have a chunk, or several, a seed.
PER_SEED = (
    *(predictions_variable(split, form) for split in SPLITS for form in PREDICTION_FORMS),
    *(f"{split}_{name}" for split in SPLITS for name in ("loss", "error")),
    "diverged_step",
    "weights",
)
# Only a checksum: compression saves 8 % of predictions, and doubles the time to read them.
_CODECS = [Crc32cCodec()]
_ANY_STEP = 2**53  # above every number of steps


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
) -> None:
    """Write an empty predictions store: all metadata and coordinates, no chunk of the rest.

    Parameters
    ----------
    path : a folder that does not exist
    seeds : of the trainings
    steps : checkpoints, in optimiser steps
    steps_per_epoch : int, or None if it is not known
    labels, index : by split, (N,) true classes and positions in the source
    n_classes : int, C
    attributes : of the store; must be JSON
    snapshot_steps : the steps whose weights are kept; without any there is no such variable
    layout : name and shape of each tensor in the flat weights, in order
    form : of the predictions, one of `hyperribbon.stored_predictions`
    corner_labels : (N,) random labels of the train samples that were trained to first, if any
    """
    n_parameters = sum(int(np.prod(shape)) for _, shape in layout)
    per_checkpoint = ("seed", "checkpoint")
    shape = (len(seeds), len(steps))
    variables, encoding = {}, {}
    coordinates = {
        "seed": ("seed", np.asarray(seeds)),
        "step": ("checkpoint", np.asarray(steps), {"long_name": "optimiser steps taken"}),
        "epoch": ("checkpoint", np.asarray(steps) / (steps_per_epoch or np.nan)),
        "class": ("class", np.arange(n_classes)),
    }

    if corner_labels is not None:
        coordinates["train_corner_label"] = ("train_sample", np.asarray(corner_labels))

    def empty(name: str, dims: tuple, shape: tuple, chunks: tuple, dtype: str, **attrs) -> None:
        lazy = da.full(shape, np.nan, dtype=dtype, chunks=chunks)
        variables[name] = (dims, lazy, attrs)
        encoding[name] = {"chunks": chunks, "_FillValue": np.nan}

    for split in labels:
        n = len(labels[split])
        sample = f"{split}_sample"
        coordinates[f"{split}_index"] = (
            sample,
            np.asarray(index[split]),
            {"long_name": f"position of the {split} sample in the source"},
        )
        coordinates[f"{split}_label"] = (sample, np.asarray(labels[split]))
        empty(
            predictions_variable(split, form),
            (*per_checkpoint, sample, "class"),
            (*shape, n, n_classes),
            (1, 1, n, n_classes),
            PREDICTION_FORMS[form].dtype,
            long_name=f"{PREDICTION_FORMS[form].content} on the {split} samples",
        )
        for name, units in (("loss", "nats"), ("error", "1")):
            empty(f"{split}_{name}", per_checkpoint, shape, (1, len(steps)), "float64", units=units)
    if len(snapshot_steps):
        coordinates["snapshot_step"] = ("snapshot", np.asarray(snapshot_steps))
        empty(
            "weights",
            ("seed", "snapshot", "parameter"),
            (len(seeds), len(snapshot_steps), n_parameters),
            (1, 1, n_parameters),
            "float32",
            layout=json.dumps([[name, list(size)] for name, size in layout]),
        )
    variables["diverged_step"] = ("seed", da.full(len(seeds), -1, dtype="int64", chunks=1))
    encoding["diverged_step"] = {"chunks": (1,), "fill_value": -1}
    for name in (*variables, *coordinates):
        encoding.setdefault(name, {})["compressors"] = _CODECS
    dataset = xr.Dataset(variables, coordinates, {"format": LAYOUT, **attributes})
    dataset.to_zarr(path, compute=False, zarr_format=3, consolidated=False, encoding=encoding)


def create_checkpoints(path: str | Path, n_samples: int, n_classes: int) -> zarr.Array:
    """Create an array for the predictions of one seed, (seed, step, N, C), with room for any step.

    A step's predictions are one chunk, one file, with the bytes that they have in a predictions
    store; only what is written takes space.

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
        compressors=_CODECS,
    )


def chunk_of(array: str | Path, checkpoint: int) -> Path:
    """File of a checkpoint's predictions of the first seed, in the folder of their array.

    >>> chunk_of("A.zarr/train_predictions", 7).as_posix()
    'A.zarr/train_predictions/c/0/7/0/0'
    """
    return Path(array, "c", "0", str(checkpoint), "0", "0")


def link_seed(source: str | Path, target: str | Path, position: int) -> None:
    """Let a seed of one store be a seed of another, by hard links: no byte is copied.

    Parameters
    ----------
    source : predictions store of one seed, with its manifest
    target : predictions store as of `create_predictions`, of the same configuration
    position : of the seed in the target
    """
    source, target = Path(source), Path(target)
    for name in Manifest.read(manifest_path(source)).files:
        variable, *chunk = name.split("/")
        if variable in PER_SEED and chunk[:2] == ["c", "0"]:
            place = target.joinpath(variable, "c", str(position), *chunk[2:])
            place.parent.mkdir(parents=True, exist_ok=True)
            link(source / name, place)


def link(source: str | Path, target: str | Path) -> None:
    """Make a file appear at a second path: a hard link, where the file system has them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def publish(
    path: str | Path,
    build: Callable[[Path], object],
    *,
    replace: bool = False,
    inputs: Mapping[str, str] | None = None,
) -> None:
    """Build a store beside its place, then put it there by one rename, and its manifest after it.

    Parameters
    ----------
    path : of the store
    build : makes the store at the path that it is given; metadata are consolidated after it
    replace : whether what lies at ``path`` already may go
    inputs : digests of what the store was computed from, by name, for the manifest

    Raises
    ------
    StoreError
        If something lies there that may not be replaced.
    """
    path = Path(path)
    partial, old = partial_path(path), partial_path(path.with_name(f"{path.name}.old"))
    try:
        build(partial)
        _consolidate(partial)
        manifest = Manifest.of(partial, inputs)
        if replace or not path.exists():
            manifest_path(path).unlink(missing_ok=True)  # first: without it the store is void
        if replace and path.is_dir():
            path.rename(old)  # whole: a process killed while it removed would leave half a store
        try:
            partial.rename(path)
        except OSError as error:
            if not path.exists():
                raise
            raise StoreError(f"{path}: exists already, not replaced ({error.strerror})") from None
        manifest.write(manifest_path(path))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed processes left beside a store that they were publishing.

    For whoever knows that no other process is publishing there.
    """
    remove_partial(path)
    remove_partial(manifest_path(path))


def _consolidate(path: str | Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path)


def write_dataset(
    dataset: xr.Dataset,
    path: str | Path,
    linked: Mapping[str, Path] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> None:
    """Write a whole dataset to a Zarr store and publish it, in place of an older one.

    Parameters
    ----------
    dataset : Dataset
    path : of the store
    linked : by name, folders of Zarr arrays, too large to copy, that are to be in it, too
    inputs : digests of what it was computed from, by name, for the manifest
    """
    encoding = {
        name: {"compressors": _CODECS}
        for name, variable in dataset.variables.items()
        if variable.dtype != object
    }

    def build(partial: Path) -> None:
        whole = dataset.assign_attrs(format=LAYOUT)
        whole.to_zarr(partial, zarr_format=3, consolidated=False, encoding=encoding)
        for name, folder in (linked or {}).items():
            shutil.copytree(folder, partial / name, copy_function=link)

    publish(path, build, replace=True, inputs=inputs)


def open_dataset(path: str | Path) -> xr.Dataset:
    """Open a store of this package, lazily.

    Raises
    ------
    StoreError
        If the path is no Zarr store, or one of another layout version, or if its manifest says
        that a file is missing.
    """
    if manifest_path(path).exists():
        check_complete(path)
    return read_dataset(path)


def read_dataset(path: str | Path) -> xr.Dataset:
    """The same, though files of it may be missing."""
    try:
        dataset = xr.open_zarr(path, chunks=None)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: not a Zarr store, or damaged ({first_line(error)})") from None
    check_layout(path, dataset.attrs.get("format", 1))
    return dataset


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
