import pickle
from functools import partial
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.trajectories import (
    compare_trajectories,
    configuration_distances,
    resample_trajectory,
    trajectory_distance,
    trajectory_length,
)

LABELS = np.arange(15) % 3
GRID = np.linspace(0, 1, 11)
GROUPS = ["a", "a", "a", "b", "c"]


def random_trajectory(random_models, seed, checkpoints, reach):
    """A noisy way from ignorance to a point of the geodesic, back and forth in places."""
    rng = np.random.default_rng(seed)
    way = np.linspace(0.02, reach, checkpoints) + rng.normal(0, 0.04, checkpoints)
    P = geodesic(ignorance(15, 3), truth(LABELS, 3), way.clip(0, 1))
    return 0.8 * P + 0.2 * random_models(seed, checkpoints, 15, 3)


@pytest.fixture(scope="module")
def trajectories(random_models):
    """Of three configurations; the lengths differ and only two come near the end."""
    sizes = [(9, 1.0), (12, 1.0), (7, 0.6), (10, 0.5), (5, 0.3)]
    return [random_trajectory(random_models, t, *size) for t, size in enumerate(sizes)]


@pytest.fixture(scope="module")
def comparison(trajectories):
    s = [progress(P, LABELS) for P in trajectories]
    return compare_trajectories(trajectories, s, LABELS, GRID, GROUPS)


def bhattacharyya(p, q):
    return -np.log(np.sqrt(p * q).sum(axis=-1)).mean(axis=-1)


def test_comparison_agrees_with_the_oracle(o1):
    with np.load(Path(__file__).parents[1] / "data" / "o1_trajectories_slice.npz") as arrays:
        oracle = dict(arrays)
    grid = np.arange(1, 101) / 100
    trajectories = o1["P"][:27].reshape(3, 9, 200, 10)
    s = [progress(P, o1["labels"]) for P in trajectories]
    # The original code stretches the last step to progress 1. At 0.01, before the first
    # checkpoints, it fills in what is missing here. Its progress has a tolerance of 1e-5.
    stretched = [np.append(values[:-1], 1) for values in s]
    comparison = compare_trajectories(trajectories, stretched, o1["labels"], grid, list("abc"))
    assert (comparison.common == 99).all()
    assert np.isnan(comparison.to_geodesic[:, 0]).all()
    np.testing.assert_allclose(
        comparison.to_geodesic[:, 1:], oracle["dtraj_to_geodesic"][:, 1:], atol=1e-6
    )
    at_each = oracle["dists_3d"]
    np.testing.assert_allclose(at_each.mean(axis=0), oracle["dtraj"], rtol=1e-12)
    np.testing.assert_allclose(comparison.distance, at_each[1:].mean(axis=0), atol=1e-6)
    # Without the stretching, where both are between the first and the last checkpoint but one.
    resampled = [resample_trajectory(P, o1["labels"], grid) for P in trajectories]
    for t in range(3):
        for u in range(t):
            first, last = max(s[t][0], s[u][0]), min(s[t][-2], s[u][-2])
            inside = (grid > first) & (grid < last)
            assert inside.sum() > 80
            found = trajectory_distance(
                resampled[t][inside], resampled[u][inside], progress=grid[inside]
            )
            assert found == pytest.approx(at_each[inside, t, u].mean(), abs=1e-6)


def test_comparison_equals_the_direct_computation(trajectories, comparison):
    resampled = np.stack([resample_trajectory(P, LABELS, GRID) for P in trajectories])
    reached = np.isfinite(resampled).all(axis=(2, 3))
    assert reached.any(axis=1).all()
    assert not reached.all(axis=1).any()
    line = geodesic(ignorance(15, 3), truth(LABELS, 3), GRID)
    for t, P in enumerate(resampled):
        for u, Q in enumerate(resampled):
            both = reached[t] & reached[u]
            assert comparison.common[t, u] == both.sum()
            expected = bhattacharyya(P[both], Q[both]).mean()
            assert comparison.distance[t, u] == pytest.approx(expected, abs=1e-12)
        np.testing.assert_allclose(comparison.to_geodesic[t], bhattacharyya(P, line), atol=1e-12)
        tube = [u for u in range(5) if GROUPS[u] == GROUPS[t]]
        for g in range(len(GRID)):
            members = [u for u in tube if reached[u, g]]
            if reached[t, g] and len(members) > 1:
                mean = resampled[members, g].mean(axis=0)
                expected = bhattacharyya(P[g], mean)
                assert comparison.to_mean[t, g] == pytest.approx(expected, abs=1e-12)
            else:
                assert np.isnan(comparison.to_mean[t, g])


