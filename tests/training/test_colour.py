"""Colours and blur, against kornia where it is installed, and where the result is known."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.training import colour

FACTORS = torch.tensor([0.2, 0.7, 1.0, 1.6, 0.0, 2.0])
TURNS = torch.tensor([-0.5, -0.2, 0.0, 0.1, 0.35, 0.5])


@pytest.fixture
def images():
    return torch.rand(6, 3, 9, 8, generator=torch.Generator().manual_seed(0))


def each(oracle, images, amounts):
    return torch.cat([oracle(x[None], a.item()) for x, a in zip(images, amounts, strict=True)])


def test_brightness_contrast_and_saturation_are_those_of_kornia(images):
    enhance = pytest.importorskip("kornia").enhance
    for ours, theirs in (
        (colour.adjust_brightness, enhance.adjust_brightness_accumulative),
        (colour.adjust_contrast, enhance.adjust_contrast_with_mean_subtraction),
        (colour.adjust_saturation, enhance.adjust_saturation_with_gray_subtraction),
    ):
        torch.testing.assert_close(
            ours(images, FACTORS), each(theirs, images, FACTORS), rtol=1e-5, atol=1e-6
        )


def test_hue_is_that_of_kornia(images):
    adjust_hue = pytest.importorskip("kornia").enhance.adjust_hue
    expected = each(lambda x, turn: adjust_hue(x, 2 * np.pi * turn), images, TURNS)
    torch.testing.assert_close(colour.turn_hue(images, TURNS), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("radius", [1, 3])
def test_blur_is_that_of_kornia(images, radius):
    blur = pytest.importorskip("kornia").filters.gaussian_blur2d
    sigma = torch.tensor([0.1, 0.5, 1.0, 1.3, 1.7, 2.0])
    size = (2 * radius + 1,) * 2
    expected = each(lambda x, s: blur(x, size, (s, s)), images, sigma)
    found = colour.gaussian_blur(images, sigma, radius)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_nothing_changes_by_nothing(images):
    one, zero = torch.ones(6), torch.zeros(6)
    for adjust in (colour.adjust_brightness, colour.adjust_contrast, colour.adjust_saturation):
        torch.testing.assert_close(adjust(images, one), images)
    torch.testing.assert_close(colour.turn_hue(images, zero), images, rtol=0, atol=1e-6)


def test_without_saturation_or_in_one_channel_there_is_no_hue(images):
    grey = colour.adjust_saturation(images, torch.zeros(6))
    torch.testing.assert_close(grey, colour.grey(images).expand(-1, 3, -1, -1))
    torch.testing.assert_close(colour.turn_hue(grey, TURNS), grey, rtol=0, atol=1e-6)
    single = images[:, :1]
    assert colour.turn_hue(single, TURNS) is single
    torch.testing.assert_close(colour.adjust_saturation(single, FACTORS), single)


@given(turn=st.floats(-0.5, 0.5), seed=st.integers(0, 1000))
def test_turning_back_restores_and_keeps_value_and_chroma(turn, seed):
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(seed))
    turns = torch.tensor([turn, -turn], dtype=torch.float32)
    turned = colour.turn_hue(images, turns)
    for limit in (torch.amax, torch.amin):
        torch.testing.assert_close(limit(turned, 1), limit(images, 1), rtol=0, atol=1e-6)
    torch.testing.assert_close(colour.turn_hue(turned, -turns), images, rtol=0, atol=2e-5)


def test_a_third_of_a_turn_permutes_the_channels(images):
    found = colour.turn_hue(images, torch.full((6,), 1 / 3))
    torch.testing.assert_close(found, images.roll(1, dims=1), rtol=0, atol=1e-5)


def test_a_blur_keeps_what_is_uniform_and_spreads_a_point(images):
    uniform = images.mean(dim=(2, 3), keepdim=True).expand_as(images)
    sigma = torch.linspace(0.1, 2, 6)
    torch.testing.assert_close(colour.gaussian_blur(uniform, sigma, 2), uniform)
    point = torch.zeros(1, 1, 9, 9)
    point[..., 4, 4] = 1
    spread = colour.gaussian_blur(point, torch.tensor([1.2]), 3)
    assert spread.sum().item() == pytest.approx(1, abs=1e-6)
    torch.testing.assert_close(spread, spread.mT)
    assert 0 < spread[0, 0, 4, 6] < spread[0, 0, 4, 5] < spread[0, 0, 4, 4] < 1
