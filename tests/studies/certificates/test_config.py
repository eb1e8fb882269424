"""The section `certificates`, and what it refuses, in one line."""

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study

NETWORK = {"architecture": "fully_connected", "widths": [8], "batchnorm": False}
STUDY = {
    "study": "small",
    "data": {"name": "mnist5k", "groups": [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]},
    "networks": {
        "MLP": NETWORK,
        "BN": {**NETWORK, "batchnorm": True},
        "ViT": {"architecture": "vit", "width": 8, "heads": 2},
        "LeNet": {"architecture": "lenet"},
    },
    "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.001}},
    "training": {"epochs": 2, "batch_size": 100, "seeds": 2},
}


def parse(section=None, **study):
    return parse_study({**STUDY, **study, "certificates": {"networks": ["MLP"], **(section or {})}})


def test_few_keys_are_needed():
    study = parse({"networks": ["MLP", "LeNet"]})
    assert study.certificates.set_aside == 500
    found = study.certificates.configurations(study)
    assert [c.network_name for c in found] == ["MLP", "LeNet"]
    only = study.certificates.only(found[1], "fisher")
    assert only.networks == ("LeNet",) and only.methods == ("fisher",)
    assert parse_study(study.model_dump(mode="json")) == study


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"networks": []}, "networks = []: must not be empty"),
        ({"networks": ["CNN"]}, 'networks = "CNN": one of networks: MLP, BN, ViT, LeNet'),
        ({"networks": ["BN"]}, 'networks = "BN": networks of linear and convolutional layers'),
        ({"networks": ["ViT"]}, "without BatchNorm, whose statistics depend on the samples"),
        ({"methods": ["best"]}, 'methods.0 = "best": allowed: "baseline", "analytic", "fisher"'),
        ({"methods": []}, "methods = []: must not be empty"),
        ({"methods": ["stiff", "stiff"]}, "must not repeat a value"),
        ({"set_aside": 4000}, "set_aside = 4000: at most data.train_size - 8 = 3992"),
        ({"set_aside": 0}, "set_aside = 0: at least 1, because the prior of fisher_prior needs"),
        ({"set_aside": -1}, "set_aside = -1: must be at least 0"),
        ({"batch_size": 3501}, "batch_size = 3501: at most 3500, the training samples that"),
        ({"epochs": 0}, "epochs = 0: must be at least 1"),
        ({"learning_rate": 0}, "learning_rate = 0: must be more than 0"),
        ({"draws": 0}, "draws = 0: must be at least 1"),
        ({"draw": 3}, "did you mean draws?"),
    ],
)
def test_what_is_impossible_is_refused_in_one_line(section, message):
    with pytest.raises(ConfigError) as refusal:
        parse(section)
    assert "\n" not in str(refusal.value)
    assert str(refusal.value).startswith("configuration: certificates.")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("kept", "words"),
    [([1.0], "must contain 0.0, the centre of the prior"),
     ([0.0, 0.5], "must contain 1.0, the trained weights")],
)  # fmt: skip
def test_both_ends_of_the_training_are_needed(kept, words):
    training = {**STUDY["training"], "keep_weights": kept}
    with pytest.raises(
        ConfigError, match=r"training.keep_weights = .*: with certificates " + words
    ):
        parse(training=training)


def test_a_loss_that_is_no_cross_entropy_of_all_classes_is_refused():
    trainings = {"all": {}, "mine": {"method": {"name": "simclr"}}}
    compared = {"trainings": ["all", "mine"], "reference": "all"}
    tasks = {"sets": {}, "trainings": trainings, "comparisons": {"methods": compared}}
    with pytest.raises(ConfigError, match='networks = "MLP": a network that learns all classes by'):
        parse(tasks=tasks, networks={"MLP": NETWORK})


def test_without_methods_that_need_them_no_samples_are_set_aside():
    assert parse({"methods": ["analytic"], "set_aside": 0}).certificates.set_aside == 0
