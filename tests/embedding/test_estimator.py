"""InPCA and IsKL as scikit-learn estimators: its own checks, pipelines, bad input."""

import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from hyperribbon.embedding import InPCA, IsKL
from hyperribbon.errors import DataError, OnePointWarning
from hyperribbon.pairwise import METRICS, pairwise_distance


@dataclass(frozen=True, repr=False)
class Squared:
    """A metric without an address in its name, which names tests, in all processes alike."""

    def __call__(self, X, Y):
        return pairwise_distances(X, Y, metric="sqeuclidean")

    def __repr__(self):
        return "squared"


squared = Squared()


def expected_failures(estimator):
    if estimator.metric != "precomputed":
        return {}
    return {
        # The check takes the mean from Euclidean distances and fits the result, whose diagonal is
        # then not 0. Negative intervals are accepted, a point at a distance from itself is not.
        "check_positive_only_tag_during_fit": "its distances have a diagonal",
        # The check fits (10, 3) matrices with a NaN and wants the NaN named. Distances are read
        # in blocks, once it is known that they are square.
        "check_estimators_nan_inf": "its matrices are not square",
    }


@parametrize_with_checks(
    [
        InPCA(metric=squared),
        InPCA(n_components=2, metric=squared, solver="block", random_state=0),
        InPCA(metric="precomputed"),
        InPCA(n_components=None, metric="precomputed"),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


def test_tags_tell_what_the_input_is():
    """scikit-learn's checks make no three-dimensional input; InPCA() and IsKL() want nothing else.

    Their code is that of the function metric above but for where distances come from.
    """
    for estimator, dimensions, pairwise in (
        (InPCA(), {3}, False),
        (IsKL(), {3}, False),
        (InPCA(metric="precomputed"), {2}, True),
        (InPCA(metric=squared), {2, 3}, False),
    ):
        tags = get_tags(estimator).input_tags
        assert tags.two_d_array == (2 in dimensions)
        assert tags.three_d_array == (3 in dimensions)
        assert tags.pairwise == pairwise


@pytest.fixture(params=["InPCA", "symmetric KL", "precomputed", "function", "block", "IsKL"])
def case(request, random_models):
    """An estimator, models to fit and new ones."""
    P = random_models(0, 24, 5, 3)
    D = pairwise_distance(P)
    flat = P.reshape(24, -1)
    return {
        "InPCA": (InPCA(), P[:20], P[20:]),
        "symmetric KL": (InPCA(metric="symmetric_kl"), P[:20], P[20:]),
        "precomputed": (InPCA(metric="precomputed"), D[:20, :20], D[20:, :20]),
        "function": (InPCA(metric=squared), flat[:20], flat[20:]),
        "block": (InPCA(2, "precomputed", "block", random_state=0), D[:20, :20], D[20:, :20]),
        "IsKL": (IsKL(), P[:20], P[20:]),
    }[request.param]


def test_is_fitted_cloned_and_pickled(case):
    estimator, X, new = case
    with pytest.raises(NotFittedError):
        estimator.transform(new)
    embedding = estimator.fit_transform(X)
    k = estimator.n_components
    assert embedding.shape == (20, k)
    for name in ("explained_stress_", "explained_pairwise_distance_", "eigenvalues_", "residuals_"):
        assert getattr(estimator, name).shape == (k,)
        assert np.isfinite(getattr(estimator, name)).all()
    copy = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(copy.transform(new), estimator.transform(new))
    np.testing.assert_array_equal(copy.embedding_, embedding)
    np.testing.assert_array_equal(copy.explained_stress_, estimator.explained_stress_)
    fresh = clone(estimator)
    assert fresh.get_params() == estimator.get_params()
    assert not hasattr(fresh, "embedding_")
    assert not hasattr(fresh, "explained_stress_")
    np.testing.assert_allclose(fresh.fit(X).transform(X), embedding, atol=1e-9)
    assert (fresh.signature_ == np.where(fresh.eigenvalues_ < 0, -1, 1)).all()
    assert fresh.signature_.dtype.kind == "i"


def test_works_in_a_pipeline_and_names_its_columns(case):
    estimator, X, new = case
    pipeline = make_pipeline(estimator, StandardScaler()).set_output(transform="pandas")
    table = pipeline.fit(X).transform(new)
    assert isinstance(table, pd.DataFrame)
    prefix = type(estimator).__name__.lower()
    assert table.columns.tolist() == [f"{prefix}{i}" for i in range(estimator.n_components)]
    plain = make_pipeline(clone(estimator), StandardScaler()).fit(X)
    np.testing.assert_allclose(table.to_numpy(), plain.transform(new), atol=1e-12)


def test_fits_again_to_something_else(case, random_distances):
    estimator, X, _ = case
    estimator.fit(X[:-1, :-1] if X.shape[0] == X.shape[1] else X[:-1])
    first = estimator.explained_pairwise_distance_
    estimator.fit(X)
    again = clone(estimator).fit(X)
    np.testing.assert_allclose(
        estimator.explained_pairwise_distance_, again.explained_pairwise_distance_, rtol=1e-9
    )
    assert np.abs(first - again.explained_pairwise_distance_).max() > 1e-6
    if isinstance(estimator, InPCA):
        estimator.set_params(metric="precomputed").fit(random_distances(0, 20))
        assert not hasattr(estimator, "X_fit_")


def test_cross_validation_cuts_distances_on_both_axes(random_distances):
    search = GridSearchCV(
        InPCA(metric="precomputed"),
        {"n_components": [1, 2, 4]},
        cv=3,
        scoring=lambda inpca, D, y=None: inpca.transform(D).std() + inpca.explained_stress_[-1],
        error_score="raise",
    )
    search.fit(random_distances(0, 15))
    assert search.best_estimator_.embedding_.shape[0] == 15


def test_tables_keep_the_names_of_their_columns(random_distances):
    names = [f"model {i}" for i in range(9)]
    D = pd.DataFrame(random_distances(0, 9), index=names, columns=names)
    inpca = InPCA(metric="precomputed").set_output(transform="pandas")
    table = inpca.fit_transform(D)
    assert table.index.tolist() == names
    assert inpca.feature_names_in_.tolist() == names
    with pytest.raises(ValueError, match="feature names should match"):
        inpca.transform(D[names[::-1]])


def test_a_function_may_take_what_it_likes(random_models):
    """Sets of points instead of models: (m, ...) of any further dimensions."""
    X = np.random.default_rng(0).normal(size=(12, 2, 3, 4))

    def metric(X, Y):
        return ((X[:, None] - Y) ** 2).sum(axis=(2, 3, 4))

    inpca = InPCA(None, metric=metric).fit(X[:9])
    flat = InPCA(None, metric=squared).fit(X[:9].reshape(9, -1))
    np.testing.assert_allclose(inpca.embedding_, flat.embedding_, atol=1e-9)
    np.testing.assert_allclose(
        inpca.transform(X[9:]), flat.transform(X[9:].reshape(3, -1)), atol=1e-9
    )


def test_models_of_any_kind_of_array(held, random_models):
    P = random_models(0, 12, 6, 4)
    expected = InPCA().fit(P[:9])
    inpca = InPCA().fit(held(P[:9]))
    np.testing.assert_allclose(inpca.embedding_, expected.embedding_, atol=1e-12)
    np.testing.assert_allclose(inpca.transform(held(P[9:])), expected.transform(P[9:]), atol=1e-12)


def test_one_floor_for_every_precision():
    """Models with no class in common are as far apart in a fit as in a transform."""
    P = np.eye(3)[np.random.default_rng(0).integers(3, size=(9, 6))]
    inpca = InPCA(n_components=4).fit(P.astype(np.float32))
    np.testing.assert_allclose(inpca.transform(P), inpca.embedding_, atol=1e-4)


def _changed(D, i, j, value):
    D = D.copy()
    D[i, j] = value
    return D


GOOD = np.array(
    [[0, 1, 4, 2, 3], [1, 0, 2, 5, 1], [4, 2, 0, 1, 2], [2, 5, 1, 0, 3.0], [3, 1, 2, 3, 0]]
)


@pytest.mark.parametrize("solver", ["auto", "block"])
@pytest.mark.parametrize(
    ("D", "k", "words"),
    [
        (np.zeros((3, 4)), 1, "X: shape (3, 4), expected a square matrix of distances"),
        (np.zeros(10), 1, "squareform"),
        (None, 1, "X: NoneType, expected an array of real numbers"),
        (np.ma.masked_equal(GOOD, 5), 1, "X: 2 of 25 entries masked, expected none"),
        (torch.empty(3, 3, device="meta"), 1, "X: a tensor on the meta device"),
        (
            torch.tensor(GOOD).to(torch.complex64),
            1,
            "X: entries of type complex64, expected real numbers",
        ),
        (np.zeros((0, 0)), 1, "0 sample(s)"),
        (np.zeros((2, 2, 2)), 1, "X: shape (2, 2, 2), expected a matrix of distances"),
        (_changed(GOOD, 1, 2, np.nan), 1, "X: entries that are NaN or infinite"),
        (_changed(GOOD, 1, 2, np.inf), 1, "X: entries that are NaN or infinite"),
        (_changed(GOOD, 1, 2, 2.25), 1, "X: not symmetric (entries differ by up to 0.25"),
        (_changed(GOOD, 3, 3, 1), 1, "X: 1 on the diagonal"),
        (GOOD, 6, "n_components = 6: expected None or 1 to the number of models, n_samples = 5"),
        (GOOD, 0, "n_components = 0: expected"),
        (GOOD, -1, "n_components = -1: expected"),
        (GOOD, 1.5, "n_components = 1.5: expected"),
        (GOOD, True, "n_components = True: expected"),
        (GOOD, "two", "n_components = 'two': expected"),
        (GOOD.astype(complex), 1, "Complex data not supported"),
    ],
)
def test_impossible_fits_are_refused(D, k, words, solver):
    with pytest.raises(DataError) as error:
        InPCA(k, "precomputed", solver).fit(D)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1, 1, 1, 1], "sample_weight: shape (4,), expected one per model, (5,)"),
        (np.ones((5, 1)), "sample_weight: shape (5, 1)"),
        (2.0, "sample_weight: shape ()"),
        ([1, 1, 1, 1, -0.5], "sample_weight: from -0.5 to 1, expected finite numbers, 0 or more"),
        ([1, 1, 1, 1, np.nan], "sample_weight: from nan to nan, expected finite"),
        ([1, 1, 1, 1, np.inf], "sample_weight: from 1 to inf, expected finite"),
        (np.zeros(5), "sample_weight: all weights are zero"),
        (["a", "b", "c", "d", "e"], "sample_weight: entries of type text, expected real numbers"),
        (np.ma.masked_equal([1, 1, 2, 1, 1], 2), "sample_weight: 1 of 5 entries masked"),
    ],
)
@pytest.mark.parametrize("estimator", [InPCA(1, "precomputed"), IsKL(1)])
def test_impossible_weights_are_refused(estimator, weights, words, random_models):
    X = GOOD if isinstance(estimator, InPCA) else random_models(0, 5, 3, 3)
    with pytest.raises(DataError) as error:
        estimator.fit(X, sample_weight=weights)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"solver": "quick"}, "solver = 'quick': expected one of auto, full, block"),
        ({"metric": "manhattan"}, "metric = 'manhattan'"),
        ({"metric": 3}, "metric = 3: expected a name or a function"),
        ({"metric": lambda X, Y: np.zeros(3)}, "metric: returned shape (3,), expected (4, 4)"),
        ({"metric": lambda X, Y: np.eye(4)}, "metric: 1 on the diagonal"),
    ],
)
def test_impossible_parameters_are_refused(parameters, words, random_models):
    with pytest.raises(DataError) as error:
        InPCA(**parameters).fit(random_models(0, 4, 3, 3))
    assert words in str(error.value)


