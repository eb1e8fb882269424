"""The spectrum of images, as networks see them, to be drawn beside that of synthetic inputs."""

import argparse
from importlib import import_module
from pathlib import Path

from hyperribbon.data.prepare import vectors
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.studies.synthetic.spectrum import input_spectrum


def main(args: argparse.Namespace) -> None:
    parts = import_module(f"hyperribbon.data.{args.name}").load()
    inputs, _ = vectors(parts, {"name": args.name})
    spectrum = input_spectrum(inputs)
    spectrum.insert(0, "data", args.name)
    write_table(spectrum, args.output)
    logger.info("%s: %d eigenvalues of %d samples", args.name, len(spectrum), len(inputs))


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--name", required=True, help="of the data set, all of it")
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    run_step(main, parser)
