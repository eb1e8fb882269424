import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import ignorance, truth

seeds = st.integers(0, 2**32 - 1)


def brute_force(P, Q):
    D = np.empty((len(P), len(Q)))
    for i, p in enumerate(P):
        for j, q in enumerate(Q):
            coefficients = [
                sum(np.sqrt(a * b) for a, b in zip(x, y, strict=True))
                for x, y in zip(p, q, strict=True)
            ]
            D[i, j] = -np.mean(np.log(coefficients))
    return D


def test_agrees_with_the_oracle(o1):
    D = pairwise_distance(o1["P"])
    # The oracle counts disjoint supports as 100 nats; ours are floored at 1e-30, 69 nats.
    quirk = np.zeros(D.shape, dtype=bool)
    quirk[28, 29] = quirk[29, 28] = True
    np.testing.assert_allclose(D[~quirk], o1["D"][~quirk], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pairwise_distance(o1["Q"], o1["P"]), o1["DQ"], rtol=1e-9)


@given(seed=seeds, m=st.integers(1, 6), n=st.integers(1, 23), c=st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_equals_brute_force(random_models, seed, m, n, c):
    P, Q = random_models(seed, m, n, c), random_models(seed + 1, 3, n, c)
    np.testing.assert_allclose(pairwise_distance(P, Q, threads=1), brute_force(P, Q), atol=1e-12)
    D = pairwise_distance(P, threads=1)
    np.testing.assert_allclose(D, brute_force(P, P), atol=1e-12)
    assert (D == D.T).all()
    assert (np.diagonal(D) == 0).all()
    assert (D >= 0).all()


@given(seed=seeds)
@settings(deadline=None, max_examples=20)
def test_order_of_samples_and_names_of_classes_do_not_matter(random_models, seed):
    P = random_models(seed, 4, 25, 4)
    rng = np.random.default_rng(seed)
    D = pairwise_distance(P, threads=1)
    samples, classes = rng.permutation(25), rng.permutation(4)
    np.testing.assert_allclose(pairwise_distance(P[:, samples], threads=1), D, atol=1e-13)
    np.testing.assert_allclose(pairwise_distance(P[:, :, classes], threads=1), D, atol=1e-13)


@pytest.mark.parametrize("tile", [1, 3, 7, 128])
@pytest.mark.parametrize("threads", [1, 3])
def test_tiles_and_threads_do_not_change_the_result(random_models, tile, threads):
    P, Q = random_models(0, 13, 31, 6), random_models(1, 8, 31, 6)
    options = {"tile": tile, "threads": threads}
    np.testing.assert_allclose(pairwise_distance(P, **options), pairwise_distance(P), atol=1e-14)
    across = pairwise_distance(P, Q, **options)
    np.testing.assert_allclose(across, pairwise_distance(P, Q), atol=1e-14)


def test_lazy_arrays_and_float32_agree_with_numpy(random_models, tmp_path):
    P = random_models(2, 9, 20, 5)
    D = pairwise_distance(P)
    lazy = da.from_array(P, chunks=(2, 20, 5))
    np.testing.assert_array_equal(pairwise_distance(lazy, tile=4), pairwise_distance(P, tile=4))
    stored = zarr.create_array(tmp_path / "P.zarr", data=P, chunks=(1, 20, 5))
    np.testing.assert_array_equal(pairwise_distance(stored, tile=4), pairwise_distance(P, tile=4))
    single = P.astype(np.float32)
    np.testing.assert_allclose(pairwise_distance(single), D, atol=1e-7)
    # float32 rows sum to 1 only to 1e-7; a model is at 0 from its copy all the same.
    assert np.diagonal(pairwise_distance(single, single)).max() < 1e-15


def test_known_distances(random_models):
    labels = np.array([0, 2, 1, 1, 3])
    P0, target = ignorance(5, 4)[None], truth(labels, 4)[None]
    assert pairwise_distance(P0, target)[0, 0] == pytest.approx(np.log(4) / 2, abs=1e-14)
    P = random_models(3, 1, 5, 4)
    cross_entropy = -np.log(P[0, np.arange(5), labels]).mean()
    assert pairwise_distance(P, target)[0, 0] == pytest.approx(cross_entropy / 2, abs=1e-12)


@pytest.mark.parametrize("n", [1, 9, 10, 11, 40])
def test_disjoint_supports_are_floored(n):
    labels = np.arange(n) % 2
    P = np.stack([truth(labels, 2), truth(1 - labels, 2)])
    D = pairwise_distance(P)
    np.testing.assert_allclose(D, [[0, -np.log(1e-30)], [-np.log(1e-30), 0]], rtol=1e-12)
    assert D[0, 1] == pytest.approx(69.08, abs=0.01)
    assert pairwise_distance(P, floor=1e-3)[0, 1] == pytest.approx(-np.log(1e-3))
    np.testing.assert_array_equal(pairwise_distance(P, floor=0), [[0, np.inf], [np.inf, 0]])


def test_one_disjoint_sample_of_many():
    P = np.stack([truth(np.zeros(8, dtype=int), 2), truth(np.array([1] + 7 * [0]), 2)])
    assert pairwise_distance(P)[0, 1] == pytest.approx(-np.log(1e-30) / 8)
    assert pairwise_distance(P, floor=0)[0, 1] == np.inf


def test_without_floor_only_a_coefficient_of_zero_is_infinite():
    P = np.tile([1.0, 0.0], (1, 20, 1))
    Q = np.tile([1e-80, 1.0], (1, 20, 1))
    assert pairwise_distance(P, Q, floor=0)[0, 0] == pytest.approx(-np.log(1e-40))


def _with(value):
    P = np.full((2, 3, 2), 0.5)
    P[1, 2, 0] = value
    return P


@pytest.mark.parametrize(
    ("P", "words"),
    [
        (np.full((3, 2), 0.5), ["shape (3, 2)", "(models, samples, classes)"]),
        (_with(np.nan), ["not finite"]),
        (_with(np.inf), ["not finite"]),
        (_with(-0.5), ["negative", "-0.5"]),
        (_with(0.6), ["sums to 1.1"]),
        (np.zeros((2, 3, 2)), ["sums to 0"]),
    ],
)
def test_what_is_not_a_model_is_refused_by_name(P, words):
    good = np.full((2, 3, 2), 0.5)
    with pytest.raises(DataError) as first:
        pairwise_distance(P)
    with pytest.raises(DataError) as second:
        pairwise_distance(good, P)
    for error, name in ((first, "P"), (second, "Q")):
        assert str(error.value).startswith(f"{name}: ")
    for word in words:
        assert word in str(first.value)


def test_different_samples_or_classes_are_refused():
    P = np.full((2, 3, 2), 0.5)
    for shape in ((2, 4, 2), (2, 3, 4)):
        with pytest.raises(DataError, match=r"^Q: shape .*expected \(models, 3, 2\)"):
            pairwise_distance(P, np.full(shape, 1 / shape[-1]))


@pytest.mark.parametrize("floor", [-1.0, 1e-31, 1.0, np.nan])
def test_impossible_floors_are_refused(floor):
    with pytest.raises(DataError, match="^floor = "):
        pairwise_distance(np.full((2, 3, 2), 0.5), floor=floor)
