"""The spectrum of images as networks see them, to compare with that of synthetic inputs."""

from importlib import import_module
from pathlib import Path

from hyperribbon.data.prepare import vectors
from hyperribbon.data.spectrum import input_spectrum
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step


def main(name: str, output: Path) -> None:
    """Tabulate the spectrum of all images of a data set.

    Parameters
    ----------
    name : of the data set
    output : CSV file to write
    """
    parts = import_module(f"hyperribbon.data.{name}").load()
    inputs, _ = vectors(parts, {"name": name})
    spectrum = input_spectrum(inputs)
    spectrum.insert(0, "data", name)
    write_table(spectrum, output)
    logger.info("%s: %d eigenvalues of %d samples", name, len(spectrum), len(inputs))


if __name__ == "__main__":
    run_step(main)
