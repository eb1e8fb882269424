import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.probability import (
    arc_length,
    bhattacharyya_distance,
    geodesic,
    ignorance,
    progress,
    truth,
)
from hyperribbon.trajectories import (
    class_progress,
    excursion,
    length_by_count,
    trajectory_length,
)

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, checkpoints=st.integers(2, 12))
def test_lengths_are_those_of_thinned_trajectories(random_models, seed, checkpoints):
    P = random_models(seed, checkpoints, 5, 3)
    counts = list(range(2, checkpoints + 1))[::-1]
    found = length_by_count(P, counts)
    assert found.counts.tolist() == counts
    for count, length in zip(counts, found.length, strict=True):
        kept = np.unique(np.linspace(0, checkpoints - 1, count).round().astype(int))
        assert len(kept) == count and {0, checkpoints - 1} <= set(kept)
        assert length == pytest.approx(trajectory_length(P[kept]), rel=1e-12)
    assert found.length[0] == pytest.approx(trajectory_length(P), rel=1e-12)
    assert found.displacement == found.length[-1] == pytest.approx(arc_length(P[0], P[-1]))
    assert found.length[-1] <= found.length[0] + 1e-12


def test_noise_grows_with_the_number_of_checkpoints_and_a_geodesic_does_not(random_models):
    line = geodesic(ignorance(20, 4), truth(np.arange(20) % 4, 4), np.linspace(0, 1, 33))
    straight = length_by_count(line, [2, 5, 17, 33])
    np.testing.assert_allclose(straight.length, np.pi / 3, rtol=1e-12)
    noisy = length_by_count(0.9 * line + 0.1 * random_models(0, 33, 20, 4), [2, 5, 17, 33])
    assert (np.diff(noisy.length) > 0.1).all()


@pytest.mark.parametrize("array", [torch.tensor, zarr.array, da.from_array, np.ndarray.tolist])
def test_any_array_in_any_blocks(random_models, array, monkeypatch):
    P, labels = random_models(1, 11, 6, 3), np.arange(6) % 2
    lengths = length_by_count(P, [3, 7, 11])
    departure = excursion(P[1:], P[0], labels)
    per_class = class_progress(P, labels)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4 * P[0].nbytes)
    for one, other in zip(length_by_count(array(P), [3, 7, 11]), lengths, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    for one, other in zip(excursion(array(P[1:]), P[0], labels), departure, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(class_progress(array(P), labels), per_class, rtol=1e-9)


def test_what_lengths_by_count_refuse(random_models):
    P = random_models(0, 5, 4, 3)
    with pytest.raises(DataError, match="counts = 6: expected an integer, 2 to 5"):
        length_by_count(P, [5, 6])
    with pytest.raises(DataError, match="counts = 1: expected an integer, 2 or more"):
        length_by_count(P, [1])
    with pytest.raises(DataError, match="P: one checkpoint, expected two or more"):
        length_by_count(P[:1], [2])
    with pytest.raises(DataError, match=r"P: shape \(4, 3\), expected \(models"):
        length_by_count(P[0], [2])
    P[3] *= 2
    with pytest.raises(DataError, match="P: a row that sums to 2"):
        length_by_count(P, [2])


@given(seed=seeds)
def test_an_excursion_is_what_its_parts_are(random_models, seed):
    P, labels = random_models(seed, 7, 6, 3), np.arange(6) % 3
    found = excursion(P[1:], P[0], labels)
    distance = bhattacharyya_distance(P[1:], P[0])
    np.testing.assert_allclose(found.distance, distance, rtol=1e-12)
    assert found.largest == found.distance.max() and found.final == found.distance[-1]
    assert found.length == pytest.approx(trajectory_length(P), rel=1e-12)
    s = progress(P, labels)
    assert found.backward_progress == pytest.approx(s[0] - s.min(), abs=1e-12)


def test_a_training_that_stays_or_only_gains_goes_nowhere_backward():
    labels = np.arange(6) % 3
    way = geodesic(ignorance(6, 3), truth(labels, 3), [0.5, 0.6, 0.8])
    still = excursion(way[[0, 0]], way[0], labels)
    assert (still.largest, still.final, still.length, still.backward_progress) == (0, 0, 0, 0)
    forward = excursion(way[1:], way[0], labels)
    assert forward.backward_progress == 0
    assert forward.largest == forward.final > 0
    back = excursion(way[::-1], way[2], labels)
    assert back.backward_progress == pytest.approx(0.3, abs=1e-6)


def test_what_an_excursion_refuses(random_models):
    P, labels = random_models(0, 5, 4, 3), np.arange(4) % 3
    with pytest.raises(DataError, match=r"start: shape \(3, 3\), expected \(4, 3\)"):
        excursion(P, P[0, 1:], labels)
    with pytest.raises(DataError, match="start: a row that sums to 2"):
        excursion(P, 2 * P[0], labels)
    with pytest.raises(DataError, match="labels: 3, expected one per sample, 4"):
        excursion(P, P[0], labels[1:])


@given(seed=seeds, smoothing=st.sampled_from([0.0, 0.1]))
def test_progress_of_a_class_is_that_of_its_samples(random_models, seed, smoothing):
    P = random_models(seed, 4, 12, 4)
    labels = np.random.default_rng(seed).choice([0, 1, 3], 12)
    found = class_progress(P, labels, smoothing=smoothing)
    assert found.shape == (4, 4)
    for c in range(4):
        mine = labels == c
        if mine.any():
            expected = progress(P[:, mine], labels[mine], smoothing=smoothing)
            np.testing.assert_allclose(found[:, c], expected, rtol=1e-12)
        else:
            assert np.isnan(found[:, c]).all()


def test_what_class_progress_refuses(random_models):
    P = random_models(0, 2, 4, 3)
    with pytest.raises(DataError, match=r"P: shape \(4, 3\), expected \(models"):
        class_progress(P[0], [0, 1, 2, 0])
    with pytest.raises(DataError, match="labels: from 0 to 3, expected 0 to 2"):
        class_progress(P, [0, 1, 2, 3])
    P[1, 2] *= 2
    with pytest.raises(DataError, match="P: a row that sums to 2"):
        class_progress(P, [0, 1, 2, 0])


def test_several_trajectories_have_a_length_each(random_models):
    P = random_models(0, 6, 5, 3)
    expected = [trajectory_length(P[:4]), trajectory_length(P[4:])]
    np.testing.assert_array_equal(trajectory_length([P[:4], P[4:]]), expected)
    seeds = trajectory_length(P.reshape(2, 3, 5, 3))
    np.testing.assert_array_equal(seeds, [trajectory_length(P[:3]), trajectory_length(P[3:])])
