"""Training of all seeds of a configuration into one predictions store, despite interruptions.

The job works in a folder of its own, ``<configuration id>-<key>``, where the key is a hash of
everything that decides the predictions of one seed: configuration, data, code and versions. A job
with more seeds therefore finds the work of one with fewer, and other code finds nothing. The folder
holds

====================  ==========================================================================
``lock``              held by the process at work; the system releases it when the process dies
``job.json``          a description of the job, for a reader
``seed-<k>.zarr``     predictions store of one seed
``seed-<k>.json``     its manifest: the seed is finished, and complete if its files have these
                      checksums
``seed-<k>.state``    until then, weights, optimiser, scheduler, random numbers and curves at the
                      last checkpoint, and the checksums of the store at that time
====================  ==========================================================================

A state is written after the predictions that it describes, and a manifest after its store; each
replaces the older one atomically. Whenever a process dies, the next one restores the store to what
the state describes and continues from there, bit-equal on the CPU. It reports what it cannot trust
and trains that again. The published store consists of hard links to the chunks of the seeds, and
takes no additional space. The folder stays, in case the published store is lost.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import StoreError
from hyperribbon.runtime.device import resolve_device
from hyperribbon.runtime.work import remove_superseded, work_folder
from hyperribbon.storage.dataset import open_dataset, publish, remove_leftovers
from hyperribbon.storage.locks import locked
from hyperribbon.storage.manifest import inputs_of, manifest_path
from hyperribbon.storage.predictions import link_seed
from hyperribbon.training.parallel import train_seeds
from hyperribbon.training.plan import Plan
from hyperribbon.training.seed import SeedTraining

logger = logging.getLogger(__name__)


def train_configuration(
    configuration: Configuration,
    dataset: Dataset,
    work: str | Path,
    path: str | Path,
    *,
    code: str = "",
    start: str | Path | None = None,
) -> None:
    """Train every seed and publish the predictions store.

    Equal configuration, data and versions give bit-equal predictions on the CPU, however often
    the training was interrupted.

    Parameters
    ----------
    configuration : Configuration
        What to train.
    dataset : Dataset
        What to train on.
    work : path
        Folder of all trainings in progress. A second process of the same job waits there for the
        first; work on the configuration with other data, code or versions is removed.
    path : path
        Where to publish; nothing is done if the store is published already.
    code : str
        Hash of the code. It also decides whether work in progress is continued.
    start : path, optional
        Predictions store of ``configuration.start``, if it has one, from whose weights each seed
        starts: the last ones, or those of ``configuration.learning.start_epoch``. A seed that
        diverged there counts as diverged here, at step 0.

    Raises
    ------
    StoreError
        If something other than this training lies at ``path``.
    """
    path = Path(path)
    plan = Plan(configuration, dataset, code, start)
    folder = work_folder(work, configuration.id, plan.key)
    with locked(folder):
        there = path.exists()
        if there and not plan.attributes.items() <= open_dataset(path).attrs.items():
            raise StoreError(f"{path}: holds another training already, not replaced")
        if there and manifest_path(path).exists():
            logger.info("%s: published already", path)
            return
        remove_superseded(folder)
        remove_leftovers(path)
        for leftover in folder.glob(".*.partial"):
            leftover.unlink()
        (folder / "job.json").write_text(json.dumps(plan.description, indent=1))
        device = resolve_device(configuration.training.device)
        seeds = [SeedTraining(plan, folder, k) for k in range(configuration.training.seeds)]
        pending = []
        for seed in seeds:
            if seed.is_finished():
                logger.info("%s: seed %d is finished already", configuration.label, seed.seed)
            else:
                pending.append(seed.seed)
        train_seeds(plan, folder, pending, device, configuration.training.parallel_seeds)

        def build(partial: Path) -> None:
            plan.create_store(partial, range(len(seeds)), plan.attributes)
            for position, seed in enumerate(seeds):
                link_seed(seed.store, partial, position)

        # A store without a manifest is a publication that was interrupted.
        publish(path, build, replace=there, inputs=inputs_of([start] if start else []))
