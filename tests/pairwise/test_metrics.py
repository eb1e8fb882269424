"""What a metric's name leads to: a kernel that knows it, or a refusal."""

import pickle

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import hyperribbon as hr
from hyperribbon.embedding import InPCA
from hyperribbon.errors import DataError
from hyperribbon.pairwise import METRICS, engine, pairwise_distance, plain
from hyperribbon.pairwise.metrics import Metric, label_of
from hyperribbon.pairwise.products import ProductKernel


def _mean(sums, n_samples):
    return sums / n_samples


def _total_variation(p, q):
    return (p - q).abs().sum(-1) / 2


@pytest.fixture
def total_variation(monkeypatch):
    """A metric as CONTRIBUTING says how to add one: a function and a line of METRICS."""
    metric = Metric("total_variation", _total_variation, _mean)
    monkeypatch.setitem(METRICS, metric.name, metric)
    return metric.name


@pytest.fixture
def registered(monkeypatch):
    """Function registering the metric "new", of some kernel and last step."""

    def register(kernel, finish=_mean):
        monkeypatch.setitem(METRICS, "new", Metric("new", kernel, finish))

    return register


def test_a_new_metric_is_a_function_and_a_line(
    total_variation, brute_force, path, monkeypatch, random_models
):
    P, Q = random_models(0, 20, 7, 3), random_models(1, 4, 7, 3)
    expected = np.abs(P[:, None] - P).sum(axis=3).mean(axis=2) / 2
    options = {"metric": total_variation, "threads": 2}
    near = {"atol": 1e-14}
    np.testing.assert_allclose(pairwise_distance(P, **options), expected, **near)
    np.testing.assert_allclose(brute_force(P, P, total_variation), expected, **near)
    across = brute_force(P, Q, total_variation)
    monkeypatch.setattr(plain, "_AT_ONCE", 50)  # a few rows and one sample at a time
    np.testing.assert_allclose(pairwise_distance(P, Q, **options), across, **near)
    np.testing.assert_allclose(pairwise_distance(P, memory=1, **options), expected, **near)
    out = np.full((20, 20), np.nan)
    pairwise_distance(P.astype(np.float32), out=out, **options)
    np.testing.assert_allclose(out, expected, atol=1e-6)
    InPCA(2, metric=total_variation).fit(P)


def test_a_metric_is_registered_by_a_call(random_models):
    P = random_models(0, 4, 7, 3)
    hr.register_metric("tv", _total_variation)
    hr.register_metric("root", "squares", lambda sums, n: np.sqrt(sums / n), label="$L_2$ <b>")
    expected = np.abs(P[:, None] - P).sum(axis=3).mean(axis=2) / 2
    np.testing.assert_allclose(hr.pairwise_distance(P, metric="tv"), expected, atol=1e-14)
    np.testing.assert_allclose(
        hr.pairwise_distance(P, metric="root"), np.sqrt(pairwise_distance(P, metric="euclidean"))
    )
    fitted = hr.InPCA(2, metric="tv").fit(P)
    precomputed = hr.InPCA(2, metric="precomputed").fit(expected)
    np.testing.assert_allclose(fitted.eigenvalues_, precomputed.eigenvalues_, atol=1e-12)
    assert [label_of(name) for name in ("tv", "root", "gone")] == ["tv", "$L_2$ <b>", "gone"]
    with pytest.raises(DataError, match="^metric = 'tw': expected one of bhatt.*, tv, root$"):
        hr.pairwise_distance(P, metric="tw")


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        ({"name": "euclidean"}, "metric = 'euclidean': is built in"),
        ({"name": "precomputed"}, "metric = 'precomputed': is what InPCA calls given distances"),
        ({"name": "my metric"}, "metric = 'my metric': expected a name of letters"),
        ({"kernel": ["arcs"]}, "metric = 'new': kernel = .'arcs'., expected a function of"),
        ({"kernel": 3}, "metric = 'new': kernel = 3, expected a function of"),
        ({"kernel": "sums"}, "metric = 'new': kernel = 'sums', .* or one of arcs, div.*, squares$"),
        ({"finish": lambda sums, n: n}, "metric = 'new': finish = .*, expected a function of"),
        ({"finish": "sum"}, "metric = 'new': finish = 'sum', expected 'mean' or a function of"),
        ({"label": 3}, "metric = 'new': label = 3, expected text"),
    ],
)
def test_what_is_no_metric_is_not_registered(arguments, wrong):
    with pytest.raises(DataError, match=f"^{wrong}"):
        hr.register_metric(**{"name": "new", "kernel": _total_variation, **arguments})
    assert "new" not in METRICS


def test_a_new_metric_crosses_to_another_process(total_variation):
    kernel = plain.TorchKernel(_total_variation, single=False, floor=0.0, device="cpu", threads=1)
    again = pickle.loads(pickle.dumps(kernel))
    P = np.array([[[0.5, 0.5]], [[1.0, 0.0]]])
    packed, sums = again.pack(lambda part: P[part], P.shape, "P"), np.zeros((2, 2))
    again.add(packed, None, sums)
    np.testing.assert_array_equal(sums, [[0, 0.5], [0.5, 0]])


class Unread:
    """Models that must not be read."""

    shape, dtype = (3, 4, 2), np.dtype(np.float32)

    def __len__(self):
        return 3

    def __getitem__(self, key):
        raise AssertionError("models were read before the metric was looked at")


