"""Train all networks of one experiment on the data of one decay into a predictions store."""

import argparse
from pathlib import Path

from hyperribbon.studies.step import run_step, step_parser
from hyperribbon.studies.synthetic.config import SyntheticExperiment
from hyperribbon.studies.synthetic.training import train_experiment


def main(args: argparse.Namespace) -> None:
    experiment = SyntheticExperiment.model_validate_json(args.experiment)
    train_experiment(experiment, args.work, args.output, code=args.code)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--experiment", required=True, help="what to train, JSON")
    parser.add_argument("--work", type=Path, required=True, help="folder of work in progress")
    parser.add_argument(
        "--code", required=True, help="hash of the code; other work is not continued"
    )
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to publish")
    run_step(main, parser)
