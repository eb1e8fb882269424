import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.config import AugmentationConfig, ProgressiveResizing
from hyperribbon.training.augmentation import Augmentation

BLACK = torch.tensor([-5.0, -7.0])[:, None, None]


def augmentation(size=6, seed=0, **config):
    return Augmentation(
        AugmentationConfig(**config), image_size=size, black=BLACK, seed=seed, steps_per_epoch=10
    )


def numbered(n=40, size=6):
    """Images whose pixels are all different."""
    return torch.arange(n * 2 * size * size, dtype=torch.float32).view(n, 2, size, size)


def windows(padded, size, flip):
    """All that a crop of one image may give, by what it gives."""
    side = padded.shape[-1]
    found = {}
    for top in range(side - size + 1):
        for left in range(side - size + 1):
            window = padded[:, top : top + size, left : left + size]
            for mirrored in (False, True) if flip else (False,):
                key = window.flip(-1) if mirrored else window
                found[key.contiguous().numpy().tobytes()] = top, left, mirrored
    return found


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("padding", [0, 1, 4])
def test_a_crop_is_a_window_of_the_padded_image(padding, flip):
    images = numbered()
    augment = augmentation(size=6 if padding else 4, crop="random", padding=padding, flip=flip)
    cropped, mix = augment(images, 3)
    assert mix is None
    padded = BLACK.expand(40, 2, 6 + 2 * padding, 6 + 2 * padding).clone()
    padded[:, :, padding : padding + 6, padding : padding + 6] = images
    seen = set()
    for before, after in zip(padded, cropped, strict=True):
        seen.add(windows(before, cropped.shape[-1], flip)[after.contiguous().numpy().tobytes()])
    assert len({top for top, _, _ in seen}) > 1
    assert len({left for _, left, _ in seen}) > 1
    assert {mirrored for _, _, mirrored in seen} == ({False, True} if flip else {False})


def test_crops_are_uniform():
    augment = augmentation(size=6, crop="random", padding=1, flip=True)
    image = numbered(1)
    padded = BLACK.expand(1, 2, 8, 8).clone()
    padded[:, :, 1:7, 1:7] = image
    places = windows(padded[0], 6, flip=True)
    cropped, _ = augment(image.expand(3600, -1, -1, -1), 0)
    counts = dict.fromkeys(places.values(), 0)
    for window in cropped:
        counts[places[window.contiguous().numpy().tobytes()]] += 1
    assert len(counts) == 18
    # 200 each: 6 standard deviations.
    assert max(abs(count - 200) for count in counts.values()) < 6 * np.sqrt(200)


def test_only_the_centre_is_left_of_a_larger_image_without_augmentation():
    cropped, _ = augmentation(size=4)(numbered(), 0)
    assert torch.equal(cropped, numbered()[:, :, 1:5, 1:5])


def test_mixup_alone_takes_samples_of_any_shape():
    for shape in [(6, 5), (6, 2, 4, 7)]:
        samples = torch.randn(shape)
        mixed, mix = augmentation(mixup=0.4, size=shape[-1])(samples, 0)
        assert torch.equal(mixed, torch.lerp(samples[mix.partner], samples, mix.weight))


@pytest.mark.parametrize(
    "config",
    [
        {"crop": "random", "padding": 2, "flip": True},
        {"crop": "random_resized", "flip": True},
        {"mixup": 0.4},
    ],
)
def test_the_seed_and_the_step_decide_everything(config):
    images = torch.randn(8, 2, 6, 6, generator=torch.Generator().manual_seed(0))

    def augmented(seed, step):
        torch.manual_seed(len(seen))  # of no consequence
        return augmentation(seed=seed, **config)(images, step)[0]

    seen = []
    for seed in range(3):
        for step in (0, 1, 2, 1000):
            seen.append(augmented(seed, step))
            assert torch.equal(seen[-1], augmented(seed, step))
    different = [not torch.equal(a, b) for k, a in enumerate(seen) for b in seen[:k]]
    assert all(different)


def test_a_resized_crop_of_a_ramp_is_a_ramp():
    """The value of a pixel is its place, so that windows can be read off."""
    size = 32
    place = (torch.arange(size) + 0.5) / size
    ramps = torch.stack([place.expand(size, size), place[:, None].expand(size, size)])
    images = ramps.expand(500, -1, -1, -1)
    cropped, _ = augmentation(size=size, crop="random_resized", flip=True)(images, 0)
    x, y = cropped[:, 0, size // 2], cropped[:, 1, :, size // 2]
    width = (x[:, -5] - x[:, 4]) / (size - 9) * size
    height = (y[:, -5] - y[:, 4]) / (size - 9) * size
    mirrored = width < 0
    assert 180 < mirrored.sum() < 320
    assert (height > 0).all()
    area, aspect = width.abs() * height, width.abs() / height
    inside = (width.abs() < 0.98) & (height < 0.98)  # not cut to the image
    assert inside.sum() > 250
    assert area.min() > 0.07
    assert area.max() < 1.03
    assert aspect[inside].min() > 0.74
    assert aspect[inside].max() < 1.35
    assert 0.35 < area.mean() < 0.6


@given(weight=st.floats(0.05, 5), step=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_mixup_mixes_each_image_with_its_partner(weight, step):
    images = torch.randn(9, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    mixed, mix = augmentation(mixup=weight)(images, step)
    assert 0 <= mix.weight <= 1
    assert sorted(mix.partner.tolist()) == list(range(9))
    expected = mix.weight * images + (1 - mix.weight) * images[mix.partner]
    torch.testing.assert_close(mixed, expected, rtol=1e-5, atol=1e-6)


def test_weights_of_mixup_follow_their_distribution():
    augment = augmentation(mixup=0.5)
    images = numbered(2)
    weights = np.array([augment(images, step)[1].weight for step in range(2000)])
    # Beta(a, a): mean 1/2, variance 1 / (4 (2 a + 1)) = 1/8.
    assert abs(weights.mean() - 0.5) < 6 * np.sqrt(0.125 / 2000)
    assert abs(weights.var() - 0.125) < 0.015


def test_images_grow_from_epoch_to_epoch():
    resizing = ProgressiveResizing(image_size=16, from_epoch=2, to_epoch=6)
    augment = augmentation(size=32, progressive_resizing=resizing)
    assert [augment.size_at(epoch) for epoch in range(8)] == [16, 16, 16, 20, 24, 28, 32, 32]
    at_once = ProgressiveResizing(image_size=16, from_epoch=3, to_epoch=3)
    augment = augmentation(size=32, progressive_resizing=at_once)
    assert [augment.size_at(epoch) for epoch in (0, 2, 3, 4)] == [16, 16, 32, 32]
    for crop in ("none", "random_resized"):
        augment = augmentation(size=32, crop=crop, progressive_resizing=at_once)
        images = torch.randn(2, 2, 32, 32)
        assert augment(images, 29)[0].shape == (2, 2, 16, 16)
        assert augment(images, 30)[0].shape == (2, 2, 32, 32)
