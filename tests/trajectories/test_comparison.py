import numpy as np
import pytest
import zarr

from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.trajectories import (
    compare_trajectories,
    configuration_distances,
    resample_trajectory,
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
