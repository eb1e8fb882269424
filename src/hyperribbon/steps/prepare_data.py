"""Read a data set, check it, split and resize it into one file."""

import argparse
from importlib import import_module
from pathlib import Path

from hyperribbon.config import DataConfig
from hyperribbon.data import prepare
from hyperribbon.steps import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    config = DataConfig.model_validate_json(args.data)
    images, labels = import_module(f"hyperribbon.data.{config.name}").load()
    dataset = prepare(
        images,
        labels,
        name=config.name,
        n_classes=int(labels.max()) + 1,
        train_size=config.train_size,
        test_size=config.test_size,
        split_seed=config.split_seed,
        image_size=config.image_size,
    )
    dataset.save(args.output)
    logger.info(
        "%s: %d train and %d test images of shape %s, SHA-256 %s",
        config.name,
        len(dataset.train_labels),
        len(dataset.test_labels),
        dataset.input_shape,
        dataset.sha256,
    )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--data", required=True, help="the data section of the study, JSON")
    parser.add_argument("--output", type=Path, required=True, help=".npz to write")
    run_step(main, parser)
