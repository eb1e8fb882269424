import tracemalloc

import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, METRICS, pairwise_distance, tiles
from hyperribbon.probability import geodesic, ignorance, truth

seeds = st.integers(0, 2**32 - 1)
TINY = np.finfo(np.float32).tiny
both_paths = settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it only chooses the path
)


@pytest.fixture
def small_memory(monkeypatch):
    """Tiles of three models, two row blocks at a time."""
    monkeypatch.setattr(tiles, "_SMALLEST", 3)
    monkeypatch.setattr(tiles, "_LARGEST", 3)

    def limit(P):
        bytes_of_a_tile = 3 * P.shape[1] * P.shape[2] * 8
        for name in ("cpu.CompiledKernel", "plain.TorchKernel", "products.ProductKernel"):
            monkeypatch.setattr(f"hyperribbon.pairwise.{name}.memory", 4 * bytes_of_a_tile)

    return limit


# The oracle, and the formulae


def test_agrees_with_the_oracle(o1, path):
    D = pairwise_distance(o1["P"])
    # The oracle counts disjoint supports as 100 nats; ours are floored at 1e-30, 69 nats.
    quirk = np.zeros(D.shape, dtype=bool)
    quirk[28, 29] = quirk[29, 28] = True
    np.testing.assert_allclose(D[~quirk], o1["D"][~quirk], rtol=1e-9, atol=1e-12)
    disjoint = (o1["labels"] != o1["random_labels"]).mean()
    assert D[28, 29] == pytest.approx(disjoint * -np.log(1e-30))
    np.testing.assert_allclose(pairwise_distance(o1["Q"], o1["P"]), o1["DQ"], rtol=1e-9)
    kl = pairwise_distance(o1["P"][:27], metric="symmetric_kl")
    np.testing.assert_allclose(kl, o1["dskl_thesis"], rtol=1e-9, atol=1e-12)
    arcs = pairwise_distance(o1["P"], metric="geodesic")
    np.testing.assert_allclose(arcs, o1["dG_thesis"], rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("metric", METRICS)
@given(seed=seeds, m=st.integers(1, 40), n=st.integers(1, 23), c=st.integers(1, 21))
@example(seed=0, m=1, n=1, c=1)
@example(seed=1, m=40, n=23, c=21)
@both_paths
def test_equals_brute_force(path, random_models, brute_force, metric, seed, m, n, c):
    P, Q = random_models(seed, m, n, c), random_models(seed + 1, 3, n, c)
    # Of a small probability under the square root, and of its logarithm, rounding takes more.
    P, Q = (0.999 * X + 0.001 / c for X in (P, Q))
    expected = brute_force(P, Q, metric)
    bound = 1e-12 * np.maximum(1, expected)
    assert (np.abs(pairwise_distance(P, Q, metric=metric) - expected) <= bound).all()
    D = pairwise_distance(P, metric=metric)
    np.testing.assert_allclose(D, brute_force(P, P, metric), atol=1e-12, rtol=1e-12)
    assert (D == D.T).all()
    assert (np.diagonal(D) == 0).all()
    assert (D >= 0).all()


@given(
    seed=seeds,
    c=st.integers(2, 12),
    spread=st.sampled_from([0.02, 0.3, 5.0]),
    apart=st.sampled_from([1e-7, 1e-4, 1.0]),
)
@example(seed=0, c=2, spread=5.0, apart=1e-7)
@example(seed=1, c=12, spread=0.02, apart=1.0)
@both_paths
def test_float32_is_within_a_millionth(path, random_models, brute_force, seed, c, spread, apart):
    """Nearly identical models (apart), nearly disjoint ones (spread), and all between."""
    P, Q = random_models(seed, 37, 50, c, spread), random_models(seed + 1, 5, 50, c, spread)
    Q = (1 - apart) * P[:5] + apart * Q
    P, Q = (np.maximum(X, 1e-30).astype(np.float32) for X in (P, Q))
    for other in (P, Q):
        expected = brute_force(P, other)
        error = np.abs(pairwise_distance(P, other) - expected)
        assert (error <= 1e-6 * np.maximum(1, expected)).all()
    D = pairwise_distance(P)
    assert (np.abs(D - brute_force(P, P)) <= 1e-6 * np.maximum(1, D)).all()


def test_many_samples_do_not_add_up_errors(brute_force, path):
    """The error of a sum of 40,000 samples in float32, for models near, far and very far."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 40_000, 10)) * np.array([1e-3, 0.1, 1, 5, 20, 60])[:, None, None]
    P = torch.from_numpy(logits).float().softmax(dim=2).numpy()
    P = np.maximum(P, TINY)
    expected = brute_force(P, P)
    error = np.abs(pairwise_distance(P) - expected) / np.maximum(1, expected)
    assert error.max() < 1e-6
    # Near the end of training distances are small, and mostly far better than required.
    assert error[0, 1] < 2e-8
    assert pairwise_distance(P[:1], P[:1])[0, 0] < 2e-8


def test_known_distances(random_models):
    labels = np.array([0, 2, 1, 1, 3])
    P0, target = ignorance(5, 4)[None], truth(labels, 4)[None]
    assert pairwise_distance(P0, target)[0, 0] == pytest.approx(np.log(4) / 2, abs=1e-14)
    P = random_models(3, 1, 5, 4)
    cross_entropy = -np.log(P[0, np.arange(5), labels]).mean()
    assert pairwise_distance(P, target)[0, 0] == pytest.approx(cross_entropy / 2, abs=1e-12)
    arc = pairwise_distance(P0, target, metric="geodesic")[0, 0]
    assert arc == pytest.approx(np.arccos(0.5), abs=1e-14)
    assert pairwise_distance(P0, target, metric="euclidean")[0, 0] == pytest.approx(0.75)
    hellinger = pairwise_distance(P0, target, metric="hellinger")[0, 0]
    assert hellinger == pytest.approx(2 * (1 - 0.5**5))


@given(seed=seeds, metric=st.sampled_from([*METRICS]))
@settings(deadline=None, max_examples=30)
def test_order_of_samples_and_names_of_classes_do_not_matter(random_models, seed, metric):
    P = random_models(seed, 4, 25, 4)
    rng = np.random.default_rng(seed)
    D = pairwise_distance(P, metric=metric)
    samples, classes = rng.permutation(25), rng.permutation(4)
    near = {"atol": 1e-13, "rtol": 1e-12}
    np.testing.assert_allclose(pairwise_distance(P[:, samples], metric=metric), D, **near)
    np.testing.assert_allclose(pairwise_distance(P[:, :, classes], metric=metric), D, **near)


def test_the_arc_is_additive_along_a_geodesic(random_models, path):
    p, q = random_models(8, 2, 30, 5)
    curve = geodesic(p, q, np.linspace(0, 1, 11))
    D = pairwise_distance(curve, metric="geodesic")
    np.testing.assert_allclose(D[0], D[0, -1] * np.linspace(0, 1, 11), atol=1e-12)


@pytest.mark.parametrize("classes", [1, 100, 1000])
def test_any_number_of_classes(random_models, brute_force, path, classes):
    P = random_models(9, 5, 7, classes) * 0.999 + 0.001 / classes
    for metric in METRICS:
        D = pairwise_distance(P, metric=metric)
        np.testing.assert_allclose(D, brute_force(P, P, metric), atol=1e-12, rtol=1e-11)
    single = pairwise_distance(P.astype(np.float32))
    np.testing.assert_allclose(single, pairwise_distance(P), atol=1e-6)


@pytest.mark.parametrize("classes", [2, 10, 33, 50, 500, 1000])
def test_equal_probabilities_do_not_add_up_errors(path, classes):
    """Sums of equal entries, of one rounding error: ignorance, smoothed truth."""
    labels = np.arange(11) % classes
    P = np.stack(
        [ignorance(11, classes), *(truth(labels, classes, smoothing=s) for s in (0.1, 0.5, 0.9))]
    )
    exact = pairwise_distance(P, P)
    assert np.diagonal(exact).max() < 1e-13
    single = P.astype(np.float32)
    np.testing.assert_allclose(pairwise_distance(single, single), exact, atol=1e-6)


def test_a_row_on_the_edge_of_what_may_be(path):
    """Sums in another order may be just within the tolerance; the result is right, or an error."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(100), size=(40, 1))
    edge = 1 + 1e-4 + 1e-16 * rng.integers(-20, 21, size=(40, 1, 1))
    refused = 0
    for p in P * edge:
        try:
            assert pairwise_distance(p[None], P[:1] * 1.0).max() < 2
        except DataError:
            refused += 1
    assert refused > 0


# Disjoint supports


@pytest.mark.parametrize("n", [1, 7, 8, 9, 16, 40, 61])
@pytest.mark.parametrize(("dtype", "floor"), [(np.float64, 1e-30), (np.float32, float(TINY))])
def test_disjoint_supports_are_floored(path, n, dtype, floor):
    labels = np.arange(n) % 2
    P = np.stack([truth(labels, 2), truth(1 - labels, 2)]).astype(dtype)
    D = pairwise_distance(P)
    np.testing.assert_allclose(D, [[0, -np.log(floor)], [-np.log(floor), 0]], rtol=1e-7)
    assert pairwise_distance(P, floor=1e-3)[0, 1] == pytest.approx(-np.log(1e-3))
    np.testing.assert_array_equal(pairwise_distance(P, floor=0), [[0, np.inf], [np.inf, 0]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("where", [0, 7, 8, 59])
def test_one_disjoint_sample_of_many(path, dtype, where):
    labels = np.zeros(60, dtype=int)
    other = labels.copy()
    other[where] = 1
    P = np.stack([truth(labels, 2), truth(other, 2)]).astype(dtype)
    assert pairwise_distance(P, floor=1e-30)[0, 1] == pytest.approx(-np.log(1e-30) / 60)
    assert pairwise_distance(P, floor=0)[0, 1] == np.inf


@pytest.mark.parametrize("floor", [1e-30, 1e-6, 0.3])
@given(seed=seeds)
@both_paths
def test_exactly_the_coefficients_under_the_floor_are_raised(path, random_models, floor, seed):
    """Coefficients of all sizes, alone and in company."""
    rng = np.random.default_rng(seed)
    small = 10 ** rng.uniform(-70, 0, size=(33, 21)) * rng.choice([0, 1, 1], size=(33, 21))
    P = np.stack([small, 1 - small], axis=2)
    q = np.tile([1.0, 0.0], (1, 21, 1))
    expected = -np.log(np.maximum(np.sqrt(small), floor)).mean(axis=1)
    D = pairwise_distance(P, q, floor=floor)[:, 0]
    np.testing.assert_allclose(D, expected, rtol=1e-12)
    P, q = P.astype(np.float32), q.astype(np.float32)
    expected = -np.log(np.maximum(np.sqrt(P[:, :, 0], dtype=float), floor)).mean(axis=1)
    D = pairwise_distance(P, q, floor=floor)[:, 0]
    np.testing.assert_allclose(D, expected, rtol=1e-6)


def test_without_floor_only_a_coefficient_of_zero_is_infinite(path):
    P = np.tile([1.0, 0.0], (1, 20, 1))
    Q = np.tile([1e-80, 1.0], (1, 20, 1))
    assert pairwise_distance(P, Q, floor=0)[0, 0] == pytest.approx(-np.log(1e-40))
    assert pairwise_distance(P, Q, floor=0, metric="hellinger")[0, 0] == 2


def test_probabilities_of_zero_in_the_symmetrised_divergence(path):
    P = np.array([[[1.0, 0.0, 0.0]], [[0.5, 0.5, 0.0]], [[0.25, 0.75, 0.0]]])
    D = pairwise_distance(P, metric="symmetric_kl")
    # Classes that neither has do not count.
    assert D[1, 2] == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))
    assert D[0, 1] == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(0.5 / 1e-30))
    exact = pairwise_distance(P, metric="symmetric_kl", floor=0)
    assert exact[0, 1] == exact[0, 2] == np.inf
    assert exact[1, 2] == pytest.approx(D[1, 2], abs=1e-14)


