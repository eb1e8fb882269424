import dask.array as da
import numpy as np
import pytest
import torch
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.probability import arc_length, geodesic, ignorance, progress, truth

seeds = st.integers(0, 2**32 - 1)
alphas = st.floats(0, 1)


def test_progress_agrees_with_the_oracle(o1):
    found = progress(o1["P"], o1["labels"])
    np.testing.assert_allclose(found, o1["progress"], atol=1e-5)  # its tolerance


@given(alpha=alphas, c=st.integers(2, 12), seed=seeds)
@settings(deadline=None, max_examples=60)
def test_progress_of_a_point_of_the_geodesic(alpha, c, seed):
    labels = np.random.default_rng(seed).integers(c, size=9)
    point = geodesic(ignorance(9, c), truth(labels, c), alpha)
    assert progress(point, labels) == pytest.approx(alpha, abs=2e-7)


@given(alpha=alphas, c=st.integers(2, 12), smoothing=st.floats(0, 0.9), seed=seeds)
@settings(deadline=None, max_examples=60)
def test_progress_towards_a_smoothed_truth(alpha, c, smoothing, seed):
    labels = np.random.default_rng(seed).integers(c, size=9)
    point = geodesic(ignorance(9, c), truth(labels, c, smoothing), alpha)
    assert progress(point, labels, smoothing=smoothing) == pytest.approx(alpha, abs=2e-6)


def test_beyond_a_smoothed_truth_there_is_no_progress():
    labels = np.arange(9) % 3
    assert progress(truth(labels, 3, 0.1), labels, smoothing=0.3) == 1
    assert progress(truth(labels, 3, 0.3), labels) < 1
    with pytest.raises(DataError, match="smoothing = 1"):
        progress(truth(labels, 3), labels, smoothing=1)


@given(seed=seeds, c=st.integers(3, 6), smoothing=st.floats(0.01, 0.6))
@settings(deadline=None, max_examples=20)
def test_progress_towards_a_smoothed_truth_agrees_with_a_search(random_models, seed, c, smoothing):
    p = random_models(seed, 1, 8, c, 0.5)[0]
    labels = np.random.default_rng(seed).integers(c, size=8)
    start, end = ignorance(8, c), truth(labels, c, smoothing)
    best = minimize_scalar(
        lambda alpha: arc_length(p, geodesic(start, end, alpha)),
        bounds=(0, 1),
        method="bounded",
        options={"xatol": 1e-8},
    )
    assert progress(p, labels, smoothing=smoothing) == pytest.approx(best.x, abs=5e-6)


@pytest.mark.parametrize("c", [2, 3, 10])
def test_progress_of_the_ends(c):
    labels = np.arange(9) % c
    assert progress(ignorance(9, c), labels) == 0
    assert progress(truth(labels, c), labels) == 1


@given(seed=seeds, c=st.integers(2, 6), n=st.integers(1, 12), spread=st.floats(0.1, 3))
@settings(deadline=None, max_examples=30)
def test_progress_agrees_with_a_search(random_models, seed, c, n, spread):
    p = random_models(seed, 1, n, c, spread)[0]
    labels = np.random.default_rng(seed).integers(c, size=n)
    start, end = ignorance(n, c), truth(labels, c)

    def distance(alpha):
        return arc_length(p, geodesic(start, end, alpha))

    best = minimize_scalar(distance, bounds=(0, 1), method="bounded", options={"xatol": 1e-8})
    found = progress(p, labels)
    if c == 2:
        # Every model is on the geodesic's great circle: the arcs have kinks, their mean can be
        # flat, and the best alpha is one of many.
        assert distance(found) == pytest.approx(best.fun, abs=2e-6)
    else:
        assert found == pytest.approx(best.x, abs=5e-6)


@pytest.mark.parametrize("c", [2, 3, 4, 5, 10])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75])
def test_progress_with_one_sample_exactly_on_the_geodesic(c, alpha):
    """The arc of such a sample has a kink where the search lands exactly."""
    labels = np.arange(10) % c
    start, end = ignorance(10, c), truth(labels, c)
    P = geodesic(start, end, 0.9)
    P[0] = geodesic(start, end, alpha)[0]
    assert progress(P, labels) == pytest.approx(0.9, abs=2e-7)
    P = geodesic(start, end, 0.1)
    P[0] = geodesic(start, end, alpha)[0]
    assert progress(P, labels) == pytest.approx(0.1, abs=2e-7)


