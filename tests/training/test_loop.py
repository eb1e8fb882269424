import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.config import SGDConfig, SupervisedConfig
from hyperribbon.networks import build_network
from hyperribbon.training.loop import (
    Diverged,
    calibrate_batchnorm,
    predict,
    shuffled_batches,
    train,
)
from hyperribbon.training.methods.method import Material
from hyperribbon.training.methods.supervised import Classification
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.samples import Resident

EPOCHS, BATCH = 4, 8
N = 35  # three samples of each epoch are left out


@pytest.fixture(scope="module")
def data():
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(N) % 3
    images = torch.randn(N, 1, 4, 4, generator=generator) + labels[:, None, None, None]
    return images, labels


def make(learning_rate, momentum=0.0, architecture="fully_connected"):
    torch.manual_seed(0)
    network = build_network(architecture, (1, 4, 4), 3, widths=[6])
    config = SGDConfig(algorithm="sgd", learning_rate=learning_rate, momentum=momentum)
    return network, *build_optimiser(network, config, EPOCHS * (N // BATCH))


def plain_losses(data, learning_rate):
    """Losses of a training written out: SGD, with the learning rate's cosine spelled out."""
    images, labels = data
    network, _, _ = make(learning_rate)
    network.train()
    generator = torch.Generator().manual_seed(7)
    losses, step, total = [], 0, EPOCHS * (N // BATCH)
    for _ in range(EPOCHS):
        order = torch.randperm(N, generator=generator)
        for start in range(0, (N // BATCH) * BATCH, BATCH):
            batch = order[start : start + BATCH]
            loss = cross_entropy(network(images[batch]), labels[batch])
            losses.append(loss.item())
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            rate = learning_rate * (1 + np.cos(np.pi * step / total)) / 2
            with torch.no_grad():
                for p, g in zip(network.parameters(), gradients, strict=True):
                    p -= rate * g
            step += 1
    return losses, network


def supervised(labels):
    material = Material.of_labels(labels, batch_size=BATCH, seed=7)
    return Classification(SupervisedConfig(name="supervised"), material)


def run(data, learning_rate, checkpoints, record=lambda step, objective: None, epochs=EPOCHS):
    network, optimiser, scheduler = make(learning_rate)
    train(
        network,
        optimiser,
        scheduler,
        Resident(data[0]),
        data[1],
        supervised(data[1]),
        epochs=epochs,
        checkpoints=checkpoints,
        record=record,
    )
    return network


def test_equals_a_training_written_out(data):
    network = run(data, 0.1, [])
    _, expected = plain_losses(data, 0.1)
    for p, q in zip(network.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


def test_records_at_the_checkpoints_only(data):
    seen = []
    run(data, 0.1, [0, 3, 4, 11, 16], lambda step, objective: seen.append(step))
    assert seen == [0, 3, 4, 11, 16]


def test_the_objective_is_the_mean_loss_since_the_last_checkpoint(data):
    """Also across the ends of epochs, where losses are checked."""
    checkpoints, seen = [0, 3, 4, 11, 16], []
    run(data, 0.1, checkpoints, lambda step, objective: seen.append(objective))
    losses, _ = plain_losses(data, 0.1)
    assert np.isnan(seen[0])
    expected = [np.mean(losses[a:b]) for a, b in itertools.pairwise(checkpoints)]
    np.testing.assert_allclose(seen[1:], expected, rtol=1e-4)


def test_recording_does_not_change_the_training(data):
    network, optimiser, scheduler = make(0.1)

    def record(step, objective):
        predict(network, Resident(data[0]))  # leaves the network in evaluation mode

    train(
        network,
        optimiser,
        scheduler,
        Resident(data[0]),
        data[1],
        supervised(data[1]),
        epochs=EPOCHS,
        checkpoints=range(17),
        record=record,
    )
    undisturbed = run(data, 0.1, [])
    for (name, a), b in zip(
        network.state_dict().items(), undisturbed.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("checkpoints", [[], [0], [0, 1, 2, 3], range(17), [5, 16]])
@pytest.mark.parametrize("learning_rate", [1e20, 1e38])
def test_the_step_of_divergence_is_exact(data, checkpoints, learning_rate):
    losses, _ = plain_losses(data, learning_rate)
    expected = int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
    assert expected > 1
    with pytest.raises(Diverged) as diverged:
        run(data, learning_rate, checkpoints)
    assert diverged.value.step == expected
    assert str(expected) in str(diverged.value)


def test_an_image_that_is_not_finite_diverges_at_its_step(data):
    images, labels = data[0].clone(), data[1]
    order = torch.randperm(N, generator=torch.Generator().manual_seed(7))
    images[order[2 * BATCH]] = torch.nan  # in the third batch of the first epoch
    with pytest.raises(Diverged) as diverged:
        run((images, labels), 0.1, [])
    assert diverged.value.step == 3


def test_an_epoch_of_batches_has_each_sample_at_most_once():
    generator = torch.Generator().manual_seed(0)
    batches = shuffled_batches(23, 5, generator)
    assert [len(batch) for batch in batches] == [5, 5, 5, 5]
    assert len(set(torch.cat(batches).tolist())) == 20
    again = shuffled_batches(23, 5, generator)
    assert not torch.equal(torch.cat(batches), torch.cat(again))
    assert len(shuffled_batches(10, 5, generator)) == 2


def test_predictions_are_in_evaluation_mode_and_in_order(data):
    images = data[0].repeat(16, 1, 1, 1)  # more than one batch of the evaluation
    network = run(data, 0.1, [])
    network.train()
    before = {name: t.clone() for name, t in network.state_dict().items()}
    logits = predict(network, Resident(images))
    assert logits.shape == (16 * N, 3)
    assert logits.dtype == torch.float32
    assert not logits.requires_grad
    single = torch.cat([network.eval()(image[None]) for image in images[:5]])
    torch.testing.assert_close(logits[:5], single.detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(logits[N : 2 * N], logits[:N], rtol=1e-5, atol=1e-5)
    for name, t in network.state_dict().items():
        assert torch.equal(t, before[name]), name


def test_calibration_puts_the_statistics_at_those_of_the_images():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(2, momentum=0.3))
    images = torch.randn(40, 2, 1, 1) * 5 + 3
    network(images * 100)  # statistics that must be forgotten
    calibrate_batchnorm(network, images.split(10))
    norm = network[1]
    torch.testing.assert_close(norm.running_mean, images.mean(dim=(0, 2, 3)))
    batch_variances = torch.stack([b.var(dim=(0, 2, 3)) for b in images.split(10)])
    torch.testing.assert_close(norm.running_var, batch_variances.mean(dim=0))
    assert norm.momentum == 0.3


def test_calibration_brings_a_network_near_ignorance():
    torch.manual_seed(0)
    network = build_network("wide_resnet", (1, 12, 12), 10, depth=10, width=8, widen_factor=4)
    weights = [p.detach().clone() for p in network.parameters()]
    momenta = [m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(200, 1, 12, 12, generator=generator) * 30
    labels = torch.randint(10, (200,), generator=generator)

    def excess():
        return cross_entropy(predict(network, Resident(images)), labels).item() - np.log(10)

    before = excess()
    calibrate_batchnorm(network, images.split(50))
    after = excess()
    assert after < 0.2
    assert before > 5 * after
    for p, w in zip(network.parameters(), weights, strict=True):
        assert torch.equal(p, w)
    assert [m.momentum for m in network.modules() if isinstance(m, nn.BatchNorm2d)] == momenta


def test_calibration_leaves_a_network_without_batchnorm_alone():
    torch.manual_seed(0)
    network = build_network(
        "vit", (1, 6, 6), 3, patch_size=3, width=8, depth=1, heads=2, mlp_width=8
    )
    x = torch.randn(4, 1, 6, 6)
    before = predict(network, Resident(x))
    calibrate_batchnorm(network, x.split(2))
    assert torch.equal(predict(network, Resident(x)), before)
