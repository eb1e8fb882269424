"""Some samples of a data set, as linear models and networks see them, and their targets."""

import argparse
from importlib import import_module
from pathlib import Path

import numpy as np

from hyperribbon.config import DATA_SOURCES
from hyperribbon.data.prepare import vectors
from hyperribbon.storage.files import written_whole
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    facts = DATA_SOURCES[args.name]
    half = facts.n_classes // 2
    section = {
        "name": args.name,
        "train_size": args.samples,
        "test_size": facts.n_classes,  # the fewest; they are not used
        "image_size": min(args.image_size, facts.shape[1]),
        "groups": [list(range(half)), list(range(half, facts.n_classes))],
    }
    inputs, labels = vectors(import_module(f"hyperribbon.data.{args.name}").load(), section)
    targets = np.where(labels == 0, 1.0, -1.0)
    with written_whole(args.output) as partial, partial.open("wb") as file:
        np.savez(file, inputs=inputs, targets=targets)
    logger.info("%s: %d samples of %d numbers", args.name, *inputs.shape)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--name", required=True, help="of the data set")
    parser.add_argument("--samples", type=int, required=True, help="how many")
    parser.add_argument("--image-size", type=int, required=True, help="pixels a side, at most")
    parser.add_argument("--output", type=Path, required=True, help="npz to write")
    run_step(main, parser)