def test_trajectory_distance_is_that_of_the_comparison(trajectories, comparison):
    resampled = [resample_trajectory(P, LABELS, GRID) for P in trajectories]
    for t, A in enumerate(resampled):
        for u, B in enumerate(resampled):
            expected = comparison.distance[t, u]
            assert trajectory_distance(A, B) == pytest.approx(expected, abs=1e-12)


def test_trajectory_distance_is_over_the_common_values():
    missing = np.full((2, 3), np.nan)
    start, end = ignorance(2, 3), truth([0, 1], 3)
    whole = np.stack([start, start, end, end])
    part = np.stack([missing, end, end, missing])
    distance = partial(trajectory_distance, progress=[0, 0.3, 0.5, 1])
    # At the two values that both reach: from ignorance to truth, and from truth to itself.
    assert distance(whole, part) == pytest.approx((np.log(3) / 2 + 0) / 2)
    assert distance(part, whole) == distance(whole, part)
    assert distance(whole, whole) == pytest.approx(0, abs=1e-15)
    assert np.isnan(distance(whole, np.stack([missing] * 4)))
    disjoint = np.stack([end[[1, 0]]] * 4)
    assert distance(part, disjoint) == pytest.approx(30 * np.log(10))


def test_one_curve_at_two_speeds():
    """Re-indexed it is one curve; by number, which has to be asked for by name, it is not."""
    ends = ignorance(15, 3), truth(LABELS, 3)
    fast, slow = (geodesic(*ends, np.linspace(0, 1, 11) ** power) for power in (1, 2))
    A, B = (resample_trajectory(P, LABELS, GRID) for P in (fast, slow))
    assert trajectory_distance(A, B) < 1e-13
    assert bhattacharyya(fast, slow).mean() > 0.01
    for raw in ((fast, slow), (A, slow), (fast, B)):
        name = "A" if raw[0] is fast else "B"
        with pytest.raises(DataError, match=rf"^{name}: models whose progress is not known; .*res"):
            trajectory_distance(*raw)
    assert trajectory_distance(fast, slow, labels=LABELS) < 1e-13
    assert trajectory_distance(fast, slow[::2], labels=LABELS, progress=GRID) < 1e-13
    by_number = trajectory_distance(fast, slow, aligned=True)
    assert by_number == pytest.approx(bhattacharyya(fast, slow).mean())
    with pytest.raises(DataError, match="labels, aligned: both given"):
        trajectory_distance(fast, slow, labels=LABELS, aligned=True)
    with pytest.raises(DataError, match="A, B: shapes .* expected the same"):
        trajectory_distance(fast, slow[1:], aligned=True)


def test_a_trajectory_from_the_base_rates_is_on_their_geodesic():
    labels = np.array([0] * 9 + [1] * 4 + [2] * 2)
    start = ignorance(15, 3, "frequencies", labels)
    P = geodesic(start, truth(labels, 3), np.linspace(0, 1, 11))
    s = progress(P, labels, prior="frequencies")
    options = {"labels": labels, "grid": GRID, "groups": ["a"]}
    on_it = compare_trajectories([P], [s], prior="frequencies", **options).to_geodesic
    off_it = compare_trajectories([P], [progress(P, labels)], **options).to_geodesic
    assert np.nanmax(on_it) < 1e-9 < 1e-3 < np.nanmax(off_it)


def test_models_know_their_progress():
    """Not when taken apart: slices, orders and averages are of other models."""
    P = geodesic(ignorance(15, 3), truth(LABELS, 3), [0, 0.5, 1])
    A = resample_trajectory(P, LABELS, GRID)
    B = resample_trajectory(P, LABELS, GRID**2)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(A)).progress, GRID)
    for other in (A[:], A[::-1], (A + A) / 2, A.copy(), np.asarray(A)):
        with pytest.raises(DataError, match="progress is not known"):
            trajectory_distance(A, other)
    with pytest.raises(DataError, match="different values of progress, expected the same"):
        trajectory_distance(A, B)
    with pytest.raises(DataError, match="different values of progress, expected the same"):
        trajectory_distance(np.asarray(A), B, progress=GRID)
    with pytest.raises(DataError, match="progress: 10 values, expected one per model, 11"):
        trajectory_distance(A[:], A[:], progress=GRID[1:])


