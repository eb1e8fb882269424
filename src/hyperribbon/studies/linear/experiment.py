"""Linear models, kernel machines and wide networks on one data set, predicted and measured."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.linear.experiments import (
    SLOPPY,
    run_experiment,
    scaled,
    sloppy_experiment,
)
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.step import logger, run_step


def main(linear: LinearConfig, output: list[Path], inputs: Path | None = None) -> None:
    """Train linear models and wide networks on one data set, and compare them with the theory.

    Parameters
    ----------
    linear : section of the study, JSON
    output : CSV files, TABLE-DATA.csv
    inputs : npz file of samples; sloppy Gaussian ones by default
    """
    torch.set_num_threads(1)
    section = linear.experiments
    if section is None:
        raise ConfigError("linear.experiments: missing, expected what to train")
    if inputs is None:
        name, features = SLOPPY, section.image_size**2
        experiment = sloppy_experiment(section.samples, features, section.decay, linear.seed)
    else:
        name = inputs.stem
        experiment = scaled(*read_samples(inputs))
    tables = run_experiment(
        name,
        experiment,
        steps=section.steps,
        ratios=section.ratios,
        networks=section.networks,
        models=section.models,
        fraction=linear.fraction,
        seed=linear.seed,
        progress_bar=True,
    )
    trained = tables["linear_experiments"]
    for model, rows in trained.groupby(["model", trained["ratio"].fillna("")], sort=False):
        model = " ".join(map(str, model)).strip()
        predicted, measured = rows["predicted"].tolist(), rows["measured"].tolist()
        logger.info(
            "%s, %s: dimensions %s predicted, %s measured", name, model, predicted, measured
        )
    for path in output:
        write_table(tables[path.stem.removesuffix(f"-{name}")], path)


def read_samples(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (n, d) and targets (n,) as the step `linear_inputs` writes them."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["inputs"], arrays["targets"]
    except (EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StoreError(f"{path}: damaged ({error}); delete it and run again") from None


if __name__ == "__main__":
    run_step(main)
