"""Train all networks of one experiment on the data of one decay into a predictions store."""

from pathlib import Path

from hyperribbon.studies.step import run_step
from hyperribbon.studies.synthetic.config import SyntheticExperiment
from hyperribbon.studies.synthetic.training import train_experiment


def main(experiment: SyntheticExperiment, work: Path, code: str, output: Path) -> None:
    """Train the networks of one experiment.

    Parameters
    ----------
    experiment : what to train, JSON
    work : folder of work in progress
    code : hash of the code; work done with other code is not continued
    output : Zarr store to publish
    """
    train_experiment(experiment, work, output, code=code)


if __name__ == "__main__":
    run_step(main)