@pytest.mark.parametrize("array", [torch.tensor, zarr.array, da.from_array, np.ndarray.tolist])
def test_measures_of_any_array(trajectories, array, monkeypatch):
    A, B = (resample_trajectory(P, LABELS, GRID) for P in trajectories[1:3])
    held = trajectory_distance(array(A), array(B), progress=GRID)
    assert held == trajectory_distance(A, B)
    expected = trajectory_length(trajectories[1])
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 5 * trajectories[1][0].nbytes)
    assert trajectory_length(array(trajectories[1])) == pytest.approx(expected, rel=1e-13)


def test_what_the_distance_of_two_trajectories_refuses(trajectories):
    A = resample_trajectory(trajectories[0], LABELS, GRID)
    with pytest.raises(DataError, match=r"A, B: shapes \(11, 15, 3\) and \(10, 15, 3\)"):
        trajectory_distance(A, A[1:], progress=GRID)
    with pytest.raises(DataError, match=r"B: shape \(15, 3\), expected"):
        trajectory_distance(A, A[0], progress=GRID)
    for value, words in ((np.nan, "not finite"), (-1, "negative"), (0.5, "sums to")):
        bad = A.copy()
        bad[4, 7, 1] += value
        with pytest.raises(DataError, match=rf"^B\[4\]: .*{words}"):
            trajectory_distance(np.full_like(A, np.nan), bad, progress=GRID)


def test_what_the_comparison_refuses(trajectories):
    s = [progress(P, LABELS) for P in trajectories]

    def compare(trajectories=trajectories, s=s, labels=LABELS, grid=GRID, groups=GROUPS):
        return compare_trajectories(trajectories, s, labels, grid, groups)

    with pytest.raises(DataError, match="trajectories: none"):
        compare(trajectories=[])
    with pytest.raises(DataError, match=r"trajectories\[1\]: shape .* expected 15 samples and 3"):
        compare(trajectories=[trajectories[0], trajectories[1][:, :9], *trajectories[2:]])
    with pytest.raises(DataError, match=r"trajectories\[0\]: shape \(15, 3\), expected \(models"):
        compare(trajectories=[trajectories[0][0], *trajectories[1:]])
    with pytest.raises(DataError, match="progress, groups: of 4 and 5 trajectories, expected 5"):
        compare(s=s[1:])
    with pytest.raises(DataError, match="progress, groups: of 5 and 1 trajectories, expected 5"):
        compare(groups=["a"])
    with pytest.raises(DataError, match="progress: of 8 checkpoints, expected 9"):
        compare(s=[s[0][1:], *s[1:]])
    with pytest.raises(DataError, match="labels: 14, expected one per sample, 15"):
        compare(labels=LABELS[1:])
    with pytest.raises(DataError, match="grid: from 0 to 2"):
        compare(grid=GRID * 2)
    bad = trajectories[0].copy()
    bad[0, 3] = np.nan
    with pytest.raises(DataError, match=r"trajectories\[0\]\[0\]: entries that are not finite"):
        compare(trajectories=[bad, *trajectories[1:]])


def test_trajectories_without_common_progress_have_no_distance():
    start, end = ignorance(15, 3), truth(LABELS, 3)
    early, late = (geodesic(start, end, np.array(ends)) for ends in ([0.15, 0.35], [0.55, 0.95]))
    s = [progress(P, LABELS) for P in (early, late)]
    comparison = compare_trajectories([early, late], s, LABELS, GRID, ["a", "b"])
    assert comparison.common.tolist() == [[2, 0], [0, 4]]
    assert np.isnan(comparison.distance[0, 1])
    assert np.isnan(comparison.distance[1, 0])
    # Both lie on the geodesic; their distance to it is that of the progress's tolerance.
    np.testing.assert_allclose(comparison.distance[[0, 1], [0, 1]], 0, atol=1e-12)
    assert np.nanmax(comparison.to_geodesic) < 1e-11


