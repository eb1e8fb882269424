import copy
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from pydantic import TypeAdapter
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy

from hyperribbon import networks
from hyperribbon.config import NetworkConfig
from hyperribbon.errors import ConfigError
from hyperribbon.networks import build_network, vit

README = Path(__file__).parents[2] / "config" / "README.md"
# Names in the oracle, and rows of the README's table of the dissertation's networks.
ORACLE = {
    "fc": "Fully-connected",
    "allcnn": "AllCNN",
    "wr-10-4-8": "Small ResNet, WRN-10-4",
    "wr-16-4-64": "Large ResNet, WRN-16-4",
    "convmixer": "ConvMixer",
    "vit": "ViT",
    "fc-200-512-5": "Fully-connected, one hidden layer",
    "fc-200-512-512-5": "Fully-connected, two hidden layers",
    "fc-200-50-5": "Teacher",
}
SMALL = {
    "fully_connected": {"widths": (12, 7)},
    "allcnn": {"widths": (5, 6, 7)},
    "wide_resnet": {"depth": 16, "width": 3, "widen_factor": 2},
    "convmixer": {"width": 8, "depth": 2, "kernel_size": 3, "patch_size": 3},
    "vit": {
        "patch_size": 3,
        "width": 12,
        "depth": 2,
        "heads": 3,
        "mlp_width": 10,
        "qkv_bias": True,
    },
    "lenet": {"widths": (4, 5), "hidden_width": 6},
    "resnet": {"depth": 50, "width": 4},
}


def thesis_networks():
    """Rows of the README's table: name -> (section, shape of a sample, classes, parameters)."""
    table = README.read_text().split("## Networks of the dissertation")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+) \| `(.+)` \| ([\d x]+) \| (\d+) \| ([\d,]+) \|$", table, re.M)
    return {
        name: (
            TypeAdapter(NetworkConfig).validate_python(yaml.safe_load(line)),
            tuple(map(int, shape.split(" x "))),
            int(classes),
            int(count.replace(",", "")),
        )
        for name, line, shape, classes, count in rows
    }


THESIS = thesis_networks()


def build(name):
    section, shape, n_classes, _ = THESIS[name]
    section.check_input(shape)
    return build_network(input_shape=shape, n_classes=n_classes, **section.model_dump())


def n_parameters(network):
    return sum(p.numel() for p in network.parameters())


def test_every_architecture_is_tested_here():
    files = Path(networks.__file__).parent.glob("*.py")
    assert set(SMALL) == {path.stem for path in files if "\nNETWORK = " in path.read_text()}
    assert {section.architecture for section, *_ in THESIS.values()} == set(SMALL)


def test_the_readme_lists_the_networks_with_the_published_parameter_counts():
    published = [3837066, 399486, 300226, 43890122, 594186, 9523722]  # 2.5.2
    published += [11689512, 25557032, 22050664]  # torchvision's and timm's
    assert [count for *_, count in THESIS.values()][: len(published)] == published
    assert len(THESIS) == len(published) + 10


@pytest.mark.parametrize("name", THESIS)
def test_parameter_counts_are_those_of_the_readme(name):
    with torch.device("meta"):
        assert n_parameters(build(name)) == THESIS[name][3]


def test_lenet_with_ten_classes_has_its_published_parameter_count():
    lenet = build_network("lenet", (1, 28, 28), 10, widths=(20, 50), hidden_width=500)
    assert n_parameters(lenet) == 431080


@pytest.mark.parametrize("name", ORACLE)
def test_thesis_networks_agree_with_the_oracle(o2, name):
    expected = o2["networks"][name]
    torch.manual_seed(42)
    network = build(ORACLE[name]).eval()
    assert n_parameters(network) == expected["num_params"]
    total = sum(p.double().sum().item() for p in network.parameters())
    assert total == pytest.approx(expected["weight_sum"], abs=1e-3)
    shape = THESIS[ORACLE[name]][1]
    with torch.no_grad():
        logits = network(torch.linspace(-1, 1, 4 * np.prod(shape)).view(4, *shape))
    # On vectors so near that BatchNorm's 1 / sqrt(1 + 1e-5) tells whether it is there.
    atol = 5e-6 if len(shape) == 3 else 6e-7
    np.testing.assert_allclose(logits, expected["logits_eval_linspace_seed42"], rtol=0, atol=atol)


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("input_shape", [(1, 18, 18), (3, 21, 27), (2, 24, 18)])
def test_other_sizes_channels_and_classes(architecture, input_shape):
    torch.manual_seed(0)
    network = build_network(architecture, input_shape, 4, **SMALL[architecture])
    x = torch.randn(5, *input_shape)
    logits = network(x)
    assert logits.shape == (5, 4)
    logits.square().sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert unused == []
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network.classifier(network.features(x)), network(x))
        # In evaluation a prediction does not depend on the rest of its batch.
        torch.testing.assert_close(network(x[:2]), network(x)[:2])


