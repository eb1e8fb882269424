"""Train all seeds of a configuration into one predictions store.

Everything happens in a work folder, seed by seed; a finished seed is marked there and never
trained again. The store is published when all seeds are done.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import zarr
from tqdm import tqdm

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import HyperribbonError, StoreError
from hyperribbon.networks import build_network
from hyperribbon.provenance import versions
from hyperribbon.store import SPLITS, create_predictions, open_dataset, publish
from hyperribbon.training.loop import Diverged, calibrate_batchnorm, predict, train
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.schedule import checkpoint_steps

logger = logging.getLogger(__name__)

CALIBRATION_BATCHES = 8


def resolve_device(device: str) -> torch.device:
    """``auto`` is the GPU if there is one.

    Raises
    ------
    HyperribbonError
        If ``cuda`` is asked for and torch sees no GPU.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise HyperribbonError('training.device = "cuda": torch sees no GPU here; use "cpu"')
    return torch.device(device)


def train_configuration(
    configuration: Configuration, dataset: Dataset, work: str | Path, path: str | Path
) -> None:
    """Train every seed and publish the predictions store.

    Equal configuration, data and versions give bit-equal predictions on the CPU.

    Parameters
    ----------
    configuration : what to train
    dataset : what to train on
    work : folder for work in progress; continued if it holds the same work. It is left whole, to
        be removed when the published store is in use. A second process waits here for the first.
    path : where to publish; nothing is done if it exists

    Raises
    ------
    StoreError
        If another training lies at ``path``.
    """
    work, path = Path(work), Path(path)
    work.mkdir(parents=True, exist_ok=True)
    with _lock(work):
        job = _Job(configuration, dataset, work)
        if path.exists():
            if not job.attributes.items() <= open_dataset(path).attrs.items():
                raise StoreError(f"{path}: holds another training already, not replaced")
            logger.info("%s: published already", path)
            return
        job.prepare()
        device = resolve_device(configuration.training.device)
        torch.set_num_threads(configuration.training.threads)
        torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
        for seed in range(configuration.training.seeds):
            if job.finished(seed):
                logger.info("%s: seed %d is finished already", configuration.label, seed)
            else:
                job.train_seed(seed, device)
        publish(job.store, path)


@contextmanager
def _lock(work: Path) -> Iterator[None]:
    """Hold the work folder; the system lets go of it when the process dies, however it dies."""
    while True:
        work.mkdir(parents=True, exist_ok=True)
        with (work / "lock").open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.warning("%s: another process is at work here; waiting for it", work)
                fcntl.flock(handle, fcntl.LOCK_EX)
            # The one before us may have removed the folder, and with it the file we locked.
            if _same_file(work / "lock", handle.fileno()):
                yield
                return


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


