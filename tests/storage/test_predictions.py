import json
import pickle

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import StoreError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance
from hyperribbon.storage.dataset import SPLITS, publish
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import (
    Trajectory,
    as_stored,
    chunk_of,
    create_predictions,
    open_predictions,
    predictions_variable,
)

HALF = 2.0**-23  # what square roots in half precision may move a model by, nats


def stored(tmp_path_factory, P, form):
    """A training's predictions (K, N, C), read from an array of that form."""
    store = tmp_path_factory.mktemp("store") / "A.zarr"
    name = predictions_variable("train", form)
    values = as_stored(P[None].astype(np.float32), form)
    zarr.create_array(store / name, data=values, chunks=(1, 1, *P.shape[1:]))
    return Trajectory(open_predictions(store, "train"), 0)


@given(
    n_classes=st.integers(2, 1000),
    sharpness=st.floats(0, 60),
    seed=st.integers(0, 1000),
)
@settings(deadline=None, max_examples=60)
def test_half_precision_moves_no_model_farther_than_stated(
    tmp_path_factory, n_classes, sharpness, seed
):
    logits = sharpness * np.random.default_rng(seed).normal(size=(1, 3, n_classes))
    P = np.exp(logits - logits.max(axis=-1, keepdims=True))
    P = (P / P.sum(axis=-1, keepdims=True)).astype(np.float32)
    read = stored(tmp_path_factory, P, "sqrt_float16")[:]
    assert read.dtype == np.float32
    np.testing.assert_allclose(read.sum(axis=-1), 1, rtol=1e-6)
    P, read = P.astype(np.float64), read.astype(np.float64)
    for k in range(3):  # a sample at a time: the bound holds for each
        assert bhattacharyya_distance(P[0, k : k + 1], read[0, k : k + 1]) < HALF


def test_distances_of_half_precision_are_those_of_single(tmp_path_factory, random_models):
    P = random_models(0, 40, 30, 10).astype(np.float32)
    exact = pairwise_distance(P)
    rounded = pairwise_distance(stored(tmp_path_factory, P, "sqrt_float16")[:])
    assert 0 < abs(rounded - exact).max() < 2e-4 * exact.max()


@pytest.mark.parametrize("form", ["float32", "sqrt_float16"])
def test_slices_are_those_of_the_whole(tmp_path_factory, random_models, form):
    P = random_models(1, 5, 7, 4).astype(np.float32)
    training = stored(tmp_path_factory, P, form)
    whole = np.asarray(training)
    assert len(training) == 5 and training.shape == P.shape and training.dtype == np.float32
    np.testing.assert_allclose(whole, P, rtol=0 if form == "float32" else 2e-3)
    for key in (
        2,
        slice(1, 3),
        (2, slice(3, 6)),
        (slice(0, 4, 2), 5),
        (1, 2, slice(1, 3)),
        (1, 2, 3),
    ):
        np.testing.assert_array_equal(training[key], whole[key])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(training))[3], whole[3])


def test_models_of_a_study_may_be_stored_in_either_form(tmp_path, random_models):
    labels = {split: np.arange(6) % 3 for split in SPLITS}
    P = random_models(2, 4, 6, 3).astype(np.float32)
    paths = []
    for form in ("float32", "sqrt_float16"):

        def build(partial, form=form):
            create_predictions(
                partial, seeds=[0], steps=range(4), steps_per_epoch=2, labels=labels, index=labels,
                n_classes=3, form=form, attributes={
                    "configuration": json.dumps({"network_name": form, "optimiser_name": "Opt"}),
                    "configuration_id": form, "data_sha256": "ab",
                },
            )  # fmt: skip
            for split in SPLITS:
                path = partial / predictions_variable(split, form)
                zarr.open_array(path, mode="r+")[0] = as_stored(P, form)

        paths.append(tmp_path / f"{form}.zarr")
        publish(paths[-1], build)
    models = Models(paths)
    single, half = models.trajectories("test")
    np.testing.assert_array_equal(single[:], P)
    np.testing.assert_allclose(half[:], P, rtol=2e-3)
    assert len(set(models.digests("test"))) == 2
    chunks = [chunk_of(path / predictions_variable("test", path.stem), 0) for path in paths]
    single, half = (chunk.stat().st_size for chunk in chunks)
    assert half < 0.6 * single

    # A chunk that is damaged or missing is named, and with it the store.
    content = bytearray(chunks[1].read_bytes())
    content[7] ^= 1
    chunks[1].write_bytes(content)
    with pytest.raises(StoreError, match=r"sqrt_float16.zarr/test_sqrt_predictions: damaged"):
        list(models.trajectories("test"))[1][:]
    chunks[1].unlink()
    with pytest.raises(StoreError, match=r"sqrt_float16.zarr: damaged in .*c/0/0/0/0 \(missing\)"):
        Models(paths)
