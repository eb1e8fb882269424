"""Recorders of features: what a network never saw is imprinted at every checkpoint."""

import random

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn

import hyperribbon as hr
from hyperribbon.tasks import imprint, imprinted_predictions

N, C = 12, 4  # the network has three outputs
LABELS = np.arange(N) % C


class Network(nn.Module):
    """What training and evaluation do differently, and a head that must not matter."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Unflatten(1, (2, 3)), nn.Tanh(), nn.Dropout(0.5)
        )
        self.head = nn.Linear(6, 3)
        self.unused = nn.Linear(3, 3)
        self.pair = nn.LSTM(6, 2)

    def forward(self, x):
        x = self.body(x)
        self.pair(x.flatten(1))
        return self.head(x.flatten(1))


@pytest.fixture
def record(tmp_path, inputs):
    """Function opening a Recorder of features; keywords change it."""

    def make(**changed):
        given = {"inputs": inputs, "labels": LABELS, "network": "Net", "features": "body"}
        return hr.Recorder(tmp_path / "net.zarr", **{**given, **changed})

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.zarr"


def expected_of(x, y, new):
    return imprinted_predictions(new, imprint(x, y, C))


@pytest.mark.parametrize("batch_size", [5, 100])
def test_a_layer_is_imprinted_at_every_checkpoint(record, path, inputs, batch_size):
    network, expected = Network(), []
    optimiser = torch.optim.SGD(network.parameters(), lr=1)
    new = {"test_inputs": inputs[:5].flip(1), "test_labels": LABELS[:5]}
    with record(**new, batch_size=batch_size) as rec:
        for step in range(3):
            rec.checkpoint(network, step=step)
            with torch.no_grad():
                x, y = (network.eval().body(z).flatten(1) for z in (inputs, inputs[:5].flip(1)))
                expected.append([expected_of(x, LABELS, z).numpy() for z in (x, y)])
            optimiser.zero_grad()
            network.train()(inputs).logsumexp(1).sum().backward()
            optimiser.step()
    store = xr.open_zarr(path)
    for k, splits in enumerate(expected):
        for split, P in zip(("train", "test"), splits, strict=True):
            found = store[f"{split}_predictions"][0, k].values
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, P, atol=1e-6)
    errors = (store["train_predictions"][0].values.argmax(2) != LABELS).mean(axis=1)
    np.testing.assert_allclose(store["train_error"][0], errors)
    assert '"imprinted_features": "body"' in store.attrs["configuration"]


def test_the_training_goes_on_as_if_nothing_had_happened(record):
    def numbers():
        return random.random(), np.random.random(), torch.rand(1).item()

    network = Network()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    expected = numbers()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    with record() as rec:
        rec.checkpoint(network, step=0)
    assert numbers() == expected
    assert network.training and network.body[4].training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert network(torch.zeros(2, 4)).shape == (2, 3)


def test_a_function_of_the_model_gives_features_too(record, path, tmp_path, inputs):
    network = Network()

    def embed(model, x):
        assert not model.training
        return model.body(x)

    for name, features in (("layer", "body"), ("function", embed)):
        with record(features=features) as rec:
            rec.checkpoint(network, step=0)
        path.rename(tmp_path / f"{name}.zarr")
        path.with_suffix(".json").unlink()
    stores = [xr.open_zarr(tmp_path / f"{name}.zarr") for name in ("layer", "function")]
    np.testing.assert_array_equal(*(store["train_predictions"] for store in stores))
    # So that one is not taken for another seed of the other.
    assert len({store.attrs["configuration_id"] for store in stores}) == 2


def test_a_model_that_is_no_module_gives_features_by_a_function(record, path, inputs):
    x = inputs.numpy().astype(np.float64)
    with record(inputs=x, features=lambda model, batch: model(batch)) as rec:
        rec.checkpoint(lambda batch: batch**2, step=0)
    found = xr.open_zarr(path)["train_predictions"][0, 0]
    np.testing.assert_allclose(found, expected_of(x**2, LABELS, x**2), atol=1e-6)


def test_named_inputs_half_precision_and_the_whole_network(record, path, inputs):
    class Named(nn.Module):
        def forward(self, values, mask):
            return (values * mask).to(torch.bfloat16)

    with record(inputs={"values": inputs, "mask": torch.ones(N, 1)}, features="") as rec:
        rec.checkpoint(Named(), step=0)
    x = inputs.to(torch.bfloat16).float()
    found = xr.open_zarr(path)["train_predictions"][0, 0]
    np.testing.assert_allclose(found, expected_of(x, LABELS, x), atol=1e-5)


def test_wrapped_networks_have_the_layers_inside(record, path):
    network = Network()
    with record() as rec:
        rec.checkpoint(nn.DataParallel(network), step=0)
        rec.checkpoint(torch.compile(network), step=1)
    P = xr.open_zarr(path)["train_predictions"][0]
    np.testing.assert_array_equal(P[0], P[1])


def test_another_layer_is_another_recording(record):
    network = Network()
    with record() as rec:
        rec.checkpoint(network, step=0)
    with pytest.raises(hr.StoreError, match="recorded with metadata.imprinted_features = .body."):
        record(features="body.0").__enter__()
    with pytest.raises(hr.StoreError, match="recorded with metadata.imprinted_features = .body."):
        record(features=None, n_classes=C).__enter__()


class Dead(nn.Module):
    def __init__(self, change):
        super().__init__()
        self.layer, self.change = nn.Identity(), change

    def forward(self, x):
        return self.layer(self.change(x))


calls = []
BAD = {
    "layer boby: the network has none of that name; it has body, body.0, body.1": ("boby", Network),
    "layer unused: the network does not call it": ("unused", Network),
    "train: layer pair: returns tuple, expected one row for each input": ("pair", Network),
    "train: layer layer: returns (24, 2), expected one row for each input": (
        "layer",
        lambda: Dead(lambda x: x.reshape(-1, 2)),
    ),
    "features = 'body', and the model, of type function, has no layers; expected a torch module": (
        "body",
        lambda: lambda x: x,
    ),
    "train features: 4 classes (0, 1, 2, 3): features that sum to zero, expected a direction": (
        "layer",
        lambda: Dead(lambda x: x * 0),
    ),
    "train outputs: two calls with the same samples give probabilities up to": (
        "layer",
        lambda: Dead(lambda x: x + torch.randn(4)),
    ),
    "train features: None, expected an array": (lambda model, x: None, Network),
    "train features: shape (12,), expected (12, features)": (lambda model, x: x[:, 0], Network),
    "train features: shape (11, 4), expected (12, features)": (lambda model, x: x[1:], Network),
}


@pytest.mark.parametrize("message", BAD)
def test_features_that_cannot_be_imprinted_are_one_line(record, message, listing, tmp_path):
    features, make = BAD[message]
    model = make()
    with pytest.raises(hr.DataError) as error, record(features=features) as rec:
        rec.checkpoint(model, step=7)
    separator = ", " if message.startswith("train") else ": "
    assert str(error.value).startswith(f"step 7{separator}{message}")
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == []
    if isinstance(model, nn.Module):
        assert not any(module._forward_hooks for module in model.modules())


def test_features_that_are_not_finite_are_the_end_of_a_training(record, inputs, path):
    with record(features="layer", test_inputs=inputs, test_labels=LABELS) as rec:
        rec.checkpoint(Dead(lambda x: x), step=0)
        rec.checkpoint(Dead(lambda x: x.where(x != x[1], torch.inf)), step=1)
    store = xr.open_zarr(path)
    assert store["diverged_step"].values.tolist() == [1]
    assert np.isfinite(store["test_predictions"][0, 0]).all()
    new = inputs.clone()
    new[3] = torch.nan
    message = "^step 2: test inputs: sample 3 has numbers that are NaN or infinite"
    with (
        pytest.raises(hr.DataError, match=message),
        hr.Recorder(
            path.with_name("new"), inputs, LABELS, network="Net", features="", test_inputs=new,
            test_labels=LABELS,
        ) as rec,
    ):  # fmt: skip
        rec.checkpoint(nn.Identity(), step=2)


def test_samples_that_do_not_count_are_not_imprinted(record, inputs, path):
    left = np.where(np.arange(N) == 5, -100, LABELS)
    with record(labels=left, features="", batch_size=5) as rec:
        rec.checkpoint(nn.Identity(), step=0)
    x, y = np.delete(inputs.numpy(), 5, 0), np.delete(LABELS, 5)
    found = xr.open_zarr(path)["train_predictions"][0, 0]
    np.testing.assert_allclose(found, expected_of(x, y, x), atol=1e-6)
    with pytest.raises(hr.DataError, match="labels: one per token; expected one per sample"):
        record(labels=np.tile(LABELS, (2, 1)).T, features="")


MALFORMED = {
    "outputs, features: both given": {"outputs": "logits"},
    "features = 3: expected the name of a layer": {"features": 3},
    "train labels: class 3: no samples, expected one or more": {"labels": np.arange(N) % 3}
    | {
        "test_inputs": torch.zeros(2, 4),
        "test_labels": [0, 3],
    },
    "train labels: class 4: no samples, expected one or more": {"n_classes": 5},
    "train labels: from 0 to 3, expected 0 to 2": {"n_classes": 3},
    "n_classes = 0: expected an integer, 4 ": {"n_classes": 0},
    "metadata: expected what JSON can hold": {"metadata": [1]},
}


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_arguments_are_refused_at_once(record, message, listing, tmp_path):
    with pytest.raises(hr.HyperribbonError) as error:
        record(**MALFORMED[message])
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == []
