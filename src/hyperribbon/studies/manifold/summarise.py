"""What a study found, as one page for the report."""

from pathlib import Path

from hyperribbon.reporting.page import write_page
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.step import run_step


def main(tables: list[Path], output: Path) -> None:
    """Write a page that sums up what was found.

    Parameters
    ----------
    tables : CSV files
    output : HTML file to write
    """
    found = read_tables(tables)
    diverged = found["diverged"]
    means = ["final_loss", "final_error", "final_progress", "length"]
    names = ["network", "optimiser", "augmentation", "stage", "split"]
    seeds = found["trajectories"].groupby(names, sort=False)
    radius = seeds["max_distance_to_mean"].max().rename("tube_radius")
    configurations = seeds[means].mean().join(radius).reset_index()
    write_page(
        output,
        "Summary",
        {
            "What was found": found["summary"],
            "Trainings that diverged": "None." if diverged.empty else diverged,
            "Configurations, mean over seeds": configurations,
        },
    )


if __name__ == "__main__":
    run_step(main)
