"""The spectrum of images, as networks see them, to be drawn beside that of synthetic inputs."""

import argparse
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from pydantic import TypeAdapter

from hyperribbon.config import DataConfig
from hyperribbon.data import prepare
from hyperribbon.data.spectrum import input_spectrum
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.tables import write_table


def main(args: argparse.Namespace) -> None:
    config = TypeAdapter(DataConfig).validate_python({"name": args.name})
    parts = import_module(f"hyperribbon.data.{args.name}").load()
    with TemporaryDirectory() as folder:
        dataset = prepare(parts, config, f"{folder}/data.zarr", f"{folder}/work")
    inputs = dataset.as_input(torch.from_numpy(dataset.train_images)).flatten(1)
    spectrum = input_spectrum(inputs.numpy())
    spectrum.insert(0, "data", args.name)
    write_table(spectrum, args.output)
    logger.info("%s: %d eigenvalues of %d samples", args.name, len(spectrum), len(inputs))


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--name", required=True, help="of the data set, all of it")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    run_step(main, parser)
