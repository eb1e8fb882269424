"""Train all seeds of one configuration into a predictions store."""

import argparse
from pathlib import Path

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.runtime.device import own_gpu
from hyperribbon.storage.manifest import store_path
from hyperribbon.studies.step import run_step, step_parser
from hyperribbon.training.job import train_configuration


def main(args: argparse.Namespace) -> None:
    configuration = Configuration.model_validate_json(args.configuration)
    training = configuration.training.model_copy(update={"parallel_seeds": args.parallel_seeds})
    configuration = configuration.model_copy(update={"training": training})
    with own_gpu(configuration.training.device, args.gpus):
        dataset = Dataset.open(store_path(args.data))
        start = store_path(args.start) if args.start else None
        train_configuration(
            configuration, dataset, args.work, args.output, code=args.code, start=start
        )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--configuration", required=True, help="what to train, JSON")
    parser.add_argument("--data", type=Path, required=True, help="manifest of the data")
    parser.add_argument("--start", type=Path, help="manifest of the trainings that it starts from")
    parser.add_argument("--work", type=Path, required=True, help="folder of work in progress")
    parser.add_argument("--code", default="", help="hash of the code; other work is not continued")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to publish")
    parser.add_argument("--parallel-seeds", type=int, default=1, help="seeds trained at once")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs that the job was given")
    run_step(main, parser)
