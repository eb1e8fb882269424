import numpy as np
import pytest
import zarr
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.trajectories import (
    compare_means,
    compare_trajectories,
    reached_grid,
    resample_trajectory,
)

LABELS = np.arange(15) % 3
GRID = np.linspace(0, 0.9, 13)
GROUPS = ["b", "a", "b", "c", "a"]


@pytest.fixture(scope="module")
def trajectories(random_models):
    """Noisy ways towards the truth, of different lengths and reach."""
    found = []
    for seed, (checkpoints, reach) in enumerate(
        [(9, 1.0), (12, 1.0), (7, 0.7), (10, 0.6), (5, 0.4)]
    ):
        rng = np.random.default_rng(seed)
        way = np.linspace(0, reach, checkpoints) + rng.normal(0, 0.04, checkpoints)
        P = geodesic(ignorance(15, 3), truth(LABELS, 3), way.clip(0, 1))
        found.append(0.8 * P + 0.2 * random_models(seed, checkpoints, 15, 3))
    return found


@pytest.fixture(scope="module")
def s(trajectories):
    return [progress(P, LABELS) for P in trajectories]


def bhattacharyya(p, q):
    return -np.log(np.sqrt(p * q).sum(axis=-1)).mean(axis=-1)


def test_means_are_those_of_the_direct_computation(trajectories, s):
    kept = {}
    found = compare_means(
        trajectories, s, LABELS, GRID, GROUPS, keep=lambda g, group, P: kept.update({(g, group): P})
    )
    assert found.groups == ["b", "a", "c"]
    resampled = np.stack([resample_trajectory(P, LABELS, GRID) for P in trajectories])
    reached = np.isfinite(resampled).all(axis=(2, 3))
    members = [[t for t in range(5) if GROUPS[t] == name] for name in found.groups]
    whole = np.array([reached[some].all(axis=0) for some in members])
    assert whole.any(axis=1).all() and not whole.all(axis=1).any()
    assert set(kept) == {(g, found.groups[i]) for i, g in np.argwhere(whole)}
    means = {
        (i, g): resampled[members[i], g].mean(axis=0) for i, g in map(tuple, np.argwhere(whole))
    }
    for (i, g), mean in means.items():
        np.testing.assert_allclose(kept[g, found.groups[i]], mean, rtol=1e-10, atol=1e-15)
    for g in range(len(GRID)):
        for i in range(3):
            if whole[i, g] and len(members[i]) > 1:
                expected = max(bhattacharyya(resampled[t, g], means[i, g]) for t in members[i])
                assert found.radius[i, g] == pytest.approx(expected, rel=1e-9)
            else:
                assert np.isnan(found.radius[i, g])
            for j in range(3):
                if whole[i, g] and whole[j, g]:
                    expected = bhattacharyya(means[i, g], means[j, g])
                    assert found.distance[i, j, g] == pytest.approx(expected, abs=1e-12)
                else:
                    assert np.isnan(found.distance[i, j, g])
    normalised = found.normalised()
    assert np.isnan(normalised[2]).all() and np.isnan(normalised[:, 2]).all()  # of one seed
    g = np.flatnonzero(whole[:2].all(axis=0))[-1]
    expected = 2 * found.distance[0, 1, g] / (found.radius[0, g] + found.radius[1, g])
    assert normalised[0, 1, g] == pytest.approx(expected)
    assert normalised[0, 0, g] == 0


def test_radii_are_the_largest_distances_of_the_comparison(trajectories, s):
    found = compare_means(trajectories, s, LABELS, GRID, GROUPS)
    tubes = compare_trajectories(trajectories, s, LABELS, GRID, GROUPS).to_mean
    for i, name in enumerate(found.groups[:2]):
        both = tubes[[t for t in range(5) if GROUPS[t] == name]]
        np.testing.assert_allclose(found.radius[i], both.max(axis=0), rtol=1e-9)


