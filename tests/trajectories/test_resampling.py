import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.trajectories import crossings, resample_trajectory


@pytest.mark.parametrize(
    ("values", "grid", "k", "fraction"),
    [
        ([0.0, 0.5, 1.0], [0.25, 0.75], [0, 1], [0.5, 0.5]),
        # Of three crossings of 0.3, two forward, the first counts.
        ([0.0, 0.4, 0.2, 0.6], [0.3, 0.5], [0, 2], [0.75, 0.75]),
        # A fall through a value is no crossing.
        ([0.6, 0.2, 0.4, 0.8], [0.3, 0.5], [1, 2], [0.5, 0.25]),
        ([0.2, 0.8, 0.4], [0.1, 0.9], [-1, -1], [np.nan, np.nan]),
        ([0.9, 0.5, 0.1], [0.5], [-1], [np.nan]),
        # Exactly a checkpoint's value: the first step that touches it.
        ([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], [0, 0, 1], [0.0, 1.0, 1.0]),
        ([0.2, 0.2, 0.6], [0.2, 0.4], [0, 1], [0.0, 0.5]),
        ([0.4, 0.4, 0.4], [0.4, 0.5], [0, -1], [0.0, np.nan]),
    ],
)
def test_crossings(values, grid, k, fraction):
    found_k, found = crossings(np.array(values), np.array(grid))
    assert found_k.tolist() == k
    np.testing.assert_allclose(found, fraction, atol=1e-12)


@given(
    values=st.lists(st.sampled_from(np.linspace(0, 1, 11)), min_size=2, max_size=12),
    grid=st.lists(st.sampled_from(np.linspace(0, 1, 21)), min_size=1, max_size=8),
)
@settings(deadline=None, max_examples=200)
def test_crossings_are_the_first_and_interpolate(values, grid):
    s, grid = np.array(values), np.array(grid)
    for value, k, fraction in zip(grid, *crossings(s, grid), strict=True):
        steps = [j for j in range(len(s) - 1) if s[j] <= value <= s[j + 1]]
        if not steps:
            assert k == -1
            assert np.isnan(fraction)
            continue
        assert k == steps[0]
        assert 0 <= fraction <= 1
        assert s[k] + fraction * (s[k + 1] - s[k]) == pytest.approx(value)


def test_agrees_with_the_oracle(o1):
    grid = np.arange(1, 26) / 25
    for t, expected in enumerate(o1["reparam"]):
        rows = slice(9 * t, 9 * t + 9)
        s = progress(o1["P"][rows], o1["labels"])
        # The original code stretches the last step to progress 1, and fills what lies before the
        # first checkpoint: only values between are comparable.
        inside = (grid > s[0]) & (grid < s[-2])
        found = resample_trajectory(o1["P"][rows], o1["labels"], grid)
        assert inside.sum() >= 20
        # The oracle's progress has a tolerance of 1e-5.
        np.testing.assert_allclose(found[inside, :4], expected[inside], atol=1e-5)
        assert np.isnan(found[(grid < s[0]) | (grid > s.max())]).all()
        assert np.isfinite(found[(grid >= s[0]) & (grid <= s.max())]).all()


def test_a_sampled_geodesic_is_given_back():
    labels = np.arange(12) % 4
    start, end = ignorance(12, 4), truth(labels, 4)
    P = geodesic(start, end, np.array([0.0, 0.15, 0.5, 0.55, 1.0]))
    grid = np.linspace(0, 1, 9)
    np.testing.assert_allclose(
        resample_trajectory(P, labels, grid), geodesic(start, end, grid), atol=1e-5
    )


@pytest.mark.parametrize("array", [torch.tensor, zarr.array, da.from_array, np.ndarray.tolist])
def test_any_array_is_taken(random_models, array):
    labels, grid = np.arange(6) % 4, np.linspace(0, 1, 9)
    P = geodesic(ignorance(6, 4), truth(labels, 4), np.array([0.1, 0.6, 0.4, 0.8]))
    P = 0.9 * P + 0.1 * random_models(0, 4, 6, 4)
    found = resample_trajectory(array(P), labels, grid)
    expected = resample_trajectory(P, labels, grid)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert 3 <= np.isfinite(expected).all(axis=(1, 2)).sum() <= 7
    single = resample_trajectory(P.astype(np.float32), labels, grid)
    np.testing.assert_allclose(single, expected, atol=1e-5)


def test_a_trajectory_of_one_checkpoint_reaches_nothing():
    labels, grid = np.array([0, 1]), np.array([0.0, 0.5])
    k, fraction = crossings([0.5], grid)
    assert k.tolist() == [-1, -1]
    assert np.isnan(fraction).all()
    assert np.isnan(resample_trajectory(ignorance(2, 3)[None], labels, grid)).all()


def test_what_resampling_refuses(random_models):
    P, labels = random_models(0, 3, 4, 3), np.array([0, 1, 2, 0])
    for grid in ([0.5, 1.01], [-0.1], [np.nan]):
        with pytest.raises(DataError, match=r"grid: from .* expected all within \[0, 1\]"):
            resample_trajectory(P, labels, grid)
    for grid in (0.5, [], [[0.5]]):
        with pytest.raises(DataError, match=r"grid: shape .* expected a list of values"):
            resample_trajectory(P, labels, grid)
    with pytest.raises(DataError, match=r"progress: from nan to nan"):
        crossings([0.5, np.nan], [0.5])
    with pytest.raises(DataError, match=r"P: shape \(4, 3\), expected \(models, samples"):
        resample_trajectory(P[0], labels, [0.5])
    with pytest.raises(DataError, match="labels: 2, expected one per sample, 4"):
        resample_trajectory(P, labels[:2], [0.5])
    P[1, 2] = 0
    with pytest.raises(DataError, match="P: a row that sums to 0"):
        resample_trajectory(P, labels, [0.5])


def test_towards_a_smoothed_truth():
    labels, grid = np.arange(6) % 3, np.linspace(0, 1, 7)
    ends = ignorance(6, 3), truth(labels, 3, 0.2)
    P = geodesic(*ends, np.linspace(0, 1, 4))
    resampled = resample_trajectory(P, labels, grid, smoothing=0.2)
    np.testing.assert_allclose(resampled, geodesic(*ends, grid), atol=1e-6)


def test_several_trajectories_are_resampled_one_by_one(random_models):
    labels, grid = np.arange(6) % 4, np.linspace(0, 1, 9)
    P = geodesic(ignorance(6, 4), truth(labels, 4), np.array([0.1, 0.6, 0.4, 0.8]))
    together = resample_trajectory([P, P[:2]], labels, grid)
    np.testing.assert_array_equal(together[0], resample_trajectory(P, labels, grid))
    np.testing.assert_array_equal(together[1], resample_trajectory(P[:2], labels, grid))
    seeds = resample_trajectory(zarr.array(np.stack([P, P[::-1]])), labels, grid)
    np.testing.assert_array_equal(seeds[1], resample_trajectory(P[::-1], labels, grid))
    assert seeds[1].progress is not None
