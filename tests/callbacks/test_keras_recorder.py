import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

import hyperribbon as hr  # noqa: E402
from hyperribbon.callbacks import KerasRecorder  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def network(last="softmax", rate=0.1):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dropout(0.2), keras.layers.Dense(3, activation=last)]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
    model.compile(keras.optimizers.SGD(rate), loss)
    return model


def fit(model, data, callback, **options):
    x, y = data
    more = options.pop("callbacks", [])
    return model.fit(x, y, batch_size=6, verbose=0, callbacks=[*more, callback],
                     **{"epochs": 2, **options})  # fmt: skip


@pytest.mark.parametrize("last", ["softmax", None])
def test_a_training_is_recorded_from_the_start_to_the_end(tmp_path, data, read, last):
    model, x = network(last), data[0]
    start = keras.ops.convert_to_numpy(model(x, training=False))
    outputs = "probabilities" if last else "logits"
    fit(
        model, data, KerasRecorder(tmp_path / "net", *data, network="Net", every=3, outputs=outputs)
    )
    store = read()
    assert store["step"].values.tolist() == [0, 3, 6, 8]
    end = keras.ops.convert_to_numpy(model(x, training=False))
    for P, found in ((start, 0), (end, -1)):
        P = P if last else np.exp(P) / np.exp(P).sum(1, keepdims=True)
        np.testing.assert_allclose(store["train_predictions"][0, found], P, atol=1e-6)


class Stop(keras.callbacks.Callback):
    """Stops after some epochs, and then restores other weights."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == 2

    def on_train_end(self, logs=None):
        for weight in self.model.weights:
            weight.assign(weight * 0)


@pytest.mark.parametrize(("every", "expected"), [(None, [0, 4, 8, 12]), (5, [0, 5, 10, 12])])
def test_a_training_that_is_stopped_and_has_its_weights_restored(
    tmp_path, data, read, every, expected
):
    recorder = KerasRecorder(
        tmp_path / "net", *data, network="Net", outputs="probabilities", every=every
    )
    fit(network(), data, recorder, epochs=20, callbacks=[Stop()])
    store = read()
    assert store["step"].values.tolist() == expected
    assert np.abs(store["train_predictions"][0, -1] - 1 / 3).max() > 0.1


def test_probabilities_are_not_taken_for_logits(tmp_path, data):
    recorder = KerasRecorder(tmp_path / "net", *data, network="Net")
    with pytest.raises(hr.DataError, match='"logits" that are nonnegative .* every row sums to 1'):
        fit(network(), data, recorder)


def test_a_divergence_is_published(tmp_path, data, read):
    recorder = KerasRecorder(tmp_path / "net", *data, network="Net", every=1)
    fit(network(None, rate=1e38), data, recorder)
    store = read()
    assert store["diverged_step"].values.item() == store["step"].values[-1] > 0


JAX = """
import sys
sys.path.insert(0, sys.argv[1])
import xarray as xr
from test_keras_recorder import *

assert keras.backend.backend() == "jax"
rng = np.random.default_rng(0)
data = rng.normal(size=(24, 4)).astype(np.float32), np.arange(24) % 3
model = network()
expected = []

class Own(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        expected.append(np.asarray(model(data[0], training=False)))

recorder = KerasRecorder("net", *data, network="Net", every=1, outputs="probabilities")
fit(model, data, recorder, callbacks=[Own()])
store = xr.open_zarr("net.zarr")
assert store["step"].values.tolist() == list(range(9))
np.testing.assert_allclose(store["train_predictions"][0, [4, 8]], expected, atol=1e-6)
apart = np.abs(np.diff(store["train_predictions"][0].values, axis=0)).max(axis=(1, 2))
assert (apart > 1e-5).all()
"""


def test_another_backend_whose_weights_are_elsewhere(tmp_path):
    pytest.importorskip("jax")
    command = [sys.executable, "-c", JAX, os.path.dirname(__file__)]  # noqa: PTH120
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    found = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
