"""Linear regression in closed form: its phase diagram, spectra, bounds and variants."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hyperribbon.linear import phase_diagram
from hyperribbon.linear.spectra import chapter_spectra, variant_spectra
from hyperribbon.linear.tightness import bounds_table
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.step import logger, run_step


def main(linear: LinearConfig, threads: int, output: list[Path]) -> None:
    """Compute the tables of linear regression in closed form.

    Parameters
    ----------
    linear : section of the study, JSON
    threads : number of slopes worked on at once
    output : CSV files, TABLE.csv
    """
    threadpool_limits(1)  # or results would differ in their last digits by the number of threads
    n, start = linear.samples, time.monotonic()
    slopes, steps, ratios = linear.slopes, linear.steps, linear.ratios
    lengths = np.geomspace(steps.first, steps.last, steps.number).round().astype(np.int64)
    phase = phase_diagram(
        np.linspace(slopes.first, slopes.last, slopes.number).tolist(),
        np.unique(lengths).tolist(),
        np.geomspace(ratios.first, ratios.last, ratios.number).tolist(),
        n=n,
        draws=linear.draws,
        fraction=linear.fraction,
        random_state=linear.seed,
        threads=threads,
        progress_bar="phase diagram",
    )
    seconds, matrices = time.monotonic() - start, phase["dimension"].size * linear.draws
    logger.info("phase diagram: %d matrices of %d rows in %.1f s", matrices, n, seconds)
    bounds = bounds_table(n, linear.draws, linear.seed, progress_bar="bounds")
    logger.info("bounds: %d violations of %d", *bounds[["violations", "eigenvalues"]].sum())
    of_variants, variants = variant_spectra(
        n, linear.fraction, linear.seed, progress_bar="variants"
    )
    tables = {
        "linear_phase": phase.to_dataframe().reset_index(),
        "linear_spectra": pd.concat([chapter_spectra(n, linear.seed), of_variants]),
        "linear_bounds": bounds,
        "linear_variants": variants,
    }
    for path in output:
        write_table(tables[path.stem], path)


if __name__ == "__main__":
    run_step(main)
