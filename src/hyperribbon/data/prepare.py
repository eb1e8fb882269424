"""From the parts of a source to a prepared data set: split, averaged down, with statistics."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from pydantic import TypeAdapter

from hyperribbon.bars import step_bar
from hyperribbon.config import DataConfig
from hyperribbon.config.data import SloppyConfig
from hyperribbon.data.dataset import Dataset, check_labels
from hyperribbon.data.images import MappedImages, write_images
from hyperribbon.data.parts import Images, Part
from hyperribbon.errors import DataError
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.digest import digest
from hyperribbon.storage.files import remove
from hyperribbon.storage.locks import locked


def prepare(
    parts: list[Part],
    config: DataConfig,
    path: str | Path,
    work: str | Path,
    *,
    identity: tuple[str, ...] = (),
) -> Dataset:
    """Split, average down by area, and publish, with one chunk of images in memory at a time.

    Raw images stay as they are: uint8, or float32 if they were averaged or are given as floats.

    Parameters
    ----------
    parts : list of Part
        One part, which is split with equal class proportions, or a train and a test part.
    config : DataConfig
        Section of the data.
    path : path
        Store to publish.
    work : path
        Folder of work in progress. After a kill, the chunks of images that are read when they are
        indexed are found there again. It is emptied at the end.
    identity : tuple of str
        What else decides the images, such as the version of the code.

    Returns
    -------
    Dataset
        The published data set.

    Raises
    ------
    DataError
        If images have another shape or type, are not finite or have no contrast; if labels are
        outside 0..C-1; if a class has no training samples; or if there are too few samples.
    """
    titles = [""] if len(parts) == 1 else [f", {split}" for split in SPLITS]
    for part, title in zip(parts, titles, strict=True):
        _check(part, config, f"data set {config.name}{title}")
    dtypes = {str(part.images.dtype) for part in parts}
    if len(dtypes) > 1 and "uint8" in dtypes:  # only uint8 is divided by 255
        raise DataError(
            f"data set {config.name}: images of {parts[0].images.dtype} in train and of "
            f"{parts[1].images.dtype} in test, expected uint8 in both or in none"
        )
    index = _chosen(parts, config)
    by_split = dict(zip(SPLITS, parts * (3 - len(parts)), strict=True))
    labels = {split: by_split[split].labels[index[split]].astype(np.int64) for split in SPLITS}
    if config.groups_of_classes:
        labels = {split: grouped(of, config.groups_of_classes) for split, of in labels.items()}
    n_each = np.bincount(labels["train"], minlength=config.n_classes)
    if not n_each.all():
        raise DataError(
            f"data set {config.name}: none of {len(labels['train'])} training samples is of class "
            f"{n_each.argmin()}, expected some of each of {config.n_classes} classes"
        )
    key = digest(
        [
            config.model_dump(mode="json"),
            config.resolved,
            *identity,
            *(part.key for part in parts),
            *(hashlib.sha256(labels[split]).hexdigest() for split in SPLITS),
        ]
    )
    work = Path(work)
    with locked(work):
        folder = work / key[:16]
        for other in list(work.iterdir()):
            if other.name != "lock" and (other != folder or _in_memory(parts)):
                remove(other)
        moments = _Moments()
        for split in SPLITS:
            blocks = _blocks(by_split[split].images, index[split], config, split, folder / split)
            for block in blocks:
                if split == "train":
                    moments.add(_pixels(block))
        n_channels = config.stored_shape[0]
        mean, std = np.zeros(n_channels, np.float32), np.ones(n_channels, np.float32)
        if config.standardises:
            mean, std = moments.mean_and_std()
        dataset = Dataset(
            name=config.name,
            n_classes=config.n_classes,
            train_images=MappedImages(folder / "train"),
            train_labels=labels["train"],
            train_index=index["train"],
            test_images=MappedImages(folder / "test"),
            test_labels=labels["test"],
            test_index=index["test"],
            mean=mean,
            std=std,
            input_shape=config.input_shape,
        )
        dataset.save(path, {"data": config.model_dump_json()})
        remove(folder)  # the published store has links to its files
    return Dataset.open(path)


def _check(part: Part, config: DataConfig, where: str) -> None:
    images, labels = part.images, part.labels
    expected = config.source_shape
    if tuple(images.shape[1:]) != expected or len(images.shape) == 1:
        n = images.shape[0] if images.shape else "N"
        raise DataError(
            f"{where}: images of shape {tuple(images.shape)}, expected {(n, *expected)}"
        )
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise DataError(f"{where}: images of {images.dtype}, expected uint8 or floating point")
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iu":
        raise DataError(
            f"{where}: labels of {labels.dtype} and shape {labels.shape}, expected integers of "
            f"shape {tuple(images.shape[:1])}, one per image"
        )
    if not len(labels):
        raise DataError(f"{where}: no samples")
    groups = config.groups_of_classes
    check_labels(labels, sum(map(len, groups)) if groups else config.n_classes, where)


def grouped(labels: np.ndarray, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """The group of each label.

    >>> grouped(np.array([0, 1, 2, 1]), [[0, 2], [1]])
    array([0, 1, 0, 1])
    """
    group_of = np.empty(sum(map(len, groups)), np.int64)
    for k, group in enumerate(groups):
        group_of[list(group)] = k
    return group_of[labels]


def _in_memory(parts: list[Part]) -> bool:
    return all(isinstance(part.images, np.ndarray) for part in parts)


def vectors(parts: list[Part], section: Mapping[str, object]) -> tuple[np.ndarray, np.ndarray]:
    """Training samples (N, d) float32 as networks see them, and labels (N,); no store is left.

    Parameters
    ----------
    parts : list of Part
        As for `prepare`.
    section : mapping
        Section of the data, as a study has it.

    Raises
    ------
    DataError
        As raised by `prepare`.
    """
    config: DataConfig = TypeAdapter(DataConfig).validate_python(section)
    with TemporaryDirectory() as folder:
        dataset = prepare(parts, config, f"{folder}/data.zarr", f"{folder}/work")
    inputs = dataset.as_input(torch.from_numpy(dataset.train_images[:])).flatten(1)
    return inputs.numpy(), dataset.train_labels


def _chosen(parts: list[Part], config: DataConfig) -> dict[str, np.ndarray]:
    """Positions of the train and the test samples in their part."""
    # Sloppy data are generated in the sizes that are asked for, so nothing is drawn.
    seed = 0 if isinstance(config, SloppyConfig) else config.split_seed
    sizes = {"train": config.train_size, "test": config.test_size}
    if len(parts) == 1:
        from sklearn.model_selection import train_test_split  # takes a second, here alone

        n = len(parts[0].labels)
        if sum(sizes.values()) > n:
            raise DataError(
                f"data set {config.name}: {n} samples, expected at least train_size + test_size "
                f"= {sum(sizes.values())}"
            )
        try:
            train, test = train_test_split(
                np.arange(n),
                train_size=config.train_size,
                test_size=config.test_size,
                random_state=seed,
                stratify=parts[0].labels,
            )
        except ValueError as error:  # a class of one sample
            raise DataError(f"data set {config.name}: cannot be split: {error}") from None
        found = {"train": train, "test": test}
    else:
        found = {}
        for split, part in zip(SPLITS, parts, strict=True):
            n, size = len(part.labels), sizes[split]
            if size > n:
                raise DataError(
                    f"data set {config.name}, {split}: {n} samples, expected at least "
                    f"{split}_size = {size}"
                )
            # Images of folders come sorted by class, and are mixed here.
            whole = size == n and not part.key
            found[split] = np.arange(n) if whole else stratified(part.labels, size, seed)
    if not _in_memory(parts) and not any(part.key for part in parts):
        found = {split: np.sort(rows) for split, rows in found.items()}  # each chunk read once
    return found


def stratified(labels: np.ndarray, size: int, seed: int) -> np.ndarray:
    """Positions of some samples, classes mixed, in the class proportions of all samples.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
        Labels of all samples.
    size : int
        Number of samples to draw, at most N.
    seed : int
        Seed of the draw. The samples of a smaller size are the first of those of a larger one.

    Returns
    -------
    ndarray of int64, shape (size,)

    Examples
    --------
    >>> labels = np.repeat([0, 1], [60, 30])
    >>> np.bincount(labels[stratified(labels, 12, seed=0)]).tolist()
    [8, 4]
    """
    rng = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    # Ties are between the same ranks of equally large classes.
    return np.lexsort((rng.permutation(len(labels)), place))[:size]


def _blocks(
    images: Images, chosen: np.ndarray, config: DataConfig, split: str, folder: Path
) -> Iterator[np.ndarray]:
    """Write the chosen images chunk by chunk, and yield each chunk as it is stored."""
    where = f"data set {config.name}, {split}"
    raw = images.dtype == np.uint8 and config.stored_shape == config.source_shape
    dtype = "uint8" if raw else "float32"

    def make(rows: slice) -> np.ndarray:
        return _stored(np.asarray(images[chosen[rows]]), config.stored_shape[-1], where)

    shape = (len(chosen), *config.stored_shape)
    with step_bar(len(chosen), where) as bar:
        for block in write_images(folder, shape, dtype, make, split=split):
            yield block
            bar.update(len(block))


def _stored(images: np.ndarray, size: int, where: str) -> np.ndarray:
    """Images as they are stored."""
    if images.dtype != np.uint8:
        images = images.astype(np.float32)
        if not np.isfinite(images).all():
            raise DataError(f"{where}: images contain NaN or infinity")
    if images.shape[-1] == size:
        return images
    return torch.nn.functional.interpolate(_pixels(images), size=size, mode="area").numpy()


def _pixels(images: np.ndarray) -> torch.Tensor:
    """Images as float32, uint8 divided by 255."""
    pixels = torch.from_numpy(images)
    return pixels.float().div_(255) if pixels.dtype == torch.uint8 else pixels


class _Moments:
    """Mean and standard deviation of each channel, gathered block by block.

    Torch sums each block in float32; blocks are combined in float64 by the formula of Chan, Golub
    and LeVeque (1983). The result of a single block is torch's own.
    """

    def __init__(self) -> None:
        self._n, self._mean, self._squares = 0, np.zeros(()), np.zeros(())

    def add(self, pixels: torch.Tensor) -> None:
        """Add a block of images (n, channels, ...), float32."""
        axes = (0, *range(2, pixels.ndim))
        n = pixels[:, 0].numel()
        mean = pixels.mean(dim=axes).double().numpy()
        std = pixels.std(dim=axes).double().numpy() if n > 1 else np.zeros_like(mean)
        total, delta = self._n + n, mean - self._mean
        self._squares = self._squares + std**2 * (n - 1) + delta**2 * (self._n * n / total)
        self._mean = self._mean + delta * (n / total)
        self._n = total

    def mean_and_std(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation, (channels,) float32 each."""
        std = np.sqrt(self._squares / max(1, self._n - 1))
        return self._mean.astype(np.float32), std.astype(np.float32)