ROUTES = {
    "in memory": lambda: pairwise_distance(Unread(), metric="new"),
    "across": lambda: pairwise_distance(Unread(), Unread(), metric="new"),
    "out of core": lambda: pairwise_distance(
        Unread(), metric="new", memory=1, out=np.full((3, 3), np.nan)
    ),
    "torch": lambda: pairwise_distance(Unread(), metric="new", device="cpu"),
    "InPCA": lambda: InPCA(2, metric="new").fit(np.full((3, 4, 2), 0.5)),
}


@pytest.mark.parametrize("route", ROUTES.values(), ids=ROUTES)
def test_a_metric_that_no_kernel_computes_is_refused_on_every_route(registered, path, route):
    for kernel, finish, message in (
        ("no_such_sums", _mean, "kernel = 'no_such_sums': expected a function of .* log_coeff"),
        (None, _mean, "kernel = None: expected a function of"),
        ("squares", "mean", "finish = 'mean', expected a function of"),
        ("squares", lambda sums, n: sums.mean(), "finish = .*expected a function of"),
    ):
        registered(kernel, finish)
        with pytest.raises(DataError, match=f"^metric = 'new': {message}") as refused:
            route()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("kernel", "wrong"),
    [
        (lambda p, q: (p - q).abs().sum(), r"returned Tensor \(\) for"),
        (lambda p, q: (p - q).abs().sum(-1).numpy(), "returned ndarray"),
        (lambda p, q: ((p - q) ** 2 / (p + q)).sum(-1), "returned NaN"),
        (lambda p, q: (p * q).sum(-1).log(), "returned numbers below 0"),
        (lambda p, q: p[..., 0] - q[..., 0] + 1, "returned other numbers for"),
        (lambda p, q: (p * q).sum(-1), "returned numbers above 0 for p = q"),
    ],
)
def test_a_function_that_is_no_distance_is_refused(registered, kernel, wrong):
    registered(kernel)
    with pytest.raises(DataError, match=f"^metric = 'new': kernel = <lambda>: {wrong}"):
        pairwise_distance(Unread(), metric="new")


def test_each_kernel_refuses_what_it_does_not_know(registered, brute_force, random_models):
    from hyperribbon.pairwise.cpu import CompiledKernel

    with pytest.raises(DataError, match="kernel = 'squares': expected one of log_coeff"):
        CompiledKernel("squares", single=False, floor=0.0, threads=1)
    with pytest.raises(DataError, match="kernel = 'arcs': expected one of squares, diverg"):
        ProductKernel("arcs", floor=0.0, threads=1)
    with pytest.raises(DataError, match="kernel = 'square': expected a function of"):
        plain.TorchKernel("square", single=False, floor=0.0, device="cpu", threads=1)
    registered("squares")
    P = random_models(0, 3, 4, 2)
    with pytest.raises(AssertionError, match="new"):
        brute_force(P, P, "new")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("memory", [None, 1])
def test_equal_models_are_exactly_in_one_place(path, metric, dtype, memory, random_models):
    """Of several that are, each is 0 from its copies, and as far as they from the others."""
    P = random_models(1, 3, 40, 50).astype(dtype)
    D = pairwise_distance(P[[0, 1, 0, 2, 0]], metric=metric, memory=memory)
    assert (D[np.ix_([0, 2, 4], [0, 2, 4])] == 0).all()
    assert (D[0, [1, 3]] > 1e-3).all()
    assert (pairwise_distance(P[:1], P[[0, 0]], metric=metric, memory=memory) == 0).all()


def test_models_that_differ_by_little_are_apart(path, random_models, brute_force):
    P = random_models(2, 1, 30, 6) * 0.9 + 0.1 / 6
    Q = P * np.array([1.001, 0.999, 1, 1, 1, 1])
    Q /= Q.sum(axis=-1, keepdims=True)
    both = np.concatenate([P, Q])
    for metric in METRICS:
        expected = brute_force(both, both, metric)
        np.testing.assert_allclose(
            pairwise_distance(both, metric=metric), expected, rtol=1e-3, atol=1e-14, err_msg=metric
        )


@pytest.mark.parametrize("metric", ["symmetric_kl", "euclidean"])
def test_products_of_numpy_and_of_torch_agree(monkeypatch, random_models, metric):
    """Also where probabilities are 0: without a floor, such distances are infinite."""
    P = random_models(3, 9, 20, 4)
    P[:3, :4] = [0.5, 0.5, 0, 0]
    P[5, 7] = [0, 0, 0, 1]
    with_numpy = [pairwise_distance(P, metric=metric, floor=floor) for floor in (0, 1e-9)]
    monkeypatch.setattr(engine, "_fast_kernel", lambda *_: None)
    for D, floor in zip(with_numpy, (0, 1e-9), strict=True):
        np.testing.assert_allclose(
            D, pairwise_distance(P, metric=metric, floor=floor), rtol=1e-9, atol=1e-12
        )
    assert np.isinf(with_numpy[0]).any() == (metric == "symmetric_kl")


def test_products_leave_the_threads_of_blas_as_they_were(random_models):
    with threadpool_limits(2, "blas"):
        before = threadpool_info()
        pairwise_distance(random_models(4, 300, 5, 3), metric="euclidean", threads=3)
        assert threadpool_info() == before