@pytest.mark.parametrize("architecture", SMALL)
def test_initialisation_follows_the_seed(architecture):
    def weights(seed):
        torch.manual_seed(seed)
        network = build_network(architecture, (1, 18, 18), 3, **SMALL[architecture])
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("architecture", SMALL)
def test_seeds_mapped_together_equal_seeds_one_by_one(architecture, training):
    seeds = []
    for seed in range(3):
        torch.manual_seed(seed)
        network = build_network(architecture, (2, 18, 18), 4, **SMALL[architecture])
        seeds.append(network.double().train(training))
    skeleton = copy.deepcopy(seeds[0]).to("meta")
    images = torch.randn(3, 5, 2, 18, 18, dtype=torch.float64)
    labels = torch.randint(4, (3, 5))

    def loss(parameters, buffers, images, labels):
        logits = functional_call(skeleton, (parameters, buffers), (images,))
        return cross_entropy(logits, labels), logits

    parameters, buffers = stack_module_state(seeds)
    before = {name: buffer.clone() for name, buffer in buffers.items()}
    # An operation that vmap can only loop over would warn: of scaled-dot-product attention the
    # CPU's fused kernel.
    with warnings.catch_warnings(), sdpa_kernel(SDPBackend.MATH):
        warnings.simplefilter("error")
        gradients, logits = vmap(grad(loss, has_aux=True))(parameters, buffers, images, labels)
    for k, network in enumerate(seeds):
        alone = network(images[k])
        cross_entropy(alone, labels[k]).backward()
        torch.testing.assert_close(logits[k], alone, rtol=1e-9, atol=1e-9)
        for name, p in network.named_parameters():
            torch.testing.assert_close(gradients[name][k], p.grad, rtol=1e-9, atol=1e-9)
        for name, buffer in network.named_buffers():
            torch.testing.assert_close(buffers[name][k], buffer, rtol=1e-9, atol=1e-9)
            if name in network.state_dict():  # which has no constants, such as BlurPool's filter
                assert torch.equal(buffer, before[name][k]) != training


def test_vit_sees_where_a_patch_is():
    torch.manual_seed(0)
    network = build_network("vit", (1, 6, 6), 3, **SMALL["vit"]).eval()
    x = torch.randn(1, 1, 6, 6)
    with torch.no_grad():
        assert not torch.allclose(network(x), network(x.roll(3, dims=3)), atol=1e-4)


def test_attention_of_narrow_heads_is_attention(monkeypatch):
    torch.manual_seed(0)
    network = build_network("vit", (1, 6, 6), 3, **SMALL["vit"]).double()
    x = torch.randn(4, 1, 6, 6, dtype=torch.float64)
    explicit = network(x)
    monkeypatch.setattr(vit, "FUSED_WIDTH", 0)
    torch.testing.assert_close(network(x), explicit, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("qkv_bias", [False, True])
def test_what_a_vit_leaves_out_is_not_looked_at(qkv_bias):
    """Its last layer computes the class token alone."""
    torch.manual_seed(0)
    network = build_network(
        "vit", (1, 6, 6), 3, patch_size=2, width=8, depth=2, heads=2, mlp_width=8, qkv_bias=qkv_bias
    ).double()
    seen = []
    features = network.features
    features.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    x = torch.randn(5, 1, 6, 6, dtype=torch.float64)
    found = network(x)
    every = features.layers[1](features.layers[0](seen[0]))
    assert every.shape == (5, 10, 8)
    expected = network.classifier(features.norm(every[:, 0]))
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("activation", "function"),
    [
        ("sigmoid", lambda z: 1 / (1 + torch.exp(-z))),
        ("gelu", lambda z: z * torch.special.ndtr(z)),
        ("erf", lambda z: 2 * torch.special.ndtr(z) - 1),
        ("tanh", torch.tanh),
        ("relu", lambda z: z.clamp(min=0)),
    ],
)
def test_activations_of_perceptrons(activation, function):
    settings = {"widths": [5], "batchnorm": False, "activation": activation}
    network = build_network("fully_connected", (4,), 3, **settings).double()
    x = torch.randn(6, 4, dtype=torch.float64)
    z = network.features[1](x)
    torch.testing.assert_close(network.features(x), function(z))


