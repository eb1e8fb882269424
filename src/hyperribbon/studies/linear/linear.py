"""Linear regression in closed form: its phase diagram, spectra, bounds and variants."""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hyperribbon.linear import phase_diagram
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.linear.spectra import chapter_spectra, variant_spectra
from hyperribbon.studies.linear.tightness import bounds_table
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    threadpool_limits(1)  # or results would differ in their last digits by the number of threads
    config = LinearConfig.model_validate_json(args.linear)
    n, start = config.samples, time.monotonic()
    slopes, steps, ratios = config.slopes, config.steps, config.ratios
    lengths = np.geomspace(steps.first, steps.last, steps.number).round().astype(np.int64)
    phase = phase_diagram(
        np.linspace(slopes.first, slopes.last, slopes.number),
        np.unique(lengths),
        np.geomspace(ratios.first, ratios.last, ratios.number),
        n=n,
        draws=config.draws,
        fraction=config.fraction,
        random_state=config.seed,
        threads=args.threads,
        progress_bar="phase diagram",
    )
    seconds, matrices = time.monotonic() - start, phase["dimension"].size * config.draws
    logger.info("phase diagram: %d matrices of %d rows in %.1f s", matrices, n, seconds)
    bounds = bounds_table(n, config.draws, config.seed, progress="bounds")
    logger.info("bounds: %d violations of %d", *bounds[["violations", "eigenvalues"]].sum())
    of_variants, variants = variant_spectra(n, config.fraction, config.seed, progress="variants")
    tables = {
        "linear_phase": phase.to_dataframe().reset_index(),
        "linear_spectra": pd.concat([chapter_spectra(n, config.seed), of_variants]),
        "linear_bounds": bounds,
        "linear_variants": variants,
    }
    for path in args.output:
        write_table(tables[path.stem], path)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--linear", required=True, help="section of the study, JSON")
    parser.add_argument("--threads", type=int, required=True, help="slopes worked on at once")
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="CSV of each table")
    run_step(main, parser)
