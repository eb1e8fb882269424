import numpy as np
import pytest
import pytorch_optimizer
import torch
from torch import nn

from hyperribbon.config import AdamConfig, AdamPConfig, AdamWConfig, SGDConfig
from hyperribbon.config.training import OptimiserSection
from hyperribbon.errors import ConfigError
from hyperribbon.networks import build_network
from hyperribbon.training.optimisers import build_optimiser

CONFIGS = {
    "sgd": SGDConfig(algorithm="sgd", learning_rate=0.2, momentum=0.9, nesterov=True),
    "adam": AdamConfig(algorithm="adam", learning_rate=0.2, weight_decay=0.1),
    "adamw": AdamWConfig(algorithm="adamw", learning_rate=0.2, weight_decay=0.1),
    "adamp": AdamPConfig(algorithm="adamp", learning_rate=0.2, weight_decay=0.1),
}
KINDS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adamp": pytorch_optimizer.AdamP,
}


def one_step(config, weight, gradient):
    layer = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(weight)
    optimiser, _ = build_optimiser(layer, config, 10)
    layer.weight.grad = gradient.clone()
    optimiser.step()
    return layer.weight.detach()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("schedule", ["cosine", "linear"])
@pytest.mark.parametrize("final", [0.0, 0.05])
def test_learning_rate_decays_step_by_step(name, schedule, final):
    config = CONFIGS[name].model_copy(update={"schedule": schedule, "final_learning_rate": final})
    layer = nn.Linear(1, 1)
    optimiser, scheduler = build_optimiser(layer, config, 10)
    assert type(optimiser) is KINDS[name]
    (group,) = optimiser.param_groups
    assert group["weight_decay"] == config.weight_decay
    rates = []
    for _ in range(11):
        rates.append(float(group["lr"]))
        layer(torch.ones(1, 1)).sum().backward()
        optimiser.step()
        scheduler.step()
    left = 1 - np.arange(11) / 10
    share = (1 - np.cos(np.pi * left)) / 2 if schedule == "cosine" else left
    np.testing.assert_allclose(rates, final + (0.2 - final) * share, atol=1e-12)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_an_overflow_of_float16_in_the_first_step_is_only_skipped(name):
    network = nn.Linear(3, 2)
    optimiser, _ = build_optimiser(network, CONFIGS[name], 10)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    x = torch.ones(4, 3)
    torch.use_deterministic_algorithms(True)  # fills what is not initialised with NaN
    try:
        for step in range(4):
            before = network.weight.detach().clone()
            optimiser.zero_grad()
            loss = network(x).square().sum() * (torch.inf if step == 0 else 1)
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            assert torch.equal(before, network.weight) == (step == 0)
            assert network.weight.isfinite().all()
    finally:
        torch.use_deterministic_algorithms(False)


def test_settings_of_sgd_arrive():
    optimiser, _ = build_optimiser(nn.Linear(1, 1), CONFIGS["sgd"], 10)
    (group,) = optimiser.param_groups
    assert (group["momentum"], group["nesterov"]) == (0.9, True)


def test_weight_decay_is_decoupled_in_adamw_and_a_penalty_in_adam():
    weight, gradient = torch.full((2, 3), 5.0), torch.full((2, 3), 1e-3)
    # Adam's first step has the length of the learning rate, whatever the penalty.
    adam = one_step(CONFIGS["adam"], weight, gradient)
    torch.testing.assert_close(adam, weight - 0.2, rtol=1e-4, atol=0)
    adamw = one_step(CONFIGS["adamw"], weight, gradient)
    torch.testing.assert_close(adamw, weight * (1 - 0.2 * 0.1) - 0.2, rtol=1e-4, atol=0)


def test_adamp_takes_out_what_is_along_scale_invariant_weights():
    """Where gradient and weights are orthogonal the step is, too (Heo et al. 2021, Eq. 10)."""
    weight = torch.tensor([[3.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    gradient = torch.tensor([[0.0, 1.0, -2.0], [1.0, 0.0, 3.0]])
    config = AdamPConfig(algorithm="adamp", learning_rate=0.01)
    step = one_step(config, weight, gradient) - weight
    assert step.abs().max() > 1e-3
    torch.testing.assert_close((step * weight).sum(), torch.tensor(0.0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        ("allcnn", {"widths": (3,)}),
        ("vit", {"patch_size": 3, "width": 6, "depth": 1, "heads": 2, "mlp_width": 5}),
    ],
)
def test_weight_decay_may_leave_out_normalisation(name, architecture, parameters):
    network = build_network(architecture, (1, 6, 6), 3, **parameters)
    config = CONFIGS[name].model_copy(update={"decay_normalisation": False, "weight_decay": 0.1})
    optimiser, _ = build_optimiser(network, config, 10)
    found = {id(p): g["weight_decay"] for g in optimiser.param_groups for p in g["params"]}
    norms = (nn.BatchNorm2d, nn.LayerNorm)
    for module in network.modules():
        for parameter in module.parameters(recurse=False):
            assert found.pop(id(parameter)) == (0 if isinstance(module, norms) else 0.1)
    assert not found


def test_what_is_not_known_is_refused():
    """A new algorithm or schedule of the configuration is not taken for another one."""
    layer, config = nn.Linear(1, 1), CONFIGS["adam"]
    other = config.model_copy(update={"schedule": "staircase"})
    with pytest.raises(ConfigError, match="schedule = 'staircase': expected cosine or linear"):
        build_optimiser(layer, other, 10)

    class LionConfig(OptimiserSection):
        algorithm: str

    with pytest.raises(ConfigError, match="algorithm = 'lion': no optimiser"):
        build_optimiser(layer, LionConfig(algorithm="lion", learning_rate=0.1), 10)
