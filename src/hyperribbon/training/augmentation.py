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
from hyperribbon.training import colour
from hyperribbon.training.state import Purpose, stream

ASPECT = (3 / 4, 4 / 3)  # width / height of a random resized crop (Szegedy et al. 2015)
BLUR = (0.1, 2.0)  # pixels, of the standard deviation (Chen et al. 2020)


class Mix(NamedTuple):
    """For each image of a batch, the image it was mixed with, and its own weight (mixup)."""

    partner: Tensor
    weight: float


class Augmentation:
    """Crops, flips, resizes, colours, blurs and mixes batches of images, in this order.

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
    white : Tensor, shape (channels, 1, 1), optional
        A white pixel after standardisation, which a change of colours needs.
    purpose : Purpose
        What its random numbers are for, so that two augmentations of one training do not share any.
    """

    def __init__(
        self,
        config: AugmentationConfig,
        *,
        image_size: int,
        black: Tensor,
        seed: int,
        steps_per_epoch: int,
        white: Tensor | None = None,
        purpose: Purpose = Purpose.AUGMENTATION,
    ):
        self.config, self.image_size = config, image_size
        self.black, self.seed, self.steps_per_epoch = black, seed, steps_per_epoch
        self.white, self.purpose = white, purpose

    def __call__(self, images: Tensor, step: int) -> tuple[Tensor, Mix | None]:
        """Augmented images (B, channels, size, size), and how they were mixed, if they were.

        Parameters
        ----------
        images : Tensor, shape (B, channels, height, width)
            Standardised images.
        step : int
            Steps taken before this one.
        """
        rng = stream(self.seed, step, self.purpose)
        size = self.size_at(step // self.steps_per_epoch)
        if self.config.crop == "random_resized":
            images = self._resized_crop(images, size, rng)
        else:
            images = self._crop(images, rng)
            if size != self.image_size:
                images = interpolate(images, size=size, mode="bilinear", antialias=True)
        if self.config.of_colours:
            images = self._coloured(images, rng)
        if self.config.blur:
            images = self._blurred(images, rng)
        if self.config.cutout:
            images = self._cut_out(images, rng)
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
        least, largest = self.config.area
        area = rng.uniform(least, largest, size=n)
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

    def _coloured(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """Colours changed, in fixed order; standardisation is undone for it, and redone."""
        if self.white is None:
            raise ConfigError("augmentation: white is not given, expected for a change of colours")
        n, config = len(images), self.config
        black, white = self.black.to(images), self.white.to(images)
        pixels = ((images - black) / (white - black)).clamp(0, 1)
        chosen = rng.random(n) < config.jitter
        for strength, adjust in (
            (config.brightness, colour.adjust_brightness),
            (config.contrast, colour.adjust_contrast),
            (config.saturation, colour.adjust_saturation),
            (config.hue, colour.turn_hue),
        ):
            if strength:
                amount = np.where(chosen, rng.uniform(-strength, strength, size=n), 0)
                amount = amount if adjust is colour.turn_hue else 1 + amount
                pixels = adjust(pixels, _float(amount, images))
        if config.grayscale:
            kept = _float(rng.random(n) >= config.grayscale, images)
            pixels = colour.adjust_saturation(pixels, kept)
        found = torch.lerp(black, white, pixels)
        return found.contiguous(memory_format=torch.channels_last)

    def _blurred(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """Some images blurred."""
        chosen = np.flatnonzero(rng.random(len(images)) < self.config.blur)
        sigma = _float(rng.uniform(*BLUR, size=len(images))[chosen], images)
        if not len(chosen):
            return images
        radius = max(1, images.shape[-1] // 20)
        where = torch.from_numpy(chosen).to(images.device)
        blurred = colour.gaussian_blur(images[where], sigma, radius)
        return images.index_copy(0, where, blurred)

    def _cut_out(self, images: Tensor, rng: np.random.Generator) -> Tensor:
        """A square of each image filled with the mean of the data, which is 0; part may be outside.

        DeVries & Taylor (2017), with a side that is the same for all images.
        """
        size = images.shape[-1]
        side = round(self.config.cutout * size)
        corner = rng.integers(0, size, size=(2, len(images), 1)) - side // 2
        place = np.arange(size)
        rows, columns = (corner <= place) & (place < corner + side)
        inside = torch.from_numpy(rows[:, :, None] & columns[:, None, :]).to(images.device)
        return images.masked_fill(inside[:, None], 0)


def _float(numbers: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(numbers.astype(np.float32)).to(like)
