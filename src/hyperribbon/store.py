"""How predictions and derived arrays lie on disk: Zarr v3, labelled, published whole.

``xarray.open_zarr(path)`` shows every store with its dimensions and coordinates. A predictions
store holds one configuration:

===================  ===========================================  ===============================
variable             dimensions                                   content
===================  ===========================================  ===============================
train_predictions    seed, checkpoint, train_sample, class        probabilities, float32
test_predictions     seed, checkpoint, test_sample, class         probabilities, float32
{split}_loss         seed, checkpoint                             mean cross-entropy, nats
{split}_error        seed, checkpoint                             fraction misclassified
diverged_step        seed                                         steps taken when the loss
                                                                  stopped being finite, or -1
weights              seed, snapshot, parameter                    flat state of the network
===================  ===========================================  ===============================

One checkpoint's predictions are one chunk, one file. A checkpoint never reached is NaN.
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
from zarr.codecs import ZstdCodec

from hyperribbon.errors import StoreError

FORMAT = 1
SPLITS = ("train", "test")


def create_predictions(
    path: str | Path,
    *,
    seeds: Sequence[int],
    steps: Sequence[int],
    steps_per_epoch: int,
    snapshot_steps: Sequence[int],
    layout: Sequence[tuple[str, Sequence[int]]],
    labels: Mapping[str, np.ndarray],
    index: Mapping[str, np.ndarray],
    n_classes: int,
    attributes: Mapping[str, object],
) -> None:
    """Write an empty predictions store: all metadata and coordinates, NaN for the rest.

    Parameters
    ----------
    path : a folder that does not exist
    seeds : of the trainings
    steps : checkpoints, in optimiser steps
    steps_per_epoch : int
    snapshot_steps : the steps whose weights are kept
    layout : name and shape of each tensor in the flat weights, in order
    labels, index : by split, (N,) true classes and positions in the source
    n_classes : int, C
    attributes : of the store; must be JSON
    """
    n_parameters = sum(int(np.prod(shape)) for _, shape in layout)
    per_checkpoint = ("seed", "checkpoint")
    shape = (len(seeds), len(steps))
    variables, encoding = {}, {}
    coordinates = {
        "seed": ("seed", np.asarray(seeds)),
        "step": ("checkpoint", np.asarray(steps), {"long_name": "optimiser steps taken"}),
        "epoch": ("checkpoint", np.asarray(steps) / steps_per_epoch),
        "class": ("class", np.arange(n_classes)),
        "snapshot_step": ("snapshot", np.asarray(snapshot_steps)),
    }

    def empty(name: str, dims: tuple, shape: tuple, chunks: tuple, dtype: str, **attrs) -> None:
        lazy = da.full(shape, np.nan, dtype=dtype, chunks=chunks)
        variables[name] = (dims, lazy, attrs)
        encoding[name] = {
            "chunks": chunks,
            "compressors": [ZstdCodec(level=1, checksum=True)],
            "_FillValue": np.nan,
        }

    for split in SPLITS:
        n = len(labels[split])
        sample = f"{split}_sample"
        coordinates[f"{split}_index"] = (
            sample,
            np.asarray(index[split]),
            {"long_name": f"position of the {split} sample in the source"},
        )
        coordinates[f"{split}_label"] = (sample, np.asarray(labels[split]))
        empty(
            f"{split}_predictions",
            (*per_checkpoint, sample, "class"),
            (*shape, n, n_classes),
            (1, 1, n, n_classes),
            "float32",
            long_name=f"predicted probabilities on the {split} samples",
        )
        for name, units in (("loss", "nats"), ("error", "1")):
            empty(f"{split}_{name}", per_checkpoint, shape, (1, len(steps)), "float64", units=units)
    empty(
        "weights",
        ("seed", "snapshot", "parameter"),
        (len(seeds), len(snapshot_steps), n_parameters),
        (1, 1, n_parameters),
        "float32",
        layout=json.dumps([[name, list(size)] for name, size in layout]),
    )
    variables["diverged_step"] = ("seed", np.full(len(seeds), -1))
    dataset = xr.Dataset(variables, coordinates, {"format": FORMAT, **attributes})
    dataset.to_zarr(path, compute=False, zarr_format=3, consolidated=False, encoding=encoding)


def publish(work: str | Path, path: str | Path) -> None:
    """Consolidate a finished store's metadata and put a copy in its place by one rename.

    The copy is made of hard links, where the file system has them, and takes no space. The
    original stays, for whoever removes the published one without having seen it.

    Raises
    ------
    StoreError
        If something else is there already: nothing is overwritten.
    """
    path = Path(path)
    _consolidate(work)
    partial = _partial(path)
    try:
        shutil.copytree(work, partial, copy_function=_link)
        partial.rename(path)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not path.exists():
            raise
        raise StoreError(f"{path}: exists already, not replaced ({error.strerror})") from None


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _partial(path: Path) -> Path:
    """Hidden neighbour of a path, not shared with another process; it does not exist."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a dead process of the same number
    return partial


def _consolidate(path: str | Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path)


def write_dataset(
    dataset: xr.Dataset,
    path: str | Path,
    fill: Mapping[str, Callable[[zarr.Array], object]] | None = None,
) -> None:
    """Write a whole dataset to a Zarr store: to a hidden neighbour first, then renamed.

    Parameters
    ----------
    dataset : variables to fill are lazy, as from `unfilled`
    path : of the store
    fill : by name of a variable, what fills it, too large for memory, once it lies on disk
    """
    path = Path(path)
    partial = _partial(path)
    try:
        dataset.to_zarr(partial, zarr_format=3, consolidated=False)
        for name, write in (fill or {}).items():
            write(zarr.open_array(partial / name, mode="r+"))
        _consolidate(partial)
        shutil.rmtree(path, ignore_errors=True)
        partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def unfilled(shape: tuple[int, ...], chunk: int) -> da.Array:
    """NaN of float64, in chunks of the same side, that takes no memory and no space on disk."""
    return da.full(shape, np.nan, chunks=tuple(min(chunk, n) for n in shape))


def open_dataset(path: str | Path) -> xr.Dataset:
    """Open a store of this package, lazily.

    Raises
    ------
    StoreError
        If the path is no Zarr store.
    """
    try:
        return xr.open_zarr(path, chunks=None)
    except (FileNotFoundError, ValueError, KeyError, json.JSONDecodeError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise StoreError(f"{path}: not a Zarr store, or damaged ({first})") from None


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
    seeds, steps = store["seed"].values.tolist(), store["snapshot_step"].values.tolist()
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
