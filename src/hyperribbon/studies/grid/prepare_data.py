"""Read a data set, check it, split it, and publish it as a store that can be mapped."""

import argparse
from importlib import import_module
from pathlib import Path

from pydantic import TypeAdapter

from hyperribbon.config import DataConfig
from hyperribbon.data import prepare
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    config = TypeAdapter(DataConfig).validate_json(args.data)
    parts = import_module(f"hyperribbon.data.{config.name}").load(**config.load_arguments)
    identity = (args.content, args.code)
    dataset = prepare(parts, config, args.output, args.work, identity=identity)
    logger.info(
        "%s: %d train and %d test samples, which networks see in shape %s, SHA-256 %s",
        config.name,
        len(dataset.train_labels),
        len(dataset.test_labels),
        dataset.input_shape,
        dataset.sha256,
    )


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--data", required=True, help="the data section of the study, JSON")
    parser.add_argument("--content", default="", help="hash of the content of one's own data")
    parser.add_argument("--code", required=True, help="version of the code")
    parser.add_argument("--work", type=Path, required=True, help="folder of work in progress")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to publish")
    run_step(main, parser)