@pytest.mark.parametrize("c", [2, 3, 10])
@pytest.mark.parametrize("errors", range(0, 101, 4))
def test_progress_of_a_confident_model(c, errors):
    """Remark 2.2.1: what counts is the fraction of errors.

    The slopes of the arcs of right samples are -1, those of wrong ones increase from 1 / (C - 1)
    to 1 / sqrt(C - 1): the minimum is at an end unless the fraction is such that they cancel.
    """
    labels = np.arange(100) % c
    predicted = labels.copy()
    predicted[:errors] = (predicted[:errors] + 1) % c
    right_to_wrong = (100 - errors) / errors if errors else np.inf
    found = progress(truth(predicted, c), labels)
    if errors < 100 * (1 - 1 / np.sqrt(c)):  # the remark's
        assert right_to_wrong >= 1 / np.sqrt(c - 1)
    if right_to_wrong > 1 / np.sqrt(c - 1):
        assert found == 1
    elif right_to_wrong < 1 / (c - 1):
        assert found == 0
    elif c > 2:
        b = 1 / np.sqrt(c - 1)
        slope = right_to_wrong
        angle = np.arcsin(np.sqrt(slope**2 * (1 - b**2) / (b**2 * (1 - slope**2))))
        start = np.arcsin(1 / np.sqrt(c))
        expected = (angle - start) / (np.pi / 2 - start)
        assert found == pytest.approx(expected, abs=2e-7)


def test_progress_near_the_ends_is_not_rounded_to_them():
    labels = np.arange(9) % 3
    ends = ignorance(9, 3), truth(labels, 3)
    for alpha in (1e-6, 1e-5, 1 - 1e-5, 1 - 1e-6):
        found = progress(geodesic(*ends, alpha), labels)
        assert found == pytest.approx(alpha, abs=2e-7)
        assert 0 < found < 1


def test_progress_of_float32_ends_is_exact():
    labels = np.arange(30) % 10
    start, end = ignorance(30, 10).astype(np.float32), truth(labels, 10).astype(np.float32)
    saturated = end + np.float32(1e-20)  # what a softmax leaves
    assert progress(np.stack([start, end, saturated]), labels).tolist() == [0, 1, 1]


@given(seed=seeds, c=st.integers(3, 6))
@settings(deadline=None, max_examples=20)
def test_order_of_samples_and_names_of_classes_do_not_matter(random_models, seed, c):
    P, labels = random_models(seed, 3, 9, c), np.arange(9) % c
    rng = np.random.default_rng(seed)
    n, names = rng.permutation(9), rng.permutation(c)
    renamed = np.empty_like(P)
    renamed[..., names] = P
    expected = progress(P, labels)
    np.testing.assert_allclose(progress(P[:, n], labels[n]), expected, atol=4e-7)
    np.testing.assert_allclose(progress(renamed, names[labels]), expected, atol=4e-7)


def test_models_are_independent_of_their_blocks(random_models, monkeypatch):
    P, labels = random_models(7, 11, 7, 3), np.arange(7) % 3
    expected = [progress(model, labels) for model in P]
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2 * P[0].nbytes)
    assert len(list(blocks.slices(P))) == 6
    assert progress(P, labels).tolist() == expected


def test_progress_of_the_wrong_corner_is_at_the_end():
    labels = np.arange(9) % 3
    assert progress(truth((labels + 1) % 3, 3), labels) == 0


def test_progress_of_one_model_is_that_of_a_set_of_one(random_models):
    P, labels = random_models(5, 2, 7, 3), np.arange(7) % 3
    both = progress(P, labels)
    assert both.shape == (2,)
    assert isinstance(progress(P[1], labels), float)
    assert progress(P[1], labels) == both[1]


