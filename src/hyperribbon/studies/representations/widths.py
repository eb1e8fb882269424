"""Random layers of several widths, compared with infinitely wide ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyperribbon.representations.finite_width import FiniteWidths, finite_widths
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.representations.config import WidthsConfig
from hyperribbon.studies.step import logger, run_step

COLUMNS = ("metric_deviation", "asymmetry", "volume_mean", "volume_sd", "scalar_mean", "scalar_sd")


def main(widths: WidthsConfig, output: tuple[Path, Path]) -> None:
    """Draw layers and tabulate how far they are from the limit.

    Parameters
    ----------
    widths : section of the study, JSON
    output : CSV files of deviations, and of the rates at which they fall
    """
    torch.set_num_threads(1)
    deviations, rates = [], []
    for activation in widths.activations:
        found = finite_widths(
            widths.widths,
            np.array(widths.radii),
            dimension=widths.dimension,
            activation=activation,
            draws=widths.draws,
            progress_bar=activation,
        )
        deviations.append(deviation_table(found).assign(activation=activation))
        for name in ("metric", "asymmetry"):
            rate = getattr(found, f"{name}_rate")
            row = {"activation": activation, "quantity": name}
            rates.append(row | {"slope": rate.slope, "error": rate.error})
        logger.info("%s: asymmetry falls as n^%.3f", activation, found.asymmetry_rate.slope)
    table = pd.concat(deviations)
    write_table(table[["activation", *table.columns.drop("activation")]], output[0])
    write_table(pd.DataFrame(rates), output[1])


def deviation_table(found: FiniteWidths) -> pd.DataFrame:
    """One row per width and radius."""
    rows = []
    for i, width in enumerate(found.widths):
        for k, radius in enumerate(found.radii):
            row = {name: getattr(found, name)[i, k] for name in COLUMNS}
            row |= {"volume_limit": found.volume_limit[k], "scalar_limit": found.scalar_limit[k]}
            rows.append({"width": int(width), "radius": radius, **row})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    run_step(main)