@pytest.mark.parametrize("estimator", [InPCA(1), InPCA(1, "geodesic"), IsKL(1)])
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.full((4, 3), 1 / 3), "X: shape (4, 3), expected (models, samples, classes)"),
        (np.zeros((0, 4, 3)), "shape (0, 4, 3)"),
        (np.zeros((4, 0, 3)), "shape (4, 0, 3)"),
        (np.ones((4, 3, 3)), "a row that sums to 3"),
        (np.full((4, 3, 3), np.nan), "not finite"),
    ],
)
def test_what_are_no_models_is_refused(estimator, X, words):
    with pytest.raises(DataError) as error:
        estimator.fit(X)
    assert words in str(error.value)


POINT = "all models .* coincide"


def assert_one_point(estimator, k: int) -> None:
    assert not estimator.embedding_.any()
    assert not estimator.eigenvalues_.any()
    assert (estimator.signature_ == 1).all()
    assert not estimator.residuals_.any()
    for explained in (estimator.explained_stress_, estimator.explained_pairwise_distance_):
        assert explained.shape == (k,)
        assert np.isnan(explained).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("solver", ["full", "block"])
@pytest.mark.parametrize("metric", METRICS)
def test_equal_models_are_one_point_in_spite_of_rounding(metric, solver, dtype, random_models):
    """Equal in all digits, or but for the last; as models, and as distances of the first."""
    P = np.repeat(random_models(0, 1, 50, 7), 6, axis=0).astype(dtype)
    near = P.copy()
    near[1::2] = np.nextafter(P[1::2], 0)
    D = pairwise_distance(P, metric=metric)
    cases = [(InPCA(2, metric, solver), P), (InPCA(2, "precomputed", solver), D)]
    if (metric, dtype) in (("bhattacharyya", "float32"), ("bhattacharyya", "float64")):
        cases.append((InPCA(2, metric, solver), near))
    if metric == "symmetric_kl":
        cases.append((IsKL(2, solver), P))
    for estimator, X in cases:
        with pytest.warns(OnePointWarning, match=f"n_samples = 6: {POINT}"):
            estimator.fit(X, sample_weight=[1, 1, 3, 1, 0, 1])
        assert_one_point(estimator, 2)
        assert not estimator.transform(X).any()


