"""Augmentation of complete batches, on the device where they lie."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

from hyperribbon.config import AugmentationConfig
from hyperribbon.errors import ConfigError

# Ranges of a random resized crop (Szegedy et al. 2015): fraction of the area, width / height.
AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)


class Mix(NamedTuple):
    """For each image of a batch, the image it was mixed with, and its own weight (mixup)."""

    partner: Tensor
    weight: float


class Augmentation:
    """Crops, flips, resizes and mixes batches of images.

    The seed and the step decide everything, so that a training that was interrupted continues with
    the same images.

    Parameters
    ----------
    config : AugmentationConfig
        What to do.
    image_size : int
        Height and width of a crop.
    black : Tensor, shape (channels, 1, 1)
        A black pixel after standardisation.
    seed : int
        Seed of the random numbers.
    steps_per_epoch : int
        Steps per epoch, which decide the size in progressive resizing.
    """

    def __init__(
        self,
        config: AugmentationConfig,
        *,
        image_size: int,
        black: Tensor,
        seed: int,
        steps_per_epoch: int,
    ):
        self.config, self.image_size = config, image_size
        self.black, self.seed, self.steps_per_epoch = black, seed, steps_per_epoch

    def __call__(self, images: Tensor, step: int) -> tuple[Tensor, Mix | None]:
        """Augmented images (B, channels, size, size), and how they were mixed, if they were.

        Parameters
        ----------
        images : Tensor, shape (B, channels, height, width)
            Standardised images.
        step : int
            Steps taken before this one.
        """
        # A counter-based generator: streams of other steps and seeds do not overlap.
        rng = np.random.Generator(np.random.Philox(key=self.seed, counter=[0, step, 0, 0]))
        size = self.size_at(step // self.steps_per_epoch)
        if self.config.crop == "random_resized":
            images = self._resized_crop(images, size, rng)
        else:
            images = self._crop(images, rng)
            if size != self.image_size:
                images = interpolate(images, size=size, mode="bilinear", antialias=True)
        if not self.config.mixup:
            return images, None
        weight = float(rng.beta(self.config.mixup, self.config.mixup))
        partner = torch.from_numpy(rng.permutation(len(images))).to(images.device)
        return torch.lerp(images[partner], images, weight), Mix(partner, weight)

    def size_at(self, epoch: int) -> int:
        """Height and width of the training images in an epoch."""
        resizing = self.config.progressive_resizing
        if resizing is None or epoch >= resizing.to_epoch:
            return self.image_size
        done = max(0, epoch - resizing.from_epoch) / max(1, resizing.to_epoch - resizing.from_epoch)
        return round(resizing.image_size + done * (self.image_size - resizing.image_size))

    def _crop(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """A window of the image's size, in the centre or at random, and perhaps mirrored."""
        if not (self.config.padding or self.config.flip) and images.shape[-1] == self.image_size:
            return images
        n, channels, *shape = images.shape
        if padding := self.config.padding:
            height, width = (side + 2 * padding for side in shape)
            canvas = self.black.to(images).expand(n, channels, height, width).clone()
            canvas[:, :, padding:-padding, padding:-padding] = images
            images, shape = canvas, [height, width]
        free = [side - self.image_size for side in shape]
        if self.config.crop not in ("none", "random"):
            raise ConfigError(f"crop = {self.config.crop!r}: expected none or random here")
        if self.config.crop == "random":
            corner = rng.integers(0, np.array(free)[:, None] + 1, size=(2, n))
        else:
            corner = np.repeat(np.array(free)[:, None] // 2, n, axis=1)
        window = np.arange(self.image_size)
        rows, columns = corner[:, :, None] + window  # each (n, size)
        if self.config.flip:
            mirrored = rng.random(n) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        rows, columns = (torch.from_numpy(index).to(images.device) for index in (rows, columns))
        every = torch.arange(n, device=images.device)[:, None, None]
        # Gathered with the channels last, the layout in which convolutions are fastest.
        return images[every, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def _resized_crop(self, images: Tensor, size: int, rng: np.random.Generator) -> Tensor:
        """A window of random area, aspect ratio and place, interpolated to (size, size)."""
        n = len(images)
        area = rng.uniform(*AREA, size=n)
        aspect = np.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1]), size=n))
        # In units of half the image, like the grid, which runs from -1 to 1.
        extent = np.minimum(np.sqrt([area * aspect, area / aspect]), 1)
        centre = rng.uniform(-1, 1, size=(2, n)) * (1 - extent)
        mirror = np.where(rng.random(n) < 0.5, -1, 1) if self.config.flip else np.ones(n)
        theta = np.zeros((n, 2, 3), np.float32)
        theta[:, 0, 0], theta[:, 1, 1] = extent[0] * mirror, extent[1]
        theta[:, :, 2] = centre.T
        shape = [n, images.shape[1], size, size]
        grid = affine_grid(torch.from_numpy(theta).to(images.device), shape, align_corners=False)
        return grid_sample(images, grid, padding_mode="border", align_corners=False)
