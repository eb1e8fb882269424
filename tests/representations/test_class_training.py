"""Stacked training: each network as it would train alone, and the oracle's history exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.errors import DataError, HyperribbonError
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.representations import class_training
from hyperribbon.representations.class_manifolds import class_manifolds
from hyperribbon.representations.class_training import (
    classification_errors,
    endless_batches,
    tanh_stack,
    train_manifolds,
)
from hyperribbon.representations.followed_training import train_followed

DATA = Path(__file__).parents[1] / "data"
RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(60, 5)))
LABELS = (X[:, 0] * X[:, 1] > 0).long().numpy() + (X[:, 2] > 0.7).long().numpy()


def double_stack(seeds, widths, n_classes=3):
    return tanh_stack(seeds, 5, n_classes, widths).double()


def alone(network, x, labels, w, steps, algorithm, learning_rate, batch_size):
    """A tutorial's loop of one network; hidden representations and logits before each step."""
    network.double()
    kind = torch.optim.Adam if algorithm == "adam" else torch.optim.SGD
    optimiser = kind(network.parameters(), lr=learning_rate)
    batches = endless_batches(len(x), batch_size, 0) if batch_size else None
    y, found = torch.from_numpy(labels), []
    for _ in range(steps + 1):
        hidden, h = [], x
        for module in network.features:
            h = module(h)
            if isinstance(module, nn.Tanh):
                hidden.append(h.detach().numpy())
        found.append((hidden, network.classifier(h).detach()))
        rows = next(batches) if batches else slice(None)
        losses = nn.functional.cross_entropy(network(x[rows]), y[rows], reduction="none")
        optimiser.zero_grad()
        ((losses * w[rows]).sum() / w[rows].sum()).backward()
        optimiser.step()
    return found


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "batch_size", "widths"),
    [("sgd", None, (4,)), ("sgd", 12, (4,)), ("adam", None, (4, 3))],
)
def test_each_trains_as_alone(algorithm, batch_size, widths, weighted, monkeypatch):
    monkeypatch.setattr(class_training, "BLOCK", 25)  # not a part of the samples
    stack = double_stack([3, 4], widths)
    networks = [FullyConnected((5,), 3, widths, "tanh", batchnorm=False) for _ in range(2)]
    for network, state in zip(networks, stack.state_dicts(), strict=True):
        network.load_state_dict(state)
        network.double().load_state_dict(state)
    weights = np.ones((2, 60))
    if weighted:
        weights[0, ::7] = 0
        weights[1] = RNG.uniform(0.5, 2, 60)
    found = train_manifolds(
        stack, X, LABELS, steps=8, learning_rate=0.1, algorithm=algorithm, batch_size=batch_size,
        weights=weights if weighted else None, record=10,
    )  # fmt: skip
    wrong = found.wrong(60)
    for s, network in enumerate(networks):
        w = torch.from_numpy(weights[s])
        records = alone(network, X, LABELS, w, 8, algorithm, 0.1, batch_size)
        for t, (hidden, logits) in enumerate(records):
            of_loss = nn.functional.cross_entropy(
                logits, torch.from_numpy(LABELS), reduction="none"
            )
            np.testing.assert_allclose(
                found.losses[s, t], np.average(of_loss, weights=w), rtol=1e-9
            )
            expected = logits.argmax(dim=1).numpy() != LABELS
            np.testing.assert_array_equal(wrong[s, t], expected)
            assert found.errors[s, t] == pytest.approx(np.average(expected, weights=w))
            np.testing.assert_allclose(
                found.predictions[s, t], logits.softmax(dim=1)[:10], rtol=1e-5
            )
            if not weighted or s == 0:
                kept = weights[s] > 0
                for layer, h in enumerate(hidden):
                    radii, distances = class_manifolds(h[kept], LABELS[kept])
                    np.testing.assert_allclose(found.radii[s, t, layer], radii, rtol=1e-9)
                    np.testing.assert_allclose(found.distances[s, t, layer], distances, atol=1e-9)


def test_the_history_of_the_oracle_is_exact():
    o5 = np.load(DATA / "o5_slice.npz")
    stack = tanh_stack([0], 49, 2, [20]).double()
    parameters = (stack.weights[0], stack.biases[0], stack.weights[1], stack.biases[1])
    with torch.no_grad():
        for k, parameter in enumerate(parameters):
            parameter.copy_(torch.from_numpy(o5[f"init{k}"]).view(parameter.shape))
    x = torch.from_numpy(o5["X"].reshape(512, -1))
    found = train_manifolds(stack, x, o5["Y"], steps=300, learning_rate=0.1)
    # Its epoch 0 is after the first step.
    _, errors, _, radius_0, radius_1, distance = o5["history"].T
    np.testing.assert_array_equal(found.errors[0, 1:], errors)
    np.testing.assert_allclose(found.radii[0, 1:, 0], np.stack([radius_0, radius_1], 1), rtol=1e-9)
    np.testing.assert_allclose(found.distances[0, 1:, 0, 0, 1], distance, rtol=1e-9)
    np.testing.assert_array_equal(found.wrong(512)[0, 107], o5["stragglers"])