@pytest.mark.parametrize("architecture", ["wide_resnet", "resnet"])
def test_new_parameters_change_nothing_at_their_defaults(architecture):
    """Fresh weights, too, in the same order of random numbers."""
    new = {"wide_resnet": ("normalisation", "initialisation"), "resnet": ("batchnorm_affine",)}
    section = TypeAdapter(NetworkConfig).validate_python(
        {"architecture": architecture, **SMALL[architecture]}
    )
    given = {key: getattr(section, key) for key in new[architecture]}
    states = []
    for parameters in (SMALL[architecture], SMALL[architecture] | given):
        torch.manual_seed(0)
        states.append(build_network(architecture, (3, 18, 18), 4, **parameters).state_dict())
    assert list(states[0]) == list(states[1])
    assert all(torch.equal(a, b) for a, b in zip(*(s.values() for s in states), strict=True))


def test_layernorm_normalises_each_sample_alone():
    torch.manual_seed(0)
    network = build_network(
        "wide_resnet", (3, 8, 8), 4, **SMALL["wide_resnet"], normalisation="layer"
    )
    assert not any(isinstance(m, torch.nn.modules.batchnorm._BatchNorm) for m in network.modules())
    batchnorm = build_network("wide_resnet", (3, 8, 8), 4, **SMALL["wide_resnet"])
    assert [p.shape for p in network.parameters()] == [p.shape for p in batchnorm.parameters()]
    images = torch.randn(5, 3, 8, 8)
    alone = torch.cat([network.train()(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network.eval()(images), alone, rtol=1e-4, atol=1e-5)
    y = network.features[1].norm1(3 * images[:, :1].expand(5, 3, 8, 8) + 1)
    mean, variance = y.mean(dim=(1, 2, 3)), y.var(dim=(1, 2, 3), correction=0)
    torch.testing.assert_close(mean, torch.zeros(5), rtol=0, atol=1e-5)
    torch.testing.assert_close(variance, torch.ones(5), rtol=1e-3, atol=0)


def test_layernorm_works_under_vmap():
    parameters = {**SMALL["wide_resnet"], "normalisation": "layer"}
    seeds = [build_network("wide_resnet", (3, 8, 8), 4, **parameters) for _ in range(2)]
    stacked, buffers = stack_module_state(seeds)
    images = torch.randn(3, 3, 8, 8)
    found = vmap(lambda p, b: functional_call(seeds[0], (p, b), (images,)))(stacked, buffers)
    for logits, network in zip(found, seeds, strict=True):
        torch.testing.assert_close(logits, network(images), rtol=1e-4, atol=1e-5)


def test_kaiming_normal_convolutions_have_their_variance():
    torch.manual_seed(0)
    section = {"depth": 10, "width": 32, "widen_factor": 1, "initialisation": "kaiming_normal"}
    network = build_network("wide_resnet", (3, 8, 8), 4, **section)
    convolutions = [m for m in network.features.modules() if isinstance(m, torch.nn.Conv2d)]
    for layer in convolutions:
        fan_out = layer.out_channels * layer.kernel_size[0] ** 2
        spread = layer.weight.std().item() / np.sqrt(2 / fan_out)
        assert spread == pytest.approx(1, abs=5 / np.sqrt(2 * layer.weight.numel()))


def test_batchnorm_without_scales_and_shifts():
    for depth, before in ((18, 11_689_512), (50, 25_557_032)):
        with torch.device("meta"):
            settings = {"depth": depth, "width": 64, "batchnorm_affine": False}
            network = build_network("resnet", (3, 224, 224), 1000, **settings)
        norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert all(norm.weight is None and norm.bias is None for norm in norms)
        assert n_parameters(network) == before - 2 * sum(norm.num_features for norm in norms)


@pytest.mark.parametrize("key", ["normalisation", "initialisation"])
def test_an_unknown_variant_is_refused(key):
    with pytest.raises(ConfigError, match=f"{key} = 'other': expected"):
        build_network("wide_resnet", (3, 8, 8), 4, **SMALL["wide_resnet"], **{key: "other"})
