"""The training of one seed of a job."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from torch import Tensor, nn
from torch.amp import GradScaler

from hyperribbon.bars import step_bar
from hyperribbon.errors import HyperribbonError, StoreError, first_line
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import SPLITS, Split
from hyperribbon.storage.digest import digest
from hyperribbon.storage.files import remove
from hyperribbon.storage.manifest import Manifest, file_sha256, manifest_path
from hyperribbon.storage.predictions import as_stored, predictions_variable
from hyperribbon.training.evaluation import Evaluation, classify, imprint_and_classify
from hyperribbon.training.loop import Diverged, calibrate_batchnorm, tf32, train
from hyperribbon.training.methods.fine_tuning import start_backbone
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.plan import Plan, kept_state
from hyperribbon.training.state import (
    load_state,
    random_state,
    save_state,
    seed_all,
    set_random_state,
)

logger = logging.getLogger(__name__)

CALIBRATION_BATCHES = 8


@dataclass
class _Recorded:
    """The last recorded step, the curves until then, and checksums of the files in the store."""

    step: int
    curves: dict[str, Tensor]
    files: dict[str, str]


class SeedTraining:
    """One seed of a job, in the job's work folder.

    Parameters
    ----------
    plan : Plan
        Plan of the job.
    folder : Path
        Work folder of the job.
    seed : int
        The seed.

    Attributes
    ----------
    store : Path
        ``seed-<k>.zarr``, with the predictions of this seed alone.
    """

    def __init__(self, plan: Plan, folder: Path, seed: int):
        self.plan = plan
        self.seed = seed
        self.store = folder / f"seed-{seed}.zarr"
        self._mark = manifest_path(self.store)  # written when it is finished
        self._state = self.store.with_suffix(".state")  # there until then
        start = [] if plan.start is None else [plan.start.digest(seed)]
        self._origin = {"training": digest([plan.key, seed, *start])}

    def is_finished(self) -> bool:
        """Whether it is finished and undamaged; damage is reported, and the seed trained again."""
        if not self._mark.exists():
            return False
        try:
            self._check(Manifest.read(self._mark), self._mark)
        except (StoreError, OSError) as error:
            self._distrust(error)
            return False
        remove(self._state)
        return True

    def train(self, device: torch.device) -> None:
        """Train it, from its last checkpoint if there is one, and mark it as finished.

        On the CPU the predictions are bit-equal, however often it was interrupted.

        Raises
        ------
        HyperribbonError
            If the GPU's memory does not suffice, or `torch.compile` fails.
        """
        try:
            self._train(device)
        except torch.OutOfMemoryError as error:
            raise HyperribbonError(self._out_of_memory(error)) from None
        except Exception as error:
            compiler = type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))
            if not (self.plan.configuration.training.compile and compiler):
                raise
            raise HyperribbonError(
                f"{self.plan.configuration.id}: torch.compile failed ({first_line(error)}); it "
                "needs a C++ compiler, and Triton on a GPU. Set training.compile to false"
            ) from None

    def _train(self, device: torch.device) -> None:
        plan, training = self.plan, self.plan.configuration.training
        seed_all(self.seed)
        # torch's stubs do not know the layout here.
        network = plan.build_network().to(device, memory_format=plan.memory_format)  # type: ignore[call-overload]
        optimiser, scheduler = build_optimiser(
            network, plan.configuration.optimiser, plan.steps[-1]
        )
        scaler = GradScaler(device.type, enabled=training.precision == "float16")
        parts = {
            "network": network,
            "optimiser": optimiser,
            "scheduler": scheduler,
            "scaler": scaler,
        }
        samples, labels = plan.samples("train", device)
        targets = plan.targets(labels)
        evaluated = {split: plan.evaluated(split, device) for split in SPLITS}
        recorded = self._resume(parts, device)
        start_diverged = False
        if recorded is None:
            recorded = self._begin()
            if plan.start is not None:
                weights = plan.start.weights(self.seed)
                start_diverged = weights is None
                if weights is not None and plan.imprints:
                    start_backbone(network, weights)
                elif weights is not None:
                    for name, tensor in kept_state(network):
                        tensor.copy_(weights[name])
            elif training.calibrate_batchnorm:
                images, size = evaluated["train"][0], training.batch_size
                few = evenly(len(images), CALIBRATION_BATCHES * size)
                calibrate_batchnorm(network, images.batches(torch.from_numpy(few).split(size)))
        arrays = dict(zarr.open_group(self.store, mode="r+").arrays())
        start = max(recorded.step, 0)
        title = f"{plan.configuration.label} seed {self.seed + 1}/{training.seeds}"
        first_of_parallel = self.seed % training.parallel_seeds == 0  # they share one line
        with step_bar(plan.steps[-1], title if first_of_parallel else None) as bar:
            bar.update(start)

            def record(step: int, objective: float) -> None:
                if plan.imprints:
                    evaluations = imprint_and_classify(network, evaluated, plan.dataset.n_classes)
                else:
                    evaluations = classify(network, evaluated)
                if not all(np.isfinite(found.loss) for found in evaluations.values()):
                    raise Diverged(step)
                if plan.imprints:
                    recorded.curves["objective"][plan.steps.index(step)] = objective
                self._write(step, evaluations, network, arrays, recorded)
                self._save(parts, recorded, device)
                epoch = step / plan.steps_per_epoch
                loss, error = evaluations["train"].loss, evaluations["test"].error
                bar.update(
                    step - bar.pos,
                    f"epoch {epoch:.3g}/{training.epochs}: train loss {loss:.3g}, "
                    f"test error {error:.3g}",
                )

            try:
                if start_diverged:
                    raise Diverged(0)
                with tf32(allowed=training.precision == "tf32"):
                    train(
                        network,
                        optimiser,
                        scheduler,
                        samples,
                        targets,
                        plan.method(self.seed),
                        epochs=training.epochs,
                        checkpoints=[step for step in plan.steps if step > recorded.step],
                        record=record,
                        scaler=scaler,
                        start=start,
                    )
                logger.info("%s: done", title)
            except Diverged as diverged:
                arrays["diverged_step"][0] = diverged.step
                logger.warning("%s: diverged, %s", title, diverged)
        for name, curve in recorded.curves.items():
            arrays[name][0] = curve.numpy()
        Manifest.of(self.store, self._origin).write(self._mark)
        remove(self._state)

    def _begin(self) -> _Recorded:
        """Put an empty store in place of whatever there was."""
        for path in (self._mark, self._state, self.store):
            remove(path)
        self.plan.create_store(self.store, [self.seed], self._origin)
        names = [f"{split}_{name}" for split in SPLITS for name in ("loss", "error")]
        if self.plan.imprints:
            names.append("objective")
        empty = torch.full((len(self.plan.steps),), torch.nan, dtype=torch.float64)
        curves = {name: empty.clone() for name in names}
        return _Recorded(-1, curves, dict(Manifest.of(self.store).files))

    def _write(
        self,
        step: int,
        evaluations: Mapping[Split, Evaluation],
        network: nn.Module,
        arrays: dict[str, zarr.Array],
        recorded: _Recorded,
    ) -> None:
        """Write what a checkpoint records."""

        def write(variable: str, k: int, values: np.ndarray) -> None:
            arrays[variable][0, k] = values
            chunk = arrays[variable].metadata.encode_chunk_key((0, k) + (0,) * values.ndim)
            recorded.files[f"{variable}/{chunk}"] = file_sha256(self.store / variable / chunk)

        recorded.step, k = step, self.plan.steps.index(step)
        form = self.plan.configuration.training.predictions
        for split, found in evaluations.items():
            write(predictions_variable(split, form), k, as_stored(found.probabilities, form))
            recorded.curves[f"{split}_loss"][k] = found.loss
            recorded.curves[f"{split}_error"][k] = found.error
        if step in self.plan.snapshot_steps:
            flat = torch.cat([t.detach().float().flatten() for _, t in kept_state(network)])
            write("weights", self.plan.snapshot_steps.index(step), flat.cpu().numpy())

    def _save(self, parts: dict[str, Any], recorded: _Recorded, device: torch.device) -> None:
        """Write the state to continue from; the predictions that it describes must be on disk."""
        state = {name: part.state_dict() for name, part in parts.items()}
        state |= {"random": random_state(device), "origin": self._origin, **vars(recorded)}
        save_state(self._state, state)

    def _resume(self, parts: dict[str, Any], device: torch.device) -> _Recorded | None:
        """Restore the last checkpoint; None if there is none, or something is damaged."""
        if not self._state.exists():
            return None
        try:
            state = load_state(self._state)
            self._check(Manifest(state["files"], state["origin"]), self._state)
        except (StoreError, OSError) as error:
            self._distrust(error)
            return None
        for name, part in parts.items():
            part.load_state_dict(state[name])
        set_random_state(state["random"], device)
        logger.info("%s: continues after step %d", self._state, state["step"])
        return _Recorded(state["step"], state["curves"], state["files"])

    def _check(self, manifest: Manifest, source: Path) -> None:
        """Remove from the store what a manifest does not list, and check that the rest is there.

        Raises
        ------
        StoreError
            If the manifest is of another seed or job, or a file is missing or changed.
        """
        if manifest.inputs != self._origin:
            raise StoreError(f"{source}: of another job or seed")
        for name, wrong in manifest.damage(self.store).items():
            if wrong != "foreign":
                raise StoreError(f"{self.store / name}: {wrong}")
            remove(self.store / name)  # what a killed process was writing

    def _out_of_memory(self, error: Exception) -> str:
        training = self.plan.configuration.training
        advice = [f"lower the batch size, {training.batch_size}, with the learning rate"]
        if training.parallel_seeds > 1:
            advice.insert(0, f"lower training.parallel_seeds = {training.parallel_seeds}")
        if training.precision in ("float32", "tf32"):
            advice.append('set training.precision to "bfloat16"')
        first = str(error).split(". ")[0]
        return f"{self.plan.configuration.id}: out of GPU memory ({first}); {', or '.join(advice)}"

    def _distrust(self, error: Exception) -> None:
        logger.warning("%s; seed %d is trained again", error, self.seed)
        remove(self._mark)
