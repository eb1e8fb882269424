"""From a source's images to what the networks see."""

import numpy as np
import torch
from sklearn.model_selection import train_test_split

from hyperribbon.data.dataset import Dataset


def prepare(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    name: str,
    n_classes: int,
    train_size: int,
    test_size: int,
    split_seed: int,
    image_size: int,
) -> Dataset:
    """Split with equal class proportions, average down by area, standardise by the train images.

    Parameters
    ----------
    images : (n, channels, height, width) uint8
    labels : (n,) integers, each in 0..n_classes-1
    name : str
    n_classes : int
    train_size, test_size : int, together at most n
    split_seed : int
    image_size : int, at most the height and width

    Returns
    -------
    Dataset
        Images have mean 0 and standard deviation 1 in each channel of the train set.

    Raises
    ------
    DataError
        If a label is outside 0..n_classes-1.
    """
    train, test = train_test_split(
        np.arange(len(labels)),
        train_size=train_size,
        test_size=test_size,
        random_state=split_seed,
        stratify=labels,
    )
    pixels = torch.from_numpy(images).float().div_(255)
    if image_size < pixels.shape[-1]:
        pixels = torch.nn.functional.interpolate(pixels, size=image_size, mode="area")
    mean = pixels[train].mean(dim=(0, 2, 3), keepdim=True)
    std = pixels[train].std(dim=(0, 2, 3), keepdim=True)
    pixels = ((pixels - mean) / std).numpy()
    labels = labels.astype(np.int64)
    return Dataset(
        name=name,
        n_classes=n_classes,
        train_images=pixels[train],
        train_labels=labels[train],
        train_index=train,
        test_images=pixels[test],
        test_labels=labels[test],
        test_index=test,
    )