# Tiles, threads, containers


@pytest.mark.parametrize("metric", METRICS)
def test_tiles_and_threads_do_not_change_the_result(random_models, small_memory, path, metric):
    P, Q = random_models(0, 16, 31, 6), random_models(1, 8, 31, 6)
    whole, across = pairwise_distance(P, metric=metric), pairwise_distance(P, Q, metric=metric)
    small_memory(P)
    for threads in (1, 3):
        options = {"metric": metric, "threads": threads}
        np.testing.assert_allclose(pairwise_distance(P, **options), whole, atol=1e-13)
        np.testing.assert_allclose(pairwise_distance(P, Q, **options), across, atol=1e-13)


@pytest.mark.parametrize("metric", METRICS)
def test_models_too_large_for_memory_are_read_in_parts(random_models, monkeypatch, path, metric):
    P, Q = random_models(2, 7, 64, 6), random_models(3, 4, 64, 6)
    whole, across = pairwise_distance(P, metric=metric), pairwise_distance(P, Q, metric=metric)
    monkeypatch.setattr(tiles, "_ENTRIES", 60)
    options = {"metric": metric, "memory": 64 * 5 * 6 * 8 * 3}
    np.testing.assert_allclose(pairwise_distance(P, **options), whole, atol=1e-13)
    np.testing.assert_allclose(pairwise_distance(P, Q, **options), across, atol=1e-13)


