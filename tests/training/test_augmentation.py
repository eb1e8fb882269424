import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.config import AugmentationConfig, ProgressiveResizing
from hyperribbon.errors import ConfigError
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.state import Purpose

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


# Black is 0 and white is 1 before standardisation.
SCALE = {"mean": torch.tensor([0.2, 0.5, 0.4]), "std": torch.tensor([0.3, 0.2, 0.5])}
COLOURS = {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 0.1}


def standardised(pixels):
    mean, std = (value[:, None, None] for value in SCALE.values())
    return (pixels - mean) / std


def coloured(size=8, seed=0, purpose=Purpose.AUGMENTATION, **config):
    black, white = (standardised(torch.full((3, 1, 1), value)) for value in (0.0, 1.0))
    return Augmentation(
        AugmentationConfig(**config),
        image_size=size,
        black=black,
        white=white,
        seed=seed,
        steps_per_epoch=10,
        purpose=purpose,
    )


def photographs(n=400, size=8):
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(0))


def changed(before, after):
    return ~torch.isclose(before, after, rtol=0, atol=1e-4).flatten(1).all(dim=1)


def test_colours_change_between_black_and_white_with_their_probability():
    pixels = photographs()
    before = standardised(pixels)
    after, mix = coloured(**COLOURS, jitter=0.7)(before, 3)
    assert mix is None
    assert 220 < changed(before, after).sum() < 340
    mean, std = (value[:, None, None] for value in SCALE.values())
    seen = after * std + mean
    assert seen.min() > -1e-5
    assert seen.max() < 1 + 1e-5


def test_a_change_of_brightness_is_one_factor_per_image():
    pixels = photographs() * 0.5  # so that nothing is cut off
    after, _ = coloured(brightness=0.4)(standardised(pixels), 0)
    mean, std = (value[:, None, None] for value in SCALE.values())
    factors = ((after * std + mean) / pixels).flatten(1)
    torch.testing.assert_close(factors, factors[:, :1].expand_as(factors), rtol=0, atol=0.02)
    assert factors.min() > 0.58
    assert factors.max() < 1.42
    assert abs(factors[:, 0].mean() - 1) < 0.05


def test_grey_images_are_as_many_as_asked():
    after, _ = coloured(grayscale=0.2)(standardised(photographs()), 0)
    mean, std = (value[:, None, None] for value in SCALE.values())
    seen = after * std + mean
    grey = (seen.amax(dim=1) - seen.amin(dim=1)).flatten(1).amax(dim=1) < 1e-5
    assert 45 < grey.sum() < 115


def test_blurred_images_are_as_many_as_asked_and_smoother():
    before = standardised(photographs())
    after, _ = coloured(blur=0.3)(before, 0)
    different = (before != after).flatten(1).any(dim=1)
    assert 80 < different.sum() < 160
    assert after[different].var(dim=(2, 3)).mean() < before[different].var(dim=(2, 3)).mean()


def test_a_cut_out_square_is_the_mean_around_any_pixel():
    after, _ = coloured(cutout=0.5)(standardised(photographs(n=2000)), 0)
    holes = (after == 0).all(dim=1)
    rows, columns = holes.any(dim=2).sum(dim=1), holes.any(dim=1).sum(dim=1)
    assert torch.equal(holes.sum(dim=(1, 2)), rows * columns)  # squares, perhaps cut
    assert rows.min() == 2 and rows.max() == 4
    assert holes.any(dim=0).all()
    assert abs((rows == 4).float().mean() - 5 / 8) < 0.06


def test_the_area_of_a_crop_is_as_asked():
    size = 32
    place = (torch.arange(size) + 0.5) / size
    ramps = torch.stack([place.expand(size, size), place[:, None].expand(size, size)])
    images = torch.cat([ramps, ramps[:1]])[None].expand(300, -1, -1, -1)
    augment = coloured(size=size, crop="random_resized", area=(0.5, 0.6))
    cropped, _ = augment(images, 0)
    width = (cropped[:, 0, 16, -5] - cropped[:, 0, 16, 4]) / (size - 9) * size
    height = (cropped[:, 1, -5, 16] - cropped[:, 1, 4, 16]) / (size - 9) * size
    assert (width * height).min() > 0.48
    assert (width * height).max() < 0.62


@pytest.mark.parametrize(
    "config", [COLOURS, {"grayscale": 0.5}, {"blur": 0.5}, {"cutout": 0.4}], ids=str
)
def test_other_seeds_steps_and_purposes_draw_others(config):
    images = standardised(photographs(n=16))
    seen = [
        coloured(seed=seed, purpose=purpose, **config)(images, step)[0]
        for seed, step, purpose in (
            (0, 0, Purpose.AUGMENTATION),
            (1, 0, Purpose.AUGMENTATION),
            (0, 1, Purpose.AUGMENTATION),
            (0, 0, Purpose.VIEWS),
        )
    ]
    assert not any(torch.equal(a, b) for k, a in enumerate(seen) for b in seen[:k])
    assert torch.equal(seen[0], coloured(**config)(images, 0)[0])


def test_colours_need_to_know_white():
    with pytest.raises(ConfigError, match="white is not given"):
        augmentation(brightness=0.1)(numbered(), 0)
