"""Trainings on synthetic sloppy data, in stacks, recorded in one labelled store (thesis 2.5.5).

A store contains all trainings of one experiment on the data of one decay c:

===================  =============================================  ==============================
variable             dimensions                                     content
===================  =============================================  ==============================
{split}_predictions  training, checkpoint, {split}_sample, class    probabilities, float32
{split}_error        training, checkpoint                           fraction of the recorded
                                                                    samples misclassified
diverged_step        training                                       steps after which the loss
                                                                    was not finite, or -1
step                 training, checkpoint                           optimiser steps taken
===================  =============================================  ==============================

The coordinates ``network``, ``optimiser``, ``batch_size``, ``weight_decay``, ``seed`` and
``corner`` identify a training; ``fraction`` is the fraction of the training completed at a
checkpoint. The attribute ``slice_checkpoint`` is the index of the checkpoint for slices, if any.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import dask.array as da
import numpy as np
import torch
import xarray as xr

from hyperribbon.data.parts import Part
from hyperribbon.data.sloppy import load
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.numerics.blocks import evenly
from hyperribbon.runtime.cached_pieces import keep
from hyperribbon.runtime.work import remove_superseded, work_folder
from hyperribbon.storage.dataset import remove_leftovers, write_dataset
from hyperribbon.storage.digest import digest
from hyperribbon.storage.locks import locked
from hyperribbon.storage.provenance import versions
from hyperribbon.studies.synthetic.config import SyntheticExperiment
from hyperribbon.training.parallel import set_up
from hyperribbon.training.stacked import (
    StackedFullyConnected,
    add_corner,
    predict_stacked,
    seeded_network,
)
from hyperribbon.training.stacked_loop import STACK_SIZE, train_stacked

logger = logging.getLogger(__name__)


class Stack(NamedTuple):
    """Trainings that run together: one network, optimiser and batch size, several starts.

    Attributes
    ----------
    starts : corner and seed of each training
    """

    network: str
    optimiser: str
    batch_size: int
    starts: tuple[tuple[int, int], ...]

    @property
    def name(self) -> str:
        """Name of its folder of work, such as ``1-hidden-SGD-200-0.0-0.9``."""
        (first, *_), (last, *_) = (
            [f"{corner}.{seed}" for corner, seed in ends]
            for ends in (self.starts[:1], self.starts[-1:])
        )
        return f"{self.network}-{self.optimiser}-{self.batch_size}-{first}-{last}"


def stacks_of(experiment: SyntheticExperiment) -> list[Stack]:
    """All trainings of an experiment, in the order of its store.

    Examples
    --------
    >>> from hyperribbon.studies.synthetic.config import SyntheticConfig
    >>> stacks = stacks_of(SyntheticConfig().experiment("grid", 0.5))
    >>> len(stacks), sum(len(stack.starts) for stack in stacks)
    (16, 160)
    """
    starts = [(corner, k) for corner, n in experiment.seeds.items() for k in range(n)]
    parts = [tuple(starts[k : k + STACK_SIZE]) for k in range(0, len(starts), STACK_SIZE)]
    kinds = product(experiment.networks, experiment.optimisers, experiment.batch_sizes)
    return [Stack(*kind, part) for kind in kinds for part in parts]


def checkpoints_of(count: int, steps: int, slice_: float = 0.0) -> list[int]:
    """Steps after which models are recorded: dense early, sparse late.

    Checkpoint k of ``count``, from 0, is after a fraction (k / (count - 1))^2 of the steps, which
    does not depend on the batch size, and after at least k steps, because there are none in
    between.

    Parameters
    ----------
    count : int, at most ``steps + 1``
    steps : int, number of steps of the training
    slice_ : fraction of the training with an additional checkpoint, after step 0; 0 for none

    Examples
    --------
    >>> checkpoints_of(5, 100), checkpoints_of(5, 100, slice_=0.02)
    ([0, 6, 25, 56, 100], [0, 2, 6, 25, 56, 100])
    """
    found = {max(k, round(steps * (k / (count - 1)) ** 2)) for k in range(count)}
    if slice_:
        found.add(slice_step(steps, slice_))
    return sorted(found)


def slice_step(steps: int, slice_: float) -> int:
    """The step nearest to a fraction of a training, but after its start."""
    return max(1, round(steps * slice_))


def train_stack(
    experiment: SyntheticExperiment, stack: Stack, train: Part, test: Part
) -> dict[str, np.ndarray]:
    """Train a stack of networks together, and record their predictions.

    Parameters
    ----------
    experiment : experiment to which the stack belongs
    stack : S trainings
    train, test : as returned by `hyperribbon.data.sloppy.load`

    Returns
    -------
    dict of ``step`` (K,), ``diverged_step`` (S,) and, for each split that the experiment records,
    ``{split}_predictions`` (S, K, N, C) float32
    """
    networks = [_network(experiment, stack, start) for start in stack.starts]
    stacked = StackedFullyConnected(networks)
    x, labels = torch.from_numpy(np.asarray(train.images)), torch.from_numpy(train.labels)
    test_inputs = torch.from_numpy(np.asarray(test.images))
    inputs = {"train": x[recorded(experiment)], "test": test_inputs}
    steps = experiment.epochs * (len(x) // stack.batch_size)
    due = checkpoints_of(experiment.checkpoints, steps, experiment.slice)
    shapes = {
        split: (stacked.size, len(due), len(inputs[split]), experiment.data.classes)
        for split in experiment.splits
    }
    found = {f"{split}_predictions": np.empty(s, np.float32) for split, s in shapes.items()}

    def record(step: int, now: StackedFullyConnected) -> None:
        for split in experiment.splits:
            values = predict_stacked(now, inputs[split]).numpy()
            found[f"{split}_predictions"][:, due.index(step)] = values

    diverged = train_stacked(
        stacked,
        experiment.optimiser(stack.optimiser, stack.batch_size),
        x,
        labels,
        seeds=[seed for _, seed in stack.starts],
        epochs=experiment.epochs,
        batch_size=stack.batch_size,
        record=record,
        checkpoints=due,
        progress_bar=f"{experiment.id} {stack.name}",
    )
    return found | {"step": np.array(due), "diverged_step": diverged}


def recorded(experiment: SyntheticExperiment) -> np.ndarray:
    """Positions of the training samples whose predictions are recorded."""
    return evenly(experiment.data.train_size, experiment.record_train)


def _network(
    experiment: SyntheticExperiment, stack: Stack, start: tuple[int, int]
) -> FullyConnected:
    corner, seed = start
    shape, widths = (experiment.data.features,), experiment.networks[stack.network]
    network = seeded_network(seed, shape, experiment.data.classes, widths=widths)
    if corner:
        add_corner(network, corner)
    return network


def train_experiment(
    experiment: SyntheticExperiment, work: str | Path, path: str | Path, *, code: str = ""
) -> None:
    """Train all networks of an experiment, with one thread, and publish their predictions.

    Finished stacks are kept in a folder of work, so that a process that follows a killed one does
    not train them again. The store does not depend on how often this happened.

    Parameters
    ----------
    experiment : what to train
    work : folder of work in progress; removed once the store is published
    path : path of the store to publish
    code : hash of the code; work of other code is not continued
    """
    set_up()
    path = Path(path)
    train, test = load(decay=experiment.decay, **experiment.data.model_dump())
    described = {
        "experiment": experiment.model_dump(mode="json"),
        "data_sha256": _sha256(train, test),
        "code_version": code,
        "versions": versions("torch", "numpy", "zarr", "xarray"),
    }
    folder = work_folder(work, experiment.id, digest(described))
    with locked(folder):
        remove_superseded(folder)
        remove_leftovers(path)
        stacks = stacks_of(experiment)
        parts = [
            keep(folder / stack.name, partial(train_stack, experiment, stack, train, test))
            for stack in stacks
        ]
        dataset = _dataset(experiment, stacks, parts, train, test)
        attributes = {
            "experiment": experiment.to_json(),
            "data_sha256": described["data_sha256"],
            "code_version": code,
            "versions": json.dumps(described["versions"]),
        }
        if experiment.slice:
            steps = dataset["step"].values[0]  # the same for all, as there is one batch size
            at = steps.tolist().index(slice_step(steps[-1], experiment.slice))
            attributes["slice_checkpoint"] = at
        write_dataset(dataset.assign_attrs(attributes), path)
        shutil.rmtree(folder, ignore_errors=True)
    for training in np.flatnonzero(dataset["diverged_step"].values >= 0):
        about = dataset.isel(training=training)
        logger.warning(
            "%s: %s, %s, batch %d, seed %d diverged at step %d; left out of all analyses",
            experiment.id, *(about[name].item() for name in
            ("network", "optimiser", "batch_size", "seed", "diverged_step")),
        )  # fmt: skip
    logger.info("%s: %d trainings in %d stacks", experiment.id, len(dataset["seed"]), len(stacks))


def _sha256(*parts: Part) -> str:
    content = hashlib.sha256()
    for part in parts:
        content.update(np.asarray(part.images).tobytes())
        content.update(part.labels.tobytes())
    return content.hexdigest()


def _dataset(
    experiment: SyntheticExperiment,
    stacks: list[Stack],
    parts: list[dict[str, np.ndarray]],
    train: Part,
    test: Part,
) -> xr.Dataset:
    rows = [
        (s.network, s.optimiser, s.batch_size, experiment.optimisers[s.optimiser].weight_decay,
         seed, corner)
        for s in stacks
        for corner, seed in s.starts
    ]  # fmt: skip
    names = ("network", "optimiser", "batch_size", "weight_decay", "seed", "corner")
    coordinates: dict[str, tuple] = {
        name: ("training", np.array(values, dtype=object if isinstance(values[0], str) else None))
        for name, values in zip(names, zip(*rows, strict=True), strict=True)
    }
    sizes = [len(stack.starts) for stack in stacks]
    steps = np.stack([part["step"] for part in parts]).repeat(sizes, axis=0)
    positions = {"train": recorded(experiment), "test": np.arange(len(test.labels))}
    labels = {"train": train.labels[positions["train"]], "test": test.labels}
    coordinates |= {
        "step": (("training", "checkpoint"), steps, {"long_name": "optimiser steps taken"}),
        "fraction": (
            "checkpoint",
            (steps / steps[:, -1:]).mean(axis=0),
            {"long_name": "part of the training that is done, mean over trainings"},
        ),
        "class": ("class", np.arange(experiment.data.classes)),
    }
    diverged = np.concatenate([part["diverged_step"] for part in parts])
    variables: dict[str, tuple] = {"diverged_step": ("training", diverged)}
    for split in experiment.splits:
        P = np.concatenate([part[f"{split}_predictions"] for part in parts])
        wrong = (P.argmax(axis=3) != labels[split]).mean(axis=2)
        # The largest of several NaN is meaningless.
        wrong = np.where(np.isfinite(P).all(axis=(2, 3)), wrong, np.nan)
        sample = f"{split}_sample"
        dims = ("training", "checkpoint", sample, "class")
        variables[f"{split}_predictions"] = (
            dims,
            da.from_array(P, chunks=(1, *P.shape[1:])),  # so that some trainings can be read
            {"long_name": f"probabilities on the {split} samples"},
        )
        variables[f"{split}_error"] = (("training", "checkpoint"), wrong, {"units": "1"})
        coordinates[f"{split}_index"] = (sample, positions[split])
        coordinates[f"{split}_label"] = (sample, labels[split])
    return xr.Dataset(variables, coordinates)
