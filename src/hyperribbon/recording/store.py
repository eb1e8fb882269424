"""The store that a recording publishes."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from hyperribbon.recording.labels import Labels
from hyperribbon.recording.names import configuration_id
from hyperribbon.recording.work_folder import WorkFolder
from hyperribbon.storage.dataset import CODECS
from hyperribbon.storage.digest import digest
from hyperribbon.storage.predictions import create_predictions, predictions_variable
from hyperribbon.storage.provenance import versions
from hyperribbon.storage.vocabulary import top_variable, write_vocabulary


def write_store(
    path: Path,
    configuration: Mapping[str, Any],
    labels: Mapping[str, Labels],
    input_hashes: Mapping[str, np.ndarray | None],
    work: WorkFolder,
    n_classes: int,
    vocabulary: Sequence[str] | None = None,
) -> None:
    """Write a predictions store of one seed, whose predictions are links to a work folder's.

    Parameters
    ----------
    path : Path
        A folder that does not exist.
    configuration : mapping
        What is recorded.
    labels, input_hashes : mapping
        Labels and hashes (N,) of the inputs, by split; None where they are unknown.
    work : WorkFolder
        The checkpoints.
    n_classes : int
        Number of classes, C.
    vocabulary : sequence of str, optional
        The token that each class is.
    """
    steps, class_names = sorted(work.steps), configuration.get("class_names")
    hashes = hashes_of_kept(labels, input_hashes)
    names = configuration["network_name"], configuration["optimiser_name"]
    torch = ["torch"] if "torch" in sys.modules else []
    create_predictions(
        path,
        seeds=[configuration["seed"]],
        steps=steps,
        steps_per_epoch=configuration["steps_per_epoch"],
        labels={split: found.recorded for split, found in labels.items()},
        index={split: found.index for split, found in labels.items()},
        input_hashes={split: found for split, found in hashes.items() if found is not None},
        n_classes=n_classes,
        form=work.form,
        attributes={
            "configuration": json.dumps(configuration),
            "configuration_id": configuration_id(*names, configuration["metadata"]),
            "data_sha256": digest(configuration["samples"]),
            "versions": json.dumps(versions(*torch, "numpy", "zarr", "xarray")),
        }
        | ({"class_names": class_names} if class_names else {}),
    )
    group = zarr.open_group(path, mode="r+")
    arrays = dict(group.arrays())
    for split, found in labels.items():
        work.divide(split, arrays[predictions_variable(split, work.form)])
        if found.top is not None:
            dims = (f"{split}_sample", "kept")
            name = top_variable(split)
            group.create_array(name, data=found.top, compressors=CODECS, dimension_names=dims)
    if vocabulary is not None:
        write_vocabulary(group, vocabulary)
    curves = [work.curves(step) for step in steps]
    for split in labels:
        for name in ("loss", "error"):
            arrays[f"{split}_{name}"][0] = [
                np.nan if found is None else found[split][name] for found in curves
            ]
    if work.diverged_step is not None:
        arrays["diverged_step"][0] = work.diverged_step
    for k, step in enumerate(steps):
        work.link_to(path, k, step)


def hashes_of_kept(
    labels: Mapping[str, Labels], input_hashes: Mapping[str, np.ndarray | None]
) -> dict[str, np.ndarray | None]:
    """A hash of the inputs of each sample, or token, that counts, by split; None where unknown."""
    return {split: _of_kept(input_hashes.get(split), found) for split, found in labels.items()}


def _of_kept(hashes: np.ndarray | None, labels: Labels) -> np.ndarray | None:
    """A hash of the inputs of each sample, or token, that counts."""
    if hashes is None:
        return None
    width = math.prod(labels.shape[1:])
    return hashes[labels.index // width] + (labels.index % width).astype(np.uint64)