class _Job:
    """Work in progress: the store being filled and the marks of finished seeds."""

    def __init__(self, configuration: Configuration, dataset: Dataset, work: Path):
        self.configuration = configuration
        self.dataset = dataset
        self.work = work
        self.store = work / "predictions.zarr"
        training = configuration.training
        self.steps_per_epoch = len(dataset.train_labels) // training.batch_size
        self.steps = checkpoint_steps(training.epochs, self.steps_per_epoch)
        fractions = np.array(training.keep_weights)
        distance = np.abs(np.array(self.steps)[:, None] - fractions * self.steps[-1])
        self.attributes = {
            "configuration": json.dumps(configuration.model_dump(mode="json")),
            "configuration_id": configuration.id,
            "data_sha256": dataset.sha256,
            "versions": json.dumps(versions("torch", "numpy", "zarr", "xarray")),
        }
        self.snapshot_steps = [self.steps[k] for k in sorted(set(distance.argmin(axis=0).tolist()))]

    def prepare(self) -> None:
        """Create the empty store, unless the folder holds this very work already."""
        description = self.work / "job.json"
        text = json.dumps(self.attributes, indent=1)
        whole = (self.store / "zarr.json").exists()
        if whole and description.exists() and description.read_text() == text:
            return
        description.unlink(missing_ok=True)
        shutil.rmtree(self.store, ignore_errors=True)
        for mark in self.work.glob("seed-*.done"):
            mark.unlink()
        network = self._build_network()
        create_predictions(
            self.store,
            seeds=range(self.configuration.training.seeds),
            steps=self.steps,
            steps_per_epoch=self.steps_per_epoch,
            snapshot_steps=self.snapshot_steps,
            layout=[(name, tuple(t.shape)) for name, t in _state(network)],
            labels={split: self.dataset.split(split)[1] for split in SPLITS},
            index={split: self.dataset.split(split)[2] for split in SPLITS},
            n_classes=self.dataset.n_classes,
            attributes=self.attributes,
        )
        description.write_text(text)  # last: its presence says the store is whole

    def finished(self, seed: int) -> bool:
        return (self.work / f"seed-{seed}.done").exists()

    def train_seed(self, seed: int, device: torch.device) -> None:
        """Train one seed into the store, and mark it as finished."""
        training = self.configuration.training
        torch.manual_seed(seed)
        generator = torch.Generator().manual_seed(seed)
        network = self._build_network().to(device)
        optimiser, scheduler = build_optimiser(
            network.parameters(), self.configuration.optimiser, self.steps[-1]
        )
        splits = {
            split: tuple(torch.from_numpy(a).to(device) for a in self.dataset.split(split)[:2])
            for split in SPLITS
        }
        images, labels = splits["train"]
        if training.calibrate_batchnorm:
            few = images[: CALIBRATION_BATCHES * training.batch_size]
            calibrate_batchnorm(network, few, training.batch_size)
        arrays = dict(zarr.open_group(self.store, mode="r+").arrays())
        curves = {
            f"{split}_{name}": np.full(len(self.steps), np.nan)
            for split in SPLITS
            for name in ("loss", "error")
        }
        title = f"{self.configuration.label} seed {seed + 1}/{training.seeds}"
        with tqdm(total=self.steps[-1], desc=title, unit="step", leave=False, disable=None) as bar:

            def record(step: int) -> None:
                k = self.steps.index(step)
                for split, (x, y) in splits.items():
                    logits = predict(network, x).double()
                    loss = torch.nn.functional.cross_entropy(logits, y).item()
                    if not np.isfinite(loss):
                        raise Diverged(step)
                    error = (logits.argmax(dim=1) != y).double().mean().item()
                    probabilities = logits.softmax(dim=1).float().cpu().numpy()
                    arrays[f"{split}_predictions"][seed, k] = probabilities
                    curves[f"{split}_loss"][k], curves[f"{split}_error"][k] = loss, error
                if step in self.snapshot_steps:
                    flat = torch.cat([t.detach().float().flatten() for _, t in _state(network)])
                    arrays["weights"][seed, self.snapshot_steps.index(step)] = flat.cpu().numpy()
                epoch = step / self.steps_per_epoch
                bar.set_description(f"{title}, epoch {epoch:.3g}/{training.epochs}", refresh=False)
                loss, error = curves["train_loss"][k], curves["test_error"][k]
                bar.set_postfix(train_loss=loss, test_error=error, refresh=False)
                bar.update(step - bar.n)

            try:
                train(
                    network,
                    optimiser,
                    scheduler,
                    images,
                    labels,
                    epochs=training.epochs,
                    batch_size=training.batch_size,
                    generator=generator,
                    checkpoints=self.steps,
                    record=record,
                )
                logger.info("%s: done", title)
            except Diverged as diverged:
                arrays["diverged_step"][seed] = diverged.step
                logger.warning("%s: diverged, %s", title, diverged)
            for name, curve in curves.items():
                arrays[name][seed] = curve
        (self.work / f"seed-{seed}.done").touch()

    def _build_network(self) -> torch.nn.Module:
        parameters = self.configuration.network.model_dump()
        architecture = parameters.pop("architecture")
        return build_network(
            architecture, self.dataset.input_shape, self.dataset.n_classes, **parameters
        )


def _state(network: torch.nn.Module) -> list[tuple[str, torch.Tensor]]:
    """Weights and floating-point buffers (BatchNorm's statistics), in a fixed order."""
    return [(k, t) for k, t in network.state_dict().items() if t.is_floating_point()]
