"""Networks that learn one task in the plane: their metric through training."""

from pathlib import Path

import pandas as pd
import torch

from hyperribbon.errors import ConfigError
from hyperribbon.representations.plane_geometry import (
    magnification_means,
    plane_tables,
    spaced_moments,
)
from hyperribbon.representations.plane_tasks import PLANE_TASKS
from hyperribbon.runtime.device import be_deterministic
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.representations.config import PlanesConfig, Task
from hyperribbon.studies.representations.names import STANDARD
from hyperribbon.studies.representations.variants import is_mapped, variants
from hyperribbon.studies.step import logger, run_step

MAP = ["variant", "epoch", "x", "y", "log_volume", "ricci", "margin", "truth"]
DIGITS = {"x": 6, "y": 6, "log_volume": 5, "ricci": 4, "margin": 5, "truth": 5}  # decimals


def main(task: Task, planes: PlanesConfig, output: list[Path]) -> None:
    """Train all networks that learn a task, and tabulate their metric.

    Parameters
    ----------
    task : what is learned
    planes : section of the study, JSON
    output : CSV files, TABLE-TASK.csv
    """
    torch.set_num_threads(1)
    be_deterministic(torch.device("cpu"))
    settings = planes.tasks().get(task)
    if settings is None:
        raise ConfigError(f"representations.planes.{task}: null, expected epochs and learning_rate")
    found: dict[str, list[pd.DataFrame]] = {}
    for variant in variants(planes, task):
        tables = plane_tables(
            PLANE_TASKS[task](),
            variant,
            seeds=planes.seeds if variant.name == STANDARD else planes.variant_seeds,
            moments=spaced_moments(settings.epochs, planes.moments),
            learning_rate=settings.learning_rate,
            momentum=planes.momentum,
            grid=planes.grid,
            mapped=is_mapped(variant),
            progress_bar=f"{task}, {variant.name}",
        )
        for name, table in tables.items():
            found.setdefault(name, []).append(table)
        last = tables["plane_trainings"].groupby("epoch")["accuracy"].mean()
        logger.info("%s, %s: accuracy %.3f", task, variant.name, last.iloc[-1])
    whole = {name: pd.concat(parts) for name, parts in found.items()}
    for table in whole.values():
        table.insert(0, "task", task)
    whole["plane_magnification_means"] = magnification_means(whole["plane_magnification"])
    whole["plane_maps"] = whole["plane_maps"][["task", *MAP]].round(DIGITS)
    for path in output:
        write_table(whole[path.stem.removesuffix(f"-{task}")], path)


if __name__ == "__main__":
    run_step(main)
