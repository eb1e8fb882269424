"""The first images of a data set, which networks train on, and others that test."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hyperribbon.storage.files import written_whole
from hyperribbon.studies.step import logger, run_step

TEST = 10_000  # images at most


def main(name: str, samples: int, image_size: int, output: Path) -> None:
    """Choose images of a data set: the first of its training part, as in the paper.

    A set without parts may be sorted by class, so it is shuffled first, and the next images test.

    Parameters
    ----------
    name : of the data set
    samples : how many train
    image_size : pixels per side; images are averaged down
    output : npz file to write
    """
    parts = import_module(f"hyperribbon.data.{name}").load()
    train, test = parts[0], parts[-1]
    order, rest = np.arange(samples), np.arange(min(TEST, len(test.labels)))
    if len(parts) == 1:
        shuffled = np.random.default_rng(0).permutation(len(train.labels))
        order, rest = shuffled[:samples], shuffled[samples:][:TEST]
    chosen = {"": (train, order), "test_": (test, rest)}
    arrays: dict[str, Any] = {}
    for prefix, (part, rows) in chosen.items():
        images = torch.from_numpy(np.array(part.images[rows], dtype=np.float32))
        size = (image_size, image_size)
        if images.shape[-2:] != size:
            images = torch.nn.functional.interpolate(images, size=size, mode="area")
        arrays[f"{prefix}x"] = images.numpy()
        arrays[f"{prefix}classes"] = part.labels[rows].astype(np.int64)
    with written_whole(output) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    logger.info("%s: %d images of shape %s", name, samples, arrays["x"].shape[1:])


if __name__ == "__main__":
    run_step(main)
