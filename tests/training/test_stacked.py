"""Stacked networks against ordinary ones: what they compute, how they are trained."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from hyperribbon.config import AdamConfig, AdamPConfig, AdamWConfig, SGDConfig
from hyperribbon.errors import HyperribbonError
from hyperribbon.networks import build_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.training.loop import calibrate_batchnorm, predict, train
from hyperribbon.training.methods.method import shuffled_epochs
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.samples import Resident
from hyperribbon.training.schedule import checkpoint_steps
from hyperribbon.training.stacked import StackedFullyConnected, add_corner, predict_stacked
from hyperribbon.training.stacked_loop import train_stacked
from hyperribbon.training.state import seed_all

N, D, C = 66, 20, 3
SEEDS = (3, 0, 7)
EPOCHS, BATCH = 4, 21  # three samples of each epoch are left out
SGD = SGDConfig(algorithm="sgd", learning_rate=0.1)
VARIANTS = [
    {"widths": [12]},
    {"widths": [24, 20]},
    {"widths": [12], "batchnorm": False},
    {"widths": [24, 9], "activation": "tanh", "bias": False},
]


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(N) % C
    return torch.randn(N, D, generator=generator) + labels[:, None], labels


def ordinary(seed, outputs=C, **parameters):
    seed_all(seed)
    return build_network("fully_connected", (D,), outputs, **(parameters or {"widths": [12]}))


def stacked(outputs=C, seeds=SEEDS, **parameters):
    parameters = parameters or {"widths": [12]}
    return StackedFullyConnected.from_seeds(seeds, (D,), outputs, **parameters)


class Alone:
    """How one network learns: in the batches of its seed, by a loss of (outputs, labels)."""

    def __init__(self, seed, loss):
        self.seed, self.of_outputs = seed, loss

    def epochs(self, number):
        return shuffled_epochs(np.arange(N), BATCH, self.seed, number)

    def loss(self, network, images, labels, step):
        return self.of_outputs(network(images), labels)


def train_alone(network, config, x, labels, seed, record=lambda *_: None, loss=cross_entropy):
    few = torch.from_numpy(evenly(N, 8 * BATCH))
    calibrate_batchnorm(network, Resident(x).batches(few.split(BATCH)))
    train(
        network,
        *build_optimiser(network, config, EPOCHS * (N // BATCH)),
        Resident(x),
        labels,
        Alone(seed, loss),
        epochs=EPOCHS,
        checkpoints=checkpoint_steps(EPOCHS, N // BATCH),
        record=record,
    )


def train_all(stack, config, x, labels, **options):
    options = {"seeds": SEEDS, "epochs": EPOCHS, "batch_size": BATCH, **options}
    return train_stacked(stack, config, x, labels, **options)


def assert_same_state(found, expected, **tolerance):
    assert list(found) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, msg=name, **tolerance)


@pytest.mark.parametrize("parameters", VARIANTS)
def test_a_stack_is_its_networks(data, parameters):
    networks = [ordinary(seed, **parameters) for seed in SEEDS]
    stack = stacked(**parameters)
    x = data[0]
    for mode in (True, False):  # the first changes the statistics that the second uses
        stack.train(mode)
        own = torch.stack([x, x.flip(0), 2 * x])
        for given in (x, own):
            found = stack(given)
            for k, network in enumerate(networks):
                expected = network.train(mode)(given if given.ndim == 2 else given[k]).T
                torch.testing.assert_close(found[k], expected, rtol=1e-5, atol=1e-5)
    for found, network in zip(stack.state_dicts(), networks, strict=True):
        assert_same_state(found, network.state_dict(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parameters", VARIANTS)
def test_states_go_in_and_out_unchanged(data, parameters):
    networks = [ordinary(seed, **parameters) for seed in SEEDS]
    for network in networks:
        network(data[0])
    stack = StackedFullyConnected(networks)
    for state, network in zip(stack.state_dicts(), networks, strict=True):
        assert_same_state(state, network.state_dict(), rtol=0, atol=0)
        other = ordinary(99, **parameters)
        other.load_state_dict(state)
        assert_same_state(other.state_dict(), network.state_dict(), rtol=0, atol=0)
    stack.state_dicts()[0]["classifier.weight"].zero_()  # a copy
    assert stack.state_dicts()[0]["classifier.weight"].any()


def test_building_from_seeds_leaves_the_global_state(data):
    seed_all(5)
    expected = torch.rand(3), np.random.rand()
    seed_all(5)
    stacked()
    assert torch.equal(torch.rand(3), expected[0])
    assert np.random.rand() == expected[1]


def test_predictions_are_those_of_the_networks(data):
    x = data[0].repeat(20, 1)  # more than one batch of the evaluation
    stack = stacked(widths=[12, 9]).train()
    found, logits = predict_stacked(stack, x), predict_stacked(stack, x, logits=True)
    assert found.shape == logits.shape == (3, len(x), C)
    assert found.dtype == logits.dtype == torch.float32
    for k, seed in enumerate(SEEDS):
        expected = predict(ordinary(seed, widths=[12, 9]), Resident(x))
        torch.testing.assert_close(logits[k], expected, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(found[k], expected.softmax(1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "config",
    [
        SGD,
        SGDConfig(
            algorithm="sgd", learning_rate=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3
        ),
        AdamConfig(algorithm="adam", learning_rate=0.01, weight_decay=1e-3),
        AdamWConfig(algorithm="adamw", learning_rate=0.01, schedule="linear"),
    ],
    ids=["sgd", "nesterov", "adam", "adamw"],
)
@pytest.mark.parametrize("parameters", [VARIANTS[1], VARIANTS[3]], ids=["relu", "tanh"])
def test_trainings_are_those_of_the_loop(data, config, parameters):
    recorded = []

    def record(step, stack):
        recorded.append((step, predict_stacked(stack, data[0], logits=True)))

    stack = stacked(**parameters)
    assert train_all(stack, config, *data, record=record).tolist() == [-1, -1, -1]
    for k, seed in enumerate(SEEDS):
        network, alone = ordinary(seed, **parameters), []

        def record_alone(step, _, network=network, alone=alone):
            alone.append((step, predict(network, Resident(data[0]))))

        train_alone(network, config, *data, seed, record_alone)
        assert [step for step, _ in recorded] == [step for step, _ in alone]
        for (_, found), (_, expected) in zip(recorded, alone, strict=True):
            torch.testing.assert_close(found[k], expected, rtol=1e-4, atol=1e-4)
        assert_same_state(stack.state_dicts()[k], network.state_dict(), rtol=1e-4, atol=1e-4)


def test_in_float64_they_are_the_same_to_rounding(data):
    """Which tells rounding, that small batches and kinks amplify, from another computation."""
    x, labels = data[0].double(), data[1]
    stack = stacked(widths=[12, 9]).double()
    train_all(stack, SGD, x, labels)
    for k, seed in enumerate(SEEDS):
        network = ordinary(seed, widths=[12, 9]).double()
        train_alone(network, SGD, x, labels, seed)
        assert_same_state(stack.state_dicts()[k], network.state_dict(), rtol=1e-10, atol=1e-10)


def test_checkpoints_and_calibration_are_as_asked(data):
    seen = []
    stack = stacked()
    before = stack.state_dicts()[0]
    record = lambda step, stack: seen.append((step, stack.state_dicts()[0]))  # noqa: E731
    train_all(stack, SGD, *data, checkpoints=[0, 2, 11], record=record, calibrate=False)
    assert [step for step, _ in seen] == [0, 2, 11]
    assert_same_state(seen[0][1], before, rtol=0, atol=0)


def test_each_network_has_its_own_labels(data):
    x = data[0]
    labels = torch.stack([data[1], data[1].flip(0), (data[1] + 1) % C])
    stack = stacked()
    train_all(stack, SGD, x, labels)
    for k, seed in enumerate(SEEDS):
        network = ordinary(seed)
        train_alone(network, SGD, x, labels[k], seed)
        assert_same_state(stack.state_dicts()[k], network.state_dict(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("own", [False, True])
def test_real_targets_are_regressed(data, own):
    x = data[0]
    targets = torch.stack([x[:, 0].sin(), x[:, 1], -x[:, 2]])
    stack = stacked(outputs=1)
    train_all(stack, SGD, x, targets if own else targets[0])
    for k, seed in enumerate(SEEDS):
        network = ordinary(seed, outputs=1)
        train_alone(
            network,
            SGD,
            x,
            targets[k if own else 0],
            seed,
            loss=lambda outputs, y: mse_loss(outputs.squeeze(1), y),
        )
        assert_same_state(stack.state_dicts()[k], network.state_dict(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("checkpoints", [[], range(13)])
@pytest.mark.parametrize("config", [SGD, AdamConfig(algorithm="adam", learning_rate=0.01)])
def test_what_diverges_leaves_the_others_bit_equal(data, config, checkpoints):
    targets = torch.stack([data[0][:, k] for k in range(3)])
    spoilt = targets.clone()
    order = torch.randperm(N, generator=torch.Generator().manual_seed(SEEDS[1]))
    spoilt[1, order[2 * BATCH]] = torch.inf  # in the third batch of the first epoch
    stacks = []
    for labels, steps in ((targets, [-1, -1, -1]), (spoilt, [-1, 3, -1])):
        stacks.append(stacked(outputs=1))
        found = train_all(stacks[-1], config, data[0], labels, checkpoints=checkpoints)
        assert found.tolist() == steps
    whole, other = (stack.state_dicts() for stack in stacks)
    for k in (0, 2):
        assert_same_state(other[k], whole[k], rtol=0, atol=0)
    assert other[1]["classifier.weight"].isnan().all()


def test_weights_that_are_not_finite_leave_the_others_bit_equal(data):
    networks = [ordinary(seed, widths=[12, 9]) for seed in SEEDS]
    whole = StackedFullyConnected(networks)
    with torch.no_grad():
        networks[0].features[1].weight.fill_(torch.nan)
    spoilt = StackedFullyConnected(networks)
    assert train_all(whole, SGD, *data).tolist() == [-1, -1, -1]
    assert train_all(spoilt, SGD, *data).tolist() == [1, -1, -1]
    for k in (1, 2):
        assert_same_state(spoilt.state_dicts()[k], whole.state_dicts()[k], rtol=0, atol=0)


@pytest.mark.parametrize("threads", [1, 2])
def test_two_runs_are_bit_equal(data, threads):
    torch.set_num_threads(threads)
    try:
        stacks = [stacked(widths=[64, 64]) for _ in range(2)]
        for stack in stacks:
            train_all(stack, SGD, *data)
    finally:
        torch.set_num_threads(1)
    for first, second in zip(*(stack.state_dicts() for stack in stacks), strict=True):
        assert_same_state(first, second, rtol=0, atol=0)


@pytest.mark.parametrize("corner", range(3))
def test_at_a_corner_the_largest_probability_is_near_1(corner):
    x = torch.randn(400, 200, generator=torch.Generator().manual_seed(0))
    networks = []
    for seed in (0, 1):
        seed_all(seed)
        networks.append(build_network("fully_connected", (200,), 5, widths=[512]))
    stack = StackedFullyConnected(networks)
    calibrate_batchnorm(stack, x.split(100))
    assert predict_stacked(stack, x).amax(dim=2).mean() < 0.5  # ignorance is 0.2
    for network in networks:
        add_corner(network, corner)
    stack = StackedFullyConnected(networks)
    calibrate_batchnorm(stack, x.split(100))
    P = predict_stacked(stack, x)
    assert (P.amax(dim=2).mean(dim=1) > 0.9).all()
    # Those of one corner are together.
    first, second = P.argmax(dim=2)
    assert (first == second).float().mean() > 0.9


def test_corners_differ_and_add_unit_normal_weights():
    networks = [ordinary(0, widths=[400]) for _ in range(3)]
    for network, corner in zip(networks[1:], (0, 1), strict=True):
        add_corner(network, corner)
    initial, *moved = (network.features[1] for network in networks)
    drawn = [(layer.weight - initial.weight).detach() for layer in moved]
    for k, layer in enumerate(moved):
        assert drawn[k].std() == pytest.approx(1, abs=0.05)
        assert drawn[k].mean() == pytest.approx(0, abs=0.06)
        assert (layer.bias - initial.bias).detach().std() == pytest.approx(1, abs=0.15)
    assert (drawn[0] - drawn[1]).abs().mean() > 0.5


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"config": AdamPConfig(algorithm="adamp", learning_rate=0.1)}, 'algorithm = "adamp": its'),
        ({"seeds": [0]}, "1 seeds, expected one per network, 3"),
        ({"labels": torch.zeros(2, N).long()}, "labels of shape (2, 66), expected (66,) or (3, 66"),
        ({"batch_size": 67}, "batch_size = 67, expected 2 to 66"),
        ({"batch_size": 1}, "batch_size = 1, expected 2 to 66"),
        ({"labels": torch.zeros(N)}, "real-valued targets and 3 outputs, expected 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(data, options, line):
    given = {"config": SGD, "x": data[0], "labels": data[1], **options}
    with pytest.raises(HyperribbonError) as error:
        train_all(stacked(), **given)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("networks", "line"),
    [
        ([], "a stack of no networks"),
        ([ordinary(0), nn.Linear(2, 2)], "network 1 of a stack: Linear, expected FullyConnected"),
        ([ordinary(0), ordinary(0, widths=[13])], "network 1 of a stack: other layers"),
    ],
)
def test_what_cannot_be_stacked_is_refused(networks, line):
    with pytest.raises(HyperribbonError, match=line):
        StackedFullyConnected(networks)
