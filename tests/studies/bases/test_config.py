import copy

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study

STUDY = {
    "study": "s",
    "data": {"name": "mnist5k", "train_size": 100, "test_size": 50},
    "networks": {
        "A": {"architecture": "fully_connected", "widths": [4]},
        "B": {"architecture": "fully_connected", "widths": [8]},
    },
    "optimisers": {
        "SGD": {"algorithm": "sgd", "learning_rate": 0.1},
        "Adam": {"algorithm": "adam", "learning_rate": 0.01},
    },
    "training": {"epochs": 2, "batch_size": 10},
    "bases": {"samples": [20, 5]},
}


def changed(section, **values):
    study = copy.deepcopy(STUDY)
    study[section] |= values
    return study


def test_sizes_are_sorted_and_defaults_fit():
    section = parse_study(STUDY).section("bases")
    assert section.samples == (5, 20) and section.models == (2, 5, 10, 20)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("samples", [5, 51], r"bases.samples = 51: .*at most the number of samples.*50"),
        ("samples", [5, 5], "must not repeat a value"),
        ("samples", [], "must not be empty"),
        ("models", [0], "at least 1"),
        ("checkpoints", 1, "at least 2"),
        ("draws", 0, "at least 1"),
        ("method", "greedy", "allowed: models, samples, checkpoints, draws"),
    ],
)
def test_what_does_not_fit_is_refused_by_key(key, value, expected):
    with pytest.raises(ConfigError, match=expected):
        parse_study(changed("bases", **{key: value}))


def test_one_training_of_each_network_is_compared_with_its_tangent_kernel():
    study = parse_study(STUDY)
    found = study.section("bases").linearised(study)
    assert [(c.network_name, c.optimiser_name) for c in found] == [("A", "SGD"), ("B", "SGD")]
    late = parse_study(changed("training", keep_weights=[1.0]))
    assert late.section("bases").linearised(late) == []
