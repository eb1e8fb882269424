"""Spectra of perceptrons that learn a regression, on the Boston housing table and random data."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.bars import bar_over
from hyperribbon.curvature import JacobianGram, Problem, correlation_eigenvalues
from hyperribbon.curvature.tables import SLOPPINESS_COLUMNS, sloppiness_row, thinned
from hyperribbon.data.boston import load
from hyperribbon.runtime.device import be_deterministic
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.regression.config import RegressionConfig
from hyperribbon.studies.step import logger, run_step
from hyperribbon.training.regression import standardised, train_regression

KEYS = ["data", "network", "parameters", "seed", "moment", "epoch", "matrix"]
OF_SPECTRA = [*KEYS, "index", "eigenvalue"]
OF_SLOPPINESS = [*KEYS, *SLOPPINESS_COLUMNS[2:], "error"]
WHOLE = ["parameters", "seed", "epoch", "elbow", "first", "last"]  # numbers; some rows have none


def main(regression: RegressionConfig, output: tuple[Path, Path]) -> None:
    """Train perceptrons, and tabulate the spectra of their Fisher matrices.

    Parameters
    ----------
    regression : section of the study, JSON
    output : CSV files of spectra, and of how sloppy they are
    """
    torch.set_num_threads(1)
    be_deterministic(torch.device("cpu"))
    data = data_sets()
    found: list[tuple[dict[str, object], np.ndarray]] = []
    for name, (x, _) in data.items():
        found.append(({"data": name, "matrix": "input"}, correlation_eigenvalues(x)))
    jobs = [
        (name, widths, seed)
        for name, networks in (("boston", regression.networks), ("random", regression.networks[:1]))
        for widths in networks
        for seed in range(regression.seeds)
    ]
    for name, widths, seed in bar_over(jobs, "regression"):
        found += fisher_spectra(name, *data[name], widths, seed, regression)
    spectra = pd.concat([thinned(values, len(values)).assign(**about) for about, values in found])
    rows = [{**about, **sloppiness_row(values)} for about, values in found]
    table = pd.DataFrame(rows, columns=OF_SLOPPINESS)
    for path, whole_table, columns in zip(
        output, (spectra, table), (OF_SPECTRA, OF_SLOPPINESS), strict=True
    ):
        whole = [column for column in WHOLE if column in columns]
        write_table(whole_table[columns].astype(dict.fromkeys(whole, "Int64")), path)
    end = table[(table["data"] == "boston") & (table["moment"] == "end")]
    logger.info(
        "%d trainings; on boston, mean squared error at most %.3f, slopes %.4f to %.4f",
        len(jobs), end["error"].max(), end["slope"].min(), end["slope"].max(),
    )  # fmt: skip


def data_sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Inputs (506, 13) and targets (506, 1): the table, standardised, and standard normal ones."""
    inputs, targets = load()
    inputs, targets = standardised(inputs), standardised(targets[:, None])
    rng = np.random.default_rng(0)
    random = rng.standard_normal(inputs.shape), rng.standard_normal(targets.shape)
    return {"boston": (inputs, targets), "random": random}


def fisher_spectra(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    widths: Sequence[int],
    seed: int,
    config: RegressionConfig,
) -> Iterator[tuple[dict[str, object], np.ndarray]]:
    """Yield what each moment of a training is, and all eigenvalues of its Fisher matrix."""
    rate = config.learning_rate
    for moment in train_regression(
        x, y, widths, seed=seed, epochs=config.epochs, learning_rate=rate
    ):
        problem = Problem(moment.network, x, y, "squared_error")
        about = {
            "data": name, "network": "-".join(map(str, widths)), "seed": seed,
            "parameters": problem.n_parameters, "moment": moment.name, "epoch": moment.epoch,
            "matrix": "fisher", "error": moment.error,
        }  # fmt: skip
        yield about, JacobianGram(problem).fisher()


if __name__ == "__main__":
    run_step(main)