def test_any_array_is_taken(random_models, holder):
    P, labels = random_models(0, 7, 6, 4), np.arange(6) % 4
    expected = progress(P, labels)
    np.testing.assert_allclose(progress(holder(P), labels), expected, atol=1e-12)
    np.testing.assert_allclose(progress(holder(P.astype(np.float32)), labels), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_torch_half_precision_is_taken(random_models, dtype):
    labels = np.arange(6) % 4
    P = torch.tensor(truth(labels, 4) * 0.5 + 0.125, dtype=dtype)  # exact in these numbers
    assert progress(P[None], torch.tensor(labels))[0] == progress(P.double(), labels)


def test_stored_models_are_read_once(random_models):
    P, labels = random_models(0, 9, 6, 4), np.arange(6) % 4
    reads = []

    def read(block):
        reads.append(block.shape[0])
        return block

    lazy = da.from_array(P, chunks=(2, 6, 4)).map_blocks(read, meta=np.empty((0, 0, 0)))
    np.testing.assert_array_equal(progress(lazy, labels), progress(P, labels))
    assert sorted(reads) == [1, 2, 2, 2, 2]


def test_what_progress_refuses(random_models, broken):
    P = random_models(0, 2, 3, 4)
    with pytest.raises(DataError, match="labels: 2, expected one per sample, 3"):
        progress(P, np.array([0, 1]))
    with pytest.raises(DataError, match="labels: from 0 to 4"):
        progress(P, np.array([0, 1, 4]))
    with pytest.raises(DataError, match="labels: .* float64, expected integers"):
        progress(P, np.array([0.0, 1.0, 2.0]))
    with pytest.raises(DataError, match="one class"):
        progress(np.ones((2, 3, 1)), np.array([0, 0, 0]))
    for shape in ((4,), (0, 3, 4), (2, 0, 4), (2, 3, 0), (1, 1, 2, 3, 4)):
        with pytest.raises(DataError, match="P: shape .* expected "):
            progress(np.empty(shape), np.array([0, 1, 2]))
    bad, words = broken
    for models in (bad, bad.astype(np.float32), bad[1], zarr.array(bad)):
        with pytest.raises(DataError, match=f"^P: .*{words}"):
            progress(models, np.array([0, 1, 2, 3, 0, 1]))


def test_the_check_of_rows_is_that_of_as_distributions():
    labels = np.array([0, 1])
    good = np.array([[[0.5, 0.5 + 0.99e-4], [0.5, 0.5 - 0.99e-4]]])
    assert 0 <= progress(good, labels)[0] <= 1
    with pytest.raises(DataError, match="sums to 1.0001"):
        progress(good + np.array([0, 0.02e-4]), labels)


def test_the_base_rates_are_ignorance_where_classes_are_unequal():
    labels = np.array([0] * 14 + [1] * 4 + [2] * 2)
    start = ignorance(20, 3, "frequencies", labels)
    assert progress(start, labels) > 0.3
    assert progress(start, labels, prior="frequencies") == 0
    assert progress(start, labels, prior=[0.7, 0.2, 0.1]) == 0
    assert progress(truth(labels, 3), labels, prior="frequencies") == 1
    ways = np.array([0.13, 0.5, 0.84])
    P = geodesic(start, truth(labels, 3), ways)
    np.testing.assert_allclose(progress(P, labels, prior="frequencies"), ways, atol=2e-7)


@given(seeds, st.integers(2, 5))
def test_with_any_prior_progress_minimises_the_mean_arc(seed, c):
    rng = np.random.default_rng(seed)
    labels, prior = rng.integers(0, c, 9), rng.dirichlet(np.ones(c)) * 0.9 + 0.1 / c
    P = rng.dirichlet(np.ones(c), size=9)
    s = progress(P, labels, prior=prior)
    ends = ignorance(9, c, prior), truth(labels, c)
    grid = np.linspace(0, 1, 201)
    distance = arc_length(geodesic(*ends, grid), P)
    assert arc_length(geodesic(*ends, s), P) <= distance.min() + 1e-9


def test_a_uniform_prior_changes_nothing(random_models):
    P, labels = random_models(0, 4, 9, 3), np.arange(9) % 3
    expected = progress(P, labels)
    for prior in ("uniform", "frequencies", [1 / 3] * 3):
        np.testing.assert_allclose(progress(P, labels, prior=prior), expected, atol=1e-9)


@pytest.mark.parametrize(
    ("prior", "words"),
    {
        "often": 'prior = .often.: expected "uniform", "frequencies" or 3 probabilities',
        (0.5, 0.5): r"prior: shape \(2,\), expected \(3,\), one per class",
        (0.5, 0.5, 0.5): "prior: a row that sums to 1.5",
        (0, 1, 0): "prior: class 1 has probability 1",
    }.items(),
    ids=str,
)
def test_what_is_no_prior(random_models, prior, words):
    with pytest.raises(DataError, match=words):
        progress(random_models(0, 2, 3, 3), np.arange(3), prior=prior)
    with pytest.raises(DataError, match=words):
        ignorance(3, 3, prior, np.arange(3))


def test_a_prior_needs_unsmoothed_labels(random_models):
    with pytest.raises(DataError, match="smoothing = 0.1, prior: both given"):
        progress(random_models(0, 2, 3, 3), np.arange(3), prior="uniform", smoothing=0.1)
    with pytest.raises(DataError, match="expected labels, whose frequencies"):
        ignorance(3, 3, "frequencies")


def test_lists_and_trainings(random_models):
    P, labels = random_models(0, 6, 9, 3), np.arange(9) % 3
    expected = progress(P, labels)
    np.testing.assert_array_equal(progress([P[:2], P[2], P[3:]], labels), expected)
    seeds = P.reshape(2, 3, 9, 3)
    for array in (seeds, torch.tensor(seeds), zarr.array(seeds)):
        np.testing.assert_array_equal(progress(array, labels), expected.reshape(2, 3))