def test_every_model_is_read_once_and_once_more_for_each_band(random_models, small_memory):
    class Counted:
        def __init__(self, P):
            self.P, self.shape, self.dtype, self.reads = P, P.shape, P.dtype, np.zeros(len(P))

        def __getitem__(self, key):
            self.reads[key[0]] += 1
            return self.P[key]

    P = random_models(4, 12, 5, 3)
    whole = Counted(P)
    pairwise_distance(whole)
    assert (whole.reads == 1).all()
    small_memory(P)
    parts = Counted(P)
    pairwise_distance(parts)
    assert parts.reads.tolist() == [1] * 6 + [2] * 6  # two bands of two blocks of three


@pytest.mark.parametrize("length", [7, 40, 90])
def test_long_chunks_are_not_read_for_every_panel(random_models, length):
    P = random_models(5, 90, 6, 3)
    reads = np.zeros(-(-90 // length))

    def load(block, block_info=None):
        if block_info:
            reads[block_info[0]["chunk-location"][0]] += 1
        return block

    lazy = da.from_array(P, chunks=(length, 6, 3)).map_blocks(load, dtype=P.dtype)
    np.testing.assert_array_equal(pairwise_distance(lazy), pairwise_distance(P))
    assert reads.max() <= 2


def test_chunks_of_the_result_do_not_make_tiles_larger(random_models, small_memory, tmp_path):
    P = random_models(6, 14, 9, 4)
    D = pairwise_distance(P)
    small_memory(P)
    for chunk in (1, 2, 5, 14):
        out = nan_store(tmp_path / f"{chunk}.zarr", (14, 14), chunk)
        np.testing.assert_array_equal(pairwise_distance(P, out=out)[:], D)


def test_whatever_holds_the_models(random_models, tmp_path, path):
    P = random_models(2, 9, 20, 5)
    D = pairwise_distance(P)
    stored = zarr.create_array(tmp_path / "P.zarr", data=P, chunks=(1, 20, 5))
    for held in (
        da.from_array(P, chunks=(2, 20, 5)),
        stored,
        torch.from_numpy(P),
        P.tolist(),
        list(P),
        [P[:4], stored[4:5], torch.from_numpy(P[5]), da.from_array(P[6:], chunks=2)],
        P[:, :, ::-1].copy()[:, :, ::-1],
        np.asfortranarray(P),
    ):
        np.testing.assert_array_equal(pairwise_distance(held), D)
        np.testing.assert_allclose(pairwise_distance(held, P[:2]), D[:, :2], atol=1e-15)
    single = pairwise_distance(P.astype(np.float32))
    np.testing.assert_allclose(single, D, atol=1e-7)
    tensor = torch.from_numpy(P).float()
    np.testing.assert_array_equal(pairwise_distance(tensor), single)
    np.testing.assert_array_equal(pairwise_distance(tensor, device="cpu"), single)
    with torch.no_grad():
        half = tensor.half()
        assert np.abs(pairwise_distance(half.float() / half.float().sum(2, True)) - D).max() < 1e-3


def test_input_is_left_alone(random_models, path):
    P = random_models(5, 4, 6, 3)
    before = P.copy()
    for metric in METRICS:
        pairwise_distance(P, metric=metric)
    np.testing.assert_array_equal(P, before)
    threads = torch.get_num_threads()
    pairwise_distance(P, metric="euclidean", threads=threads + 1)
    assert torch.get_num_threads() == threads


# Written to an array on disk


def nan_store(path, shape, chunk):
    return zarr.create_array(
        path, shape=shape, chunks=(chunk, chunk), dtype="float64", fill_value=np.nan
    )


def test_from_disk_to_disk(random_models, small_memory, tmp_path):
    P, Q = random_models(6, 14, 9, 4), random_models(7, 8, 9, 4)
    D, across = pairwise_distance(P), pairwise_distance(P, Q)
    small_memory(P)
    stored = zarr.create_array(tmp_path / "P.zarr", data=P, chunks=(1, 9, 4))
    out = nan_store(tmp_path / "D.zarr", (14, 14), 3)
    assert pairwise_distance(stored, out=out) is out
    np.testing.assert_array_equal(out[:], D)
    out = nan_store(tmp_path / "across.zarr", (14, 8), 3)
    np.testing.assert_allclose(pairwise_distance(stored, Q, out=out)[:], across, atol=1e-15)
    memmap = np.memmap(tmp_path / "D.bin", dtype="float64", mode="w+", shape=(14, 14))
    memmap[:] = np.nan
    np.testing.assert_array_equal(pairwise_distance(stored, out=memmap), D)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_models(tmp_path):
    peaks = []
    for m in (200, 400):  # the smaller fills the memory given, too
        P = zarr.create_array(
            tmp_path / f"P{m}.zarr", shape=(m, 200, 10), chunks=(1, 200, 10), dtype="float32"
        )
        P[:] = 0.1
        out = nan_store(tmp_path / f"D{m}.zarr", (m, m), 64)
        pairwise_distance(P[:2])  # compiles
        tracemalloc.start()
        pairwise_distance(P, out=out, memory=2**20, threads=4)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (out[:] < 1e-6).all()
    models = 400 * 200 * 10 * 4
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 0.75 * models


def test_goes_on_where_it_stopped(random_models, small_memory, tmp_path):
    P = random_models(8, 14, 9, 4)
    D = pairwise_distance(P)
    small_memory(P)
    out = nan_store(tmp_path / "D.zarr", (14, 14), 3)

    class Stopping:
        shape, dtype = P.shape, P.dtype

        def __getitem__(self, key):
            if key[0].start >= 9:
                raise KeyboardInterrupt
            return P[key]

    with pytest.raises(KeyboardInterrupt):
        pairwise_distance(Stopping(), out=out)
    done = np.isfinite(out[:])
    assert 0 < done.sum() < done.size
    marked = np.where(done, D + 1, np.nan)  # would show if they were computed again
    out[:] = marked
    out[0, 13] = np.nan  # a mirror image that was not written
    pairwise_distance(P, out=out, resume=True)
    again = out[:] == D
    kept = done.copy()
    kept[0:3, 12:14] = kept[12:14, 0:3] = False
    np.testing.assert_array_equal(again, ~kept)
    # Nothing is left to do: no model is read.
    pairwise_distance(Stopping(), out=out, resume=True)


def test_without_resume_what_was_there_is_computed_anew(random_models, tmp_path):
    P = random_models(8, 5, 9, 4)
    D = pairwise_distance(P)
    fresh = zarr.create_array(tmp_path / "D.zarr", shape=(5, 5), chunks=(5, 5), dtype="float64")
    for out in (fresh, np.ones((5, 5), dtype=np.float32)):
        np.testing.assert_allclose(pairwise_distance(P, out=out)[:], D, atol=1e-6)


def test_a_fault_while_writing_is_not_lost(random_models, small_memory):
    class Full:
        shape, dtype = (9, 9), np.dtype(np.float64)

        def __getitem__(self, key):
            return np.full((1, 1), np.nan)

        def __setitem__(self, key, value):
            raise OSError(28, "No space left on device")

    P = random_models(9, 9, 4, 3)
    small_memory(P)
    with pytest.raises(OSError, match="No space left"):
        pairwise_distance(P, out=Full())


def test_a_bar_shows_on_a_terminal(random_models, monkeypatch, capsys):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    pairwise_distance(random_models(1, 5, 3, 2), progress_bar=True)
    assert "distances" in capsys.readouterr().err
    with pytest.warns(FutureWarning, match="progress is now called progress_bar"):
        pairwise_distance(random_models(1, 5, 3, 2), progress=True)
    assert "distances" in capsys.readouterr().err
    pairwise_distance(random_models(1, 5, 3, 2))
    assert capsys.readouterr().err == ""


# Bad input


def _with(value):
    P = np.full((2, 3, 2), 0.5)
    P[1, 2, 0] = value
    return P


@pytest.mark.parametrize(
    ("P", "words"),
    [
        (np.full((3, 2), 0.5), ["shape (3, 2)", "(models, samples, classes)"]),
        ([[0.5, 0.5]] * 3, ["shape (3, 2)", "(models, samples, classes)"]),
        (np.zeros((0, 3, 2)), ["shape (0, 3, 2)"]),
        (np.zeros((2, 0, 2)), ["shape (2, 0, 2)"]),
        (_with(np.nan), ["not finite"]),
        (_with(np.inf), ["not finite"]),
        (_with(-0.5), ["negative", "-0.5"]),
        (_with(0.6), ["sums to 1.1"]),
        (np.zeros((2, 3, 2)), ["sums to 0"]),
        ([], ["empty"]),
        (
            [np.full((2, 3, 2), 0.5), np.full((1, 3, 4), 0.25)],
            ["(3, 2) and (3, 4)", "same samples"],
        ),
        (np.full((2, 3, 2), "a"), ["real numbers"]),
        (7, ["int", "expected an array of models"]),
    ],
)
@pytest.mark.parametrize("metric", ["bhattacharyya", "euclidean"])
def test_what_is_not_a_model_is_refused_by_name(path, P, words, metric):
    good = np.full((2, 3, 2), 0.5)
    with pytest.raises(DataError) as first:
        pairwise_distance(P, metric=metric)
    with pytest.raises(DataError) as second:
        pairwise_distance(good, P, metric=metric)
    for error, name in ((first, "P"), (second, "Q")):
        assert str(error.value).startswith(f"{name}: ")
    for word in words:
        assert word in str(first.value)


def test_different_samples_or_classes_are_refused():
    P = np.full((2, 3, 2), 0.5)
    for shape in ((2, 4, 2), (2, 3, 4)):
        with pytest.raises(DataError, match=r"^Q: shape .*expected \(models, 3, 2\)"):
            pairwise_distance(P, np.full(shape, 1 / shape[-1]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"floor": -1.0}, "floor = -1.0: expected 0, or"),
        ({"floor": 1.0}, "floor = 1.0"),
        ({"floor": np.nan}, "floor = nan"),
        ({"floor": "small"}, "floor = 'small'"),
        ({"metric": "cosine"}, "metric = 'cosine': expected one of bhattacharyya, symmetric_kl"),
        ({"metric": None}, "metric = None"),
        ({"device": "abacus"}, "device = 'abacus': expected 'cpu' or 'cuda'"),
        ({"device": "meta"}, "device = 'meta'"),
        ({"out": np.zeros((2, 3))}, "out: shape (2, 3) of float64, expected (2, 2) of floats"),
        ({"out": np.zeros((2, 2), dtype=int)}, "out: shape (2, 2) of int64, expected"),
        ({"out": [[0.0, 0.0], [0.0, 0.0]]}, "out: list, expected a sliceable array"),
        ({"out": da.zeros((2, 2))}, "out: Array, expected an array to which"),
        ({"out": torch.zeros(2, 2)}, "out: Tensor, expected an array to which"),
        ({"resume": True}, "resume = True: expected an out"),
        ({"threads": 0}, "threads = 0: expected an integer, 1 or more"),
        ({"threads": 1.5}, "threads = 1.5"),
        ({"memory": 0}, "memory = 0: expected an integer, 1 or more"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(DataError) as error:
        pairwise_distance(np.full((2, 3, 2), 0.5), **options)
    assert str(error.value).startswith(words)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_gpu_is_named():
    with pytest.raises(DataError, match="torch finds no CUDA device"):
        pairwise_distance(np.full((2, 3, 2), 0.5), device="cuda")


def test_the_floor_is_the_documented_one():
    assert FLOOR == 1e-30


@pytest.mark.parametrize("array", [np.asarray, torch.tensor, zarr.array, da.from_array])
def test_checkpoints_of_trainings_are_models(random_models, array):
    P = random_models(0, 6, 5, 3)
    expected = pairwise_distance(P)
    np.testing.assert_array_equal(pairwise_distance(array(P.reshape(2, 3, 5, 3))), expected)
    mixed = [array(P[:4].reshape(2, 2, 5, 3)), array(P[4]), array(P[5:])]
    np.testing.assert_array_equal(pairwise_distance(mixed), expected)