def test_stored_trajectories_give_the_same(trajectories, comparison, tmp_path):
    stored = [
        zarr.create_array(tmp_path / str(t), data=P, chunks=(1, 15, 3))
        for t, P in enumerate(trajectories)
    ]
    s = [progress(P, LABELS) for P in trajectories]
    for found, expected in zip(
        compare_trajectories(stored, s, LABELS, GRID, GROUPS), comparison, strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_length_of_the_geodesic_and_of_a_detour(random_models):
    labels = np.arange(8) % 5
    start, end = ignorance(8, 5), truth(labels, 5)
    P = geodesic(start, end, np.linspace(0, 1, 40))
    assert trajectory_length(P) == pytest.approx(np.arccos(1 / np.sqrt(5)), abs=1e-12)
    assert trajectory_length(P[:1]) == 0
    there_and_back = np.concatenate([P, P[::-1]])
    assert trajectory_length(there_and_back) == pytest.approx(2 * trajectory_length(P))
    detour = np.stack([start, random_models(0, 1, 8, 5)[0], end])
    assert trajectory_length(detour) > trajectory_length(P)


@given(seed=st.integers(0, 2**32 - 1), k=st.integers(1, 5))
@settings(deadline=None, max_examples=20)
def test_length_is_the_sum_of_its_parts(random_models, seed, k):
    P = random_models(seed, 6, 7, 4)
    parts = trajectory_length(P[: k + 1]) + trajectory_length(P[k:])
    assert trajectory_length(P) == pytest.approx(parts, rel=1e-13)
    assert trajectory_length(P[::-1]) == pytest.approx(trajectory_length(P), rel=1e-13)
    assert trajectory_length(P[[0, k]]) <= trajectory_length(P) + 1e-13


def test_what_lengths_refuse(random_models):
    P = random_models(0, 3, 7, 4)
    with pytest.raises(DataError, match=r"P: shape \(7, 4\), expected \(models"):
        trajectory_length(P[0])
    P[2] *= 2
    with pytest.raises(DataError, match="P: a row that sums to 2"):
        trajectory_length(P)


def test_configuration_distances():
    nan = np.nan
    distance = np.array(
        [
            [0, 1, 2, 3, nan],
            [1, 0, 4, nan, nan],
            [2, 4, 0, 5, nan],
            [3, nan, 5, 0, nan],
            [nan, nan, nan, nan, 0],
        ]
    )
    found = configuration_distances(distance, ["y", "x", "y", "x", "z"])
    # y: trajectories 0 and 2; x: 1 and 3; z: 4, a single seed that shares no progress.
    expected = [[2, (1 + 3 + 4 + 5) / 4, nan], [(1 + 4 + 3 + 5) / 4, nan, nan], [nan, nan, nan]]
    np.testing.assert_allclose(found, expected)
    with pytest.raises(DataError, match=r"distance: shape \(5, 5\), expected \(2, 2\)"):
        configuration_distances(distance, ["x", "y"])


def test_trajectories_of_a_configuration_are_nearer_than_those_of_others(random_models):
    corner = truth((LABELS + 1) % 3, 3)

    def bent(seed, bend):
        P = random_trajectory(random_models, seed, 10, 0.95)
        return (1 - bend) * P + bend * corner

    trajectories = [bent(0, 0.0), bent(1, 0.0), bent(2, 0.3), bent(3, 0.3)]
    s = [progress(P, LABELS) for P in trajectories]
    comparison = compare_trajectories(trajectories, s, LABELS, GRID, list("aabb"))
    found = configuration_distances(comparison.distance, list("aabb"))
    assert found[0, 1] == found[1, 0] == pytest.approx(comparison.distance[:2, 2:].mean())
    assert found[0, 1] > max(found[0, 0], found[1, 1])


def test_towards_a_smoothed_truth():
    labels = np.arange(6) % 3
    ends = ignorance(6, 3), truth(labels, 3, 0.2)
    trajectories = [geodesic(*ends, way) for way in ([0, 0.3, 0.6, 1], [0, 0.7, 1])]
    grid = np.linspace(0, 1, 5)
    s = [progress(P, labels, smoothing=0.2) for P in trajectories]
    found = compare_trajectories(trajectories, s, labels, grid, ["a", "b"], smoothing=0.2)
    assert np.diag(found.common).tolist() == [5, 5]
    np.testing.assert_allclose(found.to_geodesic, 0, atol=1e-9)
    one_hot = compare_trajectories(trajectories, s, labels, grid, ["a", "b"])
    assert one_hot.to_geodesic.max() > 0.01
