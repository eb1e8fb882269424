"""The section `regression`, and what it refuses, in one line."""

import re

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.regression.config import RegressionConfig
from hyperribbon.studies.study import parse_study

STUDY = {"study": "boston", "regression": {}}


def test_a_study_of_a_regression_alone_trains_nothing_else():
    study = parse_study(STUDY)
    assert study.configurations() == []
    assert study.regression == RegressionConfig()
    assert parse_study(study.model_dump(mode="json")) == study


def test_the_order_of_networks_survives_json():
    config = RegressionConfig(networks=[[9], [5, 5], [1]])
    assert RegressionConfig.model_validate_json(config.model_dump_json()).networks[0] == (9,)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"networks": []}, "regression.networks = []: "),
        ({"networks": [[k] for k in range(1, 10)]}, "[9]]: "),
        ({"networks": [[]]}, "regression.networks.0 = []: "),
        ({"networks": [[4], [0]]}, "regression.networks.1.0 = 0: must be at least 1"),
        ({"networks": [[4], [4]]}, "regression.networks = [4]: must not repeat"),
        ({"epochs": 1}, "regression.epochs = 1: must be at least 2"),
        ({"learning_rate": 0}, "regression.learning_rate = 0: must be more than 0"),
        ({"seeds": 0}, "regression.seeds = 0: "),
        ({"epoch": 3}, "did you mean epochs?"),
    ],
)
def test_what_is_impossible_is_refused_in_one_line(section, message):
    with pytest.raises(ConfigError) as refusal:
        parse_study({**STUDY, "regression": section})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1
    assert re.match(r"configuration: regression\.", lines[0])
    assert message in lines[0]
