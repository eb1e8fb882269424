from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.tasks import ClassSums, imprint, imprinted_predictions

DATA = Path(__file__).parents[1] / "data"
NAMES = ["airplane", "bird", "cat", "deer"]
seeds = st.integers(0, 2**32 - 1)


def samples(seed, n=40, f=6, classes=4, shift=0.5):
    """Features of train and test samples, and train labels of which every class has some."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(shift, 1, (n, f)), labels, rng.normal(shift, 1, (15, f))


@pytest.fixture(scope="module", name="o10")
def oracle():
    with np.load(DATA / "o10_imprinting_slice.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_imprinting_agrees_with_the_oracle(o10, kind):
    x, labels, new = (o10[name] for name in ("features", "labels", "eval_features"))
    weights = imprint(kind(x), labels, 4)
    assert type(weights) is type(kind(x))
    np.testing.assert_allclose(weights, o10["rows"][:4], rtol=0, atol=1e-12)
    P = imprinted_predictions(kind(new), weights)
    np.testing.assert_allclose(P, o10["probabilities"], rtol=0, atol=1e-12)
    U = o10["orthogonal"]
    turned = imprinted_predictions(kind(new @ U), imprint(kind(x @ U), labels, 4))
    np.testing.assert_allclose(turned, o10["probabilities"], rtol=0, atol=1e-12)
    with pytest.raises(DataError, match="^features: class 4: no samples, expected one or more"):
        imprint(kind(x), labels, 5)


def test_weights_are_directions_of_class_sums():
    x, labels, new = samples(0)
    weights = imprint(x, labels, 4)
    for c in range(4):
        h = x[labels == c].sum(axis=0)
        np.testing.assert_allclose(weights[c], h / np.linalg.norm(h), rtol=1e-13)
    logits = new @ weights.T
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(imprinted_predictions(new, weights), expected, rtol=1e-12)


@given(seed=seeds)
def test_an_orthogonal_map_of_the_features_changes_nothing(seed):
    x, labels, new = samples(seed)
    U = np.linalg.qr(np.random.default_rng(seed).normal(size=(6, 6)))[0]
    models = [imprinted_predictions(new @ R, imprint(x @ R, labels, 4)) for R in (np.eye(6), U)]
    np.testing.assert_allclose(*models, rtol=1e-10)
    assert pairwise_distance(np.stack(models))[0, 1] < 1e-12


@given(seed=seeds, factor=st.floats(0.1, 20))
def test_scaling_the_features_is_a_temperature(seed, factor):
    x, labels, new = samples(seed)
    weights = imprint(x, labels, 4)
    np.testing.assert_allclose(imprint(factor * x, labels, 4), weights, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        imprinted_predictions(factor * new, weights),
        imprinted_predictions(new, weights, scale=factor),
        rtol=1e-9,
    )


@given(seed=seeds)
def test_the_order_of_the_samples_does_not_count_and_that_of_the_classes_does(seed):
    x, labels, _ = samples(seed)
    rng = np.random.default_rng(seed)
    order, names = rng.permutation(len(x)), rng.permutation(4)
    weights = imprint(x, labels, 4)
    np.testing.assert_allclose(imprint(x[order], labels[order], 4), weights, atol=1e-13)
    np.testing.assert_array_equal(imprint(x, names[labels], 4)[names], weights)


@given(seed=seeds, cuts=st.lists(st.integers(1, 39), max_size=4))
def test_batches_give_the_same(seed, cuts):
    x, labels, _ = samples(seed)
    x = x.astype(np.float32)
    for kind in (np.asarray, torch.from_numpy):
        sums = ClassSums(4)
        for part in np.split(np.arange(40), sorted(set(cuts))):
            sums.add(kind(x[part]), labels[part])
        # Sums are in float64; rounded to float32, all are equal but for a last bit.
        np.testing.assert_allclose(sums.weights(), imprint(x, labels, 4), rtol=2e-7)


def test_large_features_are_read_in_blocks(monkeypatch):
    x, labels, _ = samples(3)
    whole = imprint(x, labels, 4)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 7 * 6 * 8)
    np.testing.assert_allclose(imprint(x, labels, 4), whole, rtol=1e-13)


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.int32, torch.float64),
    ],
)
def test_the_type_of_the_features_is_kept(dtype, expected):
    x, labels, new = (torch.from_numpy(array) for array in samples(4))
    x.requires_grad_()
    weights = imprint(x.mul(9).to(dtype), labels, 4)
    P = imprinted_predictions(new.to(dtype), weights)
    assert weights.dtype == P.dtype == expected
    assert not weights.requires_grad
    if dtype.is_floating_point:
        half = dtype if dtype != torch.bfloat16 else torch.float32
        arrays = [array.detach().to(dtype).to(half).numpy() for array in (x.mul(9), new)]
        again = imprint(arrays[0], labels, 4)
        assert again.dtype == arrays[0].dtype
        found = imprinted_predictions(arrays[1], again)
        assert found.dtype == arrays[0].dtype
        np.testing.assert_allclose(found, P, rtol=1e-5)


def test_features_of_length_one_are_asked_for_by_name():
    x, labels, new = samples(5)
    unit, unit_new = (array / np.linalg.norm(array, axis=1, keepdims=True) for array in (x, new))
    for kind in (np.asarray, torch.from_numpy):
        weights = imprint(kind(x), labels, 4, normalise=True)
        np.testing.assert_allclose(weights, imprint(unit, labels, 4), rtol=1e-12)
        np.testing.assert_allclose(
            imprinted_predictions(kind(new), weights, normalise=True),
            imprinted_predictions(unit_new, np.asarray(weights)),
            rtol=1e-12,
        )
    assert np.abs(weights.numpy() - imprint(x, labels, 4)).max() > 1e-3
    x[7] = 0
    with pytest.raises(DataError, match="features: zero in 1 of 40 samples; no length to scale"):
        imprint(x, labels, 4, normalise=True)


def changed(seed=6, **places):
    x, labels, new = samples(seed)
    for c, value in places.items():
        x[labels == int(c[1:])] = value
    return x, labels, new


BAD = {
    "features: class cat: no samples, expected one or more": lambda x, y: (x[y != 2], y[y != 2]),
    "features: 2 classes (airplane, cat): no samples": lambda x, y: (
        x[y % 2 == 1],
        y[y % 2 == 1],
    ),
    "features: class bird: features that are not finite": lambda x, y: (
        np.where((y == 1)[:, None], np.inf, x),
        y,
    ),
    "features: 4 classes (airplane, bird, cat, deer): features that are": lambda x, y: (
        np.full_like(x, np.nan),
        y,
    ),
    "features: class deer: features that sum to zero, expected": lambda x, y: (
        np.where((y == 3)[:, None], 0, x),
        y,
    ),
    "features: shape (40,), expected two axes": lambda x, y: (x[:, 0], y),
    "features: shape (40, 0), expected two axes": lambda x, y: (x[:, :0], y),
    "features: entries of type complex128": lambda x, y: (x + 1j, y),
    "labels: 39, expected one per sample, 40": lambda x, y: (x, y[1:]),
    "labels: from 1 to 4, expected 0 to 3": lambda x, y: (x, y + 1),
    "labels: shape (40,) of float64": lambda x, y: (x, y / 1),
}


@pytest.mark.parametrize("message", BAD)
@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_what_imprinting_refuses(message, kind):
    x, labels, _ = samples(6)
    x, labels = BAD[message](x, labels)
    if np.iscomplexobj(x):
        kind = np.asarray
    with pytest.raises(DataError) as error:
        imprint(kind(x), labels, 4, class_names=NAMES)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_what_the_accumulator_and_the_predictions_refuse():
    x, labels, new = samples(7)
    with pytest.raises(DataError, match="class_names: 4, expected 5"):
        ClassSums(5, class_names=NAMES)
    sums = ClassSums(4)
    with pytest.raises(DataError, match="features: 4 classes .*: no samples"):
        sums.weights()
    sums.add(x, labels)
    with pytest.raises(DataError, match=r"features: shape \(40, 5\), expected \(samples, 6\)"):
        sums.add(x[:, 1:], labels)
    with pytest.raises(DataError, match="features: a tensor on cpu, and the features before them"):
        sums.add(torch.from_numpy(x), labels)
    weights = sums.weights()
    with pytest.raises(DataError, match=r"shapes \(15, 5\) and \(4, 6\), expected \(N, F\) and"):
        imprinted_predictions(new[:, 1:], weights)
    with pytest.raises(DataError, match="features: a NumPy array, and weights a tensor on cpu"):
        imprinted_predictions(new, torch.from_numpy(weights))
    for scale in (0, -1.0, np.nan, np.inf):
        with pytest.raises(DataError, match=f"scale = {scale}: expected a number above 0"):
            imprinted_predictions(new, weights, scale=scale)
    for value in (np.nan, np.inf, -np.inf):
        new[3] = value
        for kind in (np.asarray, torch.from_numpy):
            with pytest.raises(DataError, match="features: NaN or infinite, or too large, in 1 of"):
                imprinted_predictions(kind(new), kind(weights))