def test_tubes_that_are_one_have_a_normalised_distance_below_one(random_models):
    line = geodesic(ignorance(15, 3), truth(LABELS, 3), np.linspace(0, 1, 9))
    near = [0.9 * line + 0.1 * random_models(seed, 9, 15, 3) for seed in range(12)]
    corner = truth((LABELS + 1) % 3, 3)
    groups = list("aaaaaabbbbbbcccccc")
    trajectories = [*near, *(0.6 * P + 0.4 * corner for P in near[:6])]
    s = [progress(P, LABELS) for P in trajectories]
    means = compare_means(trajectories, s, LABELS, reached_grid(s, groups, 8), groups)
    found = means.normalised()
    assert np.isfinite(means.radius[:, -1]).any()  # the grid ends where a group does
    assert np.nanmax(found[0, 1]) < 1 < np.nanmin(found[0, 2])


def test_stored_trajectories_and_one_thread_give_the_same(trajectories, s, tmp_path):
    stored = [
        zarr.create_array(tmp_path / str(t), data=P, chunks=(1, 15, 3))
        for t, P in enumerate(trajectories)
    ]
    expected = compare_means(trajectories, s, LABELS, GRID, GROUPS)
    found = compare_means(stored, s, LABELS, GRID, np.array(GROUPS), threads=1)
    assert found.groups == expected.groups
    for one, other in zip(found[1:], expected[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_models_are_kept_one_after_the_other(trajectories, s):
    calls = []
    compare_means(
        trajectories, s, LABELS, GRID, GROUPS, keep=lambda g, group, P: calls.append((g, P.shape))
    )
    assert [g for g, _ in calls] == sorted(g for g, _ in calls)
    assert {shape for _, shape in calls} == {(15, 3)}


def test_what_means_refuse(trajectories, s):
    with pytest.raises(DataError, match="progress, groups: of 5 and 4 trajectories, expected 5"):
        compare_means(trajectories, s, LABELS, GRID, GROUPS[1:])
    with pytest.raises(DataError, match="grid: from -1 to 0.9"):
        compare_means(trajectories, s, LABELS, [-1, 0.9], GROUPS)
    with pytest.raises(DataError, match="labels: 14, expected one per sample, 15"):
        compare_means(trajectories, s, LABELS[1:], GRID, GROUPS)
    bad = trajectories[0].copy()
    bad[0, 3] = np.nan
    with pytest.raises(DataError, match=r"trajectories\[0\]\[0\]: entries that are not finite"):
        compare_means([bad, *trajectories[1:]], s, LABELS, GRID, GROUPS)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_grid_ends_where_the_last_whole_group_does(seed):
    rng = np.random.default_rng(seed)
    s = [rng.uniform(0, 0.5, rng.integers(1, 5)) for _ in range(6)]
    groups = rng.integers(0, 3, 6)
    grid = reached_grid(s, groups, 5)
    reach = np.array([values.max() for values in s])
    assert grid[0] == 0 and len(grid) == 5
    assert grid[-1] == max(reach[groups == g].min() for g in set(groups.tolist()))
    np.testing.assert_allclose(np.diff(grid), grid[-1] / 4)


def test_what_the_grid_refuses():
    with pytest.raises(DataError, match="progress, groups: of 0 and 0 trajectories, expected equ"):
        reached_grid([], [], 3)
    with pytest.raises(DataError, match="progress, groups: of 1 and 2 trajectories"):
        reached_grid([[0, 0.1]], ["a", "b"], 3)
    with pytest.raises(DataError, match="points = 1: expected an integer, 2 or more"):
        reached_grid([[0, 0.1]], ["a"], 1)
    with pytest.raises(DataError, match="progress: from 0 to 2, expected all within"):
        reached_grid([[0, 2]], ["a"], 3)
    with pytest.raises(DataError, match="progress: all members of no group get beyond 0"):
        reached_grid([[0, 0.2], [0, 0]], ["a", "a"], 3)
