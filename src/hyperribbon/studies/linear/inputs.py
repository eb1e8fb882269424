"""Some samples of a data set, as linear models and networks see them, and their targets."""

from importlib import import_module
from pathlib import Path

import numpy as np

from hyperribbon.config import DATA_SOURCES
from hyperribbon.data.prepare import vectors
from hyperribbon.storage.files import written_whole
from hyperribbon.studies.step import logger, run_step


def main(name: str, samples: int, image_size: int, output: Path) -> None:
    """Choose samples of a data set.

    Parameters
    ----------
    name : of the data set
    samples : how many
    image_size : pixels per side, at most
    output : npz file to write
    """
    facts = DATA_SOURCES[name]
    half = facts.n_classes // 2
    section = {
        "name": name,
        "train_size": samples,
        "test_size": facts.n_classes,  # the fewest; they are not used
        "image_size": min(image_size, facts.shape[1]),
        "groups": [list(range(half)), list(range(half, facts.n_classes))],
    }
    inputs, labels = vectors(import_module(f"hyperribbon.data.{name}").load(), section)
    targets = np.where(labels == 0, 1.0, -1.0)
    with written_whole(output) as partial, partial.open("wb") as file:
        np.savez(file, inputs=inputs, targets=targets)
    logger.info("%s: %d samples of %d numbers", name, *inputs.shape)


if __name__ == "__main__":
    run_step(main)
