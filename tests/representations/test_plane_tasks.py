"""Tasks in the plane, and stacked trainings: they equal plain ones by torch's own optimiser."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from hyperribbon.errors import DataError
from hyperribbon.representations.plane_tasks import sinusoid, train_stacked, xor

TASK = sinusoid(30)
SETTINGS = {"learning_rate": 0.05, "moments": [0, 4]}


def weights(network):
    return torch.cat([p.detach().ravel() for p in network.parameters()]).numpy()


@pytest.mark.parametrize("parametrisation", ["standard", "ntk"])
def test_a_stacked_training_is_that_of_each_network_by_torch(parametrisation):
    """In the NTK's parametrisation, of weights that the network scales by n^(-1/2)."""
    decays = [0.0, 0.1]
    first, last = train_stacked(
        TASK.x, TASK.labels, [7, 5], "tanh", [3, 4], weight_decay=decays,
        parametrisation=parametrisation, **SETTINGS,
    )  # fmt: skip
    x, labels = torch.from_numpy(TASK.x), torch.from_numpy(TASK.labels)
    for k, decay in enumerate(decays):
        layers = [m for m in first.networks[k].modules() if isinstance(m, torch.nn.Linear)]
        scales = [
            layer.in_features**-0.5 if parametrisation == "ntk" and j else 1.0
            for j, layer in enumerate(layers)
        ]
        W = [(m.weight.detach() / s).requires_grad_() for m, s in zip(layers, scales, strict=True)]
        b = [m.bias.detach().clone().requires_grad_() for m in layers]
        optimiser = torch.optim.SGD([*W, *b], lr=0.05, momentum=0.9, weight_decay=decay)
        for _ in range(4):
            h = x
            for j, scale in enumerate(scales):
                h = scale * h @ W[j].T + b[j]
                h = torch.tanh(h) if j < 2 else h
            optimiser.zero_grad()
            cross_entropy(h, labels).backward()
            optimiser.step()
        pairs = zip(W, scales, b, strict=True)
        expected = torch.cat([t.detach().ravel() for w, s, c in pairs for t in (s * w, c)])
        np.testing.assert_allclose(weights(last.networks[k]), expected, rtol=1e-4, atol=1e-5)


def test_each_network_has_its_own_labels_and_its_loss_is_said():
    labels = np.stack([TASK.labels, TASK.random_labels(0)])
    *_, last = train_stacked(TASK.x, labels, [6], "sigmoid", [0, 0], **SETTINGS)
    x = torch.from_numpy(TASK.x)
    for k, network in enumerate(last.networks):
        logits, wanted = network(x), torch.from_numpy(labels[k])
        assert last.loss[k] == pytest.approx(cross_entropy(logits, wanted).item(), rel=1e-5)
        assert last.accuracy[k] == (logits.argmax(dim=1) == wanted).double().mean().item()
    assert not np.allclose(weights(last.networks[0]), weights(last.networks[1]))


def test_initial_weights_are_standard_normal_and_scaled_by_the_units_before():
    (first,) = train_stacked(
        TASK.x, TASK.labels, [400, 300], "relu", [1], learning_rate=1.0, moments=[0]
    )
    layers = [m for m in first.networks[0].modules() if isinstance(m, torch.nn.Linear)]
    assert [m.weight.std().item() * n**0.5 for m, n in zip(layers, [1, 400, 300], strict=True)] == (
        pytest.approx([1, 1, 1], abs=0.1)
    )
    assert layers[1].bias.std().item() == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("task", [xor(), TASK])
def test_labels_are_those_of_the_truth_and_random_ones_as_many_of_each(task):
    np.testing.assert_array_equal(task.labels, task.labels_of(task.x))
    assert np.abs(task.x).max() <= task.extent
    random = task.random_labels(5)
    assert random.sum() == task.labels.sum()
    np.testing.assert_array_equal(random, task.random_labels(5))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": [0, 1]}, r"labels: shape \(2,\), expected \(30,\) or \(1, 30\)"),
        ({"moments": [3, 2]}, "moments: .* in increasing order"),
        ({"moments": []}, "moments: .* in increasing order"),
        ({"learning_rate": 1e30, "moments": [5]}, "diverged before epoch 5"),
    ],
)
def test_what_is_impossible_is_one_line(changes, message):
    settings = {"labels": TASK.labels, **SETTINGS, **changes}
    with pytest.raises(DataError, match=message):
        list(train_stacked(TASK.x, settings.pop("labels"), [3], "relu", [0], **settings))
