"""What a study found, as one page for the report."""

import argparse
from pathlib import Path

import pandas as pd

from hyperribbon.steps import run_step, step_parser
from hyperribbon.tables import read_tables

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Summary</title><style>
body {{ font-family: sans-serif; font-size: 14px; margin: 2em; color: #222 }}
table {{ border-collapse: collapse; margin-bottom: 2em }}
th, td {{ padding: 0.25em 0.8em; text-align: left; border-bottom: 1px solid #ddd }}
</style></head><body>
<h2>What was found</h2>
{found}
<h2>Trainings that diverged</h2>
{diverged}
<h2>Configurations, mean over seeds</h2>
{configurations}
</body></html>
"""


def main(args: argparse.Namespace) -> None:
    tables = read_tables(args.tables)
    diverged = tables["diverged"]
    means = ["final_loss", "final_error", "final_progress", "length"]
    names = ["network", "optimiser", "augmentation", "stage", "split"]
    seeds = tables["trajectories"].groupby(names, sort=False)
    radius = seeds["max_distance_to_mean"].max().rename("tube_radius")
    configurations = seeds[means].mean().join(radius).reset_index()
    page = _PAGE.format(
        found=_html(tables["summary"]),
        diverged="<p>None.</p>" if diverged.empty else _html(diverged),
        configurations=_html(configurations),
    )
    args.output.write_text(page)


def _html(table: pd.DataFrame) -> str:
    return table.to_html(index=False, na_rep="", border=0, float_format="{:.4g}".format)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="CSV files")
    parser.add_argument("--output", type=Path, required=True, help="HTML file to write")
    run_step(main, parser)
