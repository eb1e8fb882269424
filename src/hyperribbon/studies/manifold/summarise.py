"""What a study found, as one page for the report."""

import argparse
from pathlib import Path

from hyperribbon.reporting.page import write_page
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.step import run_step, step_parser


def main(args: argparse.Namespace) -> None:
    tables = read_tables(args.tables)
    diverged = tables["diverged"]
    means = ["final_loss", "final_error", "final_progress", "length"]
    names = ["network", "optimiser", "augmentation", "stage", "split"]
    seeds = tables["trajectories"].groupby(names, sort=False)
    radius = seeds["max_distance_to_mean"].max().rename("tube_radius")
    configurations = seeds[means].mean().join(radius).reset_index()
    write_page(
        args.output,
        "Summary",
        {
            "What was found": tables["summary"],
            "Trainings that diverged": "None." if diverged.empty else diverged,
            "Configurations, mean over seeds": configurations,
        },
    )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    run_step(main, parser)