@pytest.mark.parametrize("m", [1, 3])
def test_distances_of_one_point(m):
    inpca = InPCA(1, "precomputed")
    with pytest.warns(OnePointWarning, match=f"n_samples = {m}: {POINT}"):
        inpca.fit(np.zeros((m, m)))
    assert_one_point(inpca, 1)
    with pytest.warns(OnePointWarning, match=POINT):  # one of weight above 0
        InPCA(1, "precomputed").fit(GOOD, sample_weight=[0, 0, 3, 0, 0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_two_points_have_one_axis(dtype, random_models):
    """However many models are in each: rounding gives no second one."""
    P = random_models(0, 2, 50, 7).astype(dtype)[[0, 1, 0, 0, 1, 1, 0]]
    inpca = InPCA(4, "precomputed").fit(pairwise_distance(P))
    assert inpca.eigenvalues_[0] > 0
    assert not inpca.eigenvalues_[1:].any()
    np.testing.assert_allclose(inpca.explained_stress_, 1)
    np.testing.assert_allclose(inpca.explained_pairwise_distance_, 1)


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_distances_of_fewer_digits(kind):
    D = torch.tensor(GOOD, dtype=kind)
    expected = InPCA(2, "precomputed").fit(GOOD)
    found = InPCA(2, "precomputed").fit(D)
    np.testing.assert_allclose(found.embedding_, expected.embedding_, atol=1e-12)


def test_a_metric_may_return_tensors_with_gradients(random_models):
    def metric(X, Y):
        D = torch.tensor(pairwise_distance(X, Y), requires_grad=True)
        return (D + D.T) / 2 if X is Y else D

    P = random_models(0, 5, 4, 3)
    found = InPCA(2, metric).fit(P.reshape(5, 4, 3))
    np.testing.assert_allclose(found.embedding_, InPCA(2).fit(P).embedding_, atol=1e-7)


def test_impossible_transforms_are_refused(random_models):
    inpca = InPCA(2, "precomputed").fit(GOOD)
    for X, words in (
        (np.zeros((1, 4)), "X has 4 features, but InPCA is expecting 5 features"),
        (np.zeros(5), "1D array"),
        (np.full((2, 5), np.nan), "NaN or infinite"),
    ):
        with pytest.raises(DataError, match=words):
            inpca.transform(X)
    P = random_models(0, 5, 4, 3)
    for estimator in (InPCA(2).fit(P), IsKL(2).fit(P)):
        for new in (P[:, :3], random_models(0, 5, 4, 2), P[0], P[:, :, :0]):
            with pytest.raises(DataError, match=r"shape|features"):
                estimator.transform(new)


def test_floor_of_iskl_is_above_zero(random_models):
    for floor in (0, -1, 1, np.nan):
        with pytest.raises(DataError, match=f"floor = {floor}: expected above 0"):
            IsKL(floor=floor).fit(random_models(0, 5, 4, 3))