def test_records_are_as_often_as_asked_and_a_stack_continues():
    whole = train_manifolds(double_stack([0], [4]), X, LABELS, steps=6, learning_rate=0.1)
    stack = double_stack([0], [4])
    first = train_manifolds(stack, X, LABELS, steps=4, learning_rate=0.1, every=2)
    assert first.steps.tolist() == [0, 2, 4]
    np.testing.assert_allclose(first.radii, whole.radii[:, [0, 2, 4]], rtol=1e-12)
    second = train_manifolds(stack, X, LABELS, steps=2, learning_rate=0.1)
    np.testing.assert_allclose(second.losses, whole.losses[:, 4:], rtol=1e-12)
    errors = classification_errors(stack, X, LABELS)
    np.testing.assert_allclose(errors, second.errors[:, -1])


def test_following_one_network_records_the_same():
    stack = double_stack([5], [4])
    network = FullyConnected((5,), 3, [4], "tanh", batchnorm=False).double()
    network.load_state_dict(stack.state_dicts()[0])
    arguments = {"steps": 10, "learning_rate": 0.2, "batch_size": 16, "every": 5, "seed": 1}
    expected = train_manifolds(stack, X, LABELS, **arguments)
    found = train_followed(network, X, LABELS, ["features.2"], **arguments)
    for name in ("steps", "losses", "errors", "radii", "distances", "packed"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-9)
    with pytest.raises(HyperribbonError, match="layer 'conv': expected one of"):
        train_followed(network, X, LABELS, ["conv"], **arguments)


def test_a_representation_that_is_zero_counts_as_zero():
    network = nn.Sequential(nn.Linear(5, 2), nn.ReLU(), nn.Linear(2, 3)).double()
    arguments = {"steps": 1, "learning_rate": 0.1, "batch_size": 60}
    h = torch.relu(network[0](X)).detach()
    length = h.norm(dim=1, keepdim=True)
    assert (length == 0).any()
    found = train_followed(network, X, LABELS, ["1"], **arguments)
    unit = torch.nan_to_num(h / length).numpy()
    radii, distances = class_manifolds(unit, LABELS, normalise=False)
    np.testing.assert_allclose(found.radii[0, 0, 0], radii, rtol=1e-9)
    np.testing.assert_allclose(found.distances[0, 0, 0], distances, atol=1e-9)


WEIGHTS = np.ones((2, 60))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"x": X.float()}, HyperribbonError, "x: torch.float32 of shape (60, 5), expected"),
        ({"x": X[:, :4]}, HyperribbonError, "x: torch.float64 of shape (60, 4), expected"),
        ({"labels": LABELS % 2}, HyperribbonError, "labels: 2 classes, expected 3"),
        ({"labels": LABELS[:5]}, DataError, "labels: int64 of shape (5,)"),
        ({"algorithm": "lbfgs"}, HyperribbonError, "algorithm = 'lbfgs': expected sgd or adam"),
        ({"batch_size": 61}, HyperribbonError, "batch_size = 61: expected 1 to 60"),
        ({"steps": 0}, HyperribbonError, "steps = 0, every = 1: expected 1 <= every <= steps"),
        ({"every": 9}, HyperribbonError, "steps = 3, every = 9: expected"),
        ({"record": 61}, HyperribbonError, "record = 61: expected at most 60"),
        ({"weights": WEIGHTS[:1]}, HyperribbonError, "weights of shape (1, 60): expected (2, 60)"),
        ({"weights": -WEIGHTS}, HyperribbonError, "weights of shape (2, 60): expected (2, 60), n"),
        (
            {"weights": WEIGHTS * (LABELS != 1)},
            HyperribbonError,
            "weights: network 0 has no samples of class 1",
        ),
        ({"x": X * np.nan}, HyperribbonError, "network 0: the loss was not finite after 0"),
    ],
)
def test_what_cannot_train_is_refused_in_one_line(changes, error, message):
    arguments = {"x": X, "labels": LABELS, "steps": 3, "learning_rate": 0.1} | changes
    with pytest.raises(error) as refusal:
        train_manifolds(double_stack([0, 1], [4]), **arguments)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_other_networks_are_refused():
    stack = class_training.StackedFullyConnected.from_seeds([0], (5,), 3, widths=[4])
    with pytest.raises(HyperribbonError, match="expected tanh networks with biases and without"):
        train_manifolds(stack, X.float(), LABELS, steps=1, learning_rate=0.1)
