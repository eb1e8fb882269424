"""The section `linear`, and what it refuses, in one line."""

import re

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.linear.config import LinearConfig
from hyperribbon.studies.study import parse_study

STUDY = {"study": "linear", "linear": {}}


def test_a_study_of_linear_regression_alone_trains_nothing_else():
    study = parse_study(STUDY)
    assert study.configurations() == []
    assert study.linear == LinearConfig()
    assert study.linear.experiments is None
    assert parse_study(study.model_dump(mode="json")) == study


def test_a_coarser_diagram_needs_one_number_each():
    section = {"slopes": {"number": 5}, "steps": {"number": 6}, "ratios": {"number": 7}}
    found = parse_study({**STUDY, "linear": section}).linear
    assert (found.slopes.first, found.slopes.last, found.slopes.number) == (0.02, 1.0, 5)
    assert (found.steps.last, found.ratios.last) == (10**8, 100.0)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"samples": 5}, "samples = 5: must be at least 10"),
        ({"draws": 1}, "draws = 1: "),
        ({"fraction": 1}, "fraction = 1: must be less than 1"),
        ({"fraction": 0}, "fraction = 0: must be more than 0"),
        ({"slopes": {"number": 1}}, "slopes.number = 1: "),
        ({"slopes": {"first": 0}}, "slopes.first = 0: "),
        ({"slopes": {"first": 2}}, "slopes.last = 1.0: above first = 2"),
        ({"samples": 500, "slopes": {"last": 5}}, "slopes.last = 5.0: at most 1.2 with samples"),
        ({"steps": {"first": 0}}, "steps.first = 0: "),
        ({"steps": {"last": 1.5}}, "steps.last = 1.5: "),
        ({"steps": {"last": 1}}, "steps.last = 1: above first = 1"),
        ({"ratios": {"first": 0}}, "ratios.first = 0: "),
        ({"ratios": {"first": 5, "last": 2}}, "ratios.last = 2.0: above first = 5"),
        ({"ratios": {"first": 1e-9}}, "ratios.first = 1e-09: "),
        (
            {"experiments": {"data": ["digits"], "samples": 1788}},
            "samples = 1788: at most 1787",
        ),
        ({"experiments": {"data": []}}, "experiments.data = []: "),
        ({"experiments": {"data": ["mist"]}}, 'experiments.data.0 = "mist": allowed: "mnist5k"'),
        ({"experiments": {"data": ["digits", "digits"]}}, "must not repeat a value"),
        ({"experiments": {"networks": [[0]]}}, "experiments.networks.0.0 = 0: "),
        ({"experiments": {"models": 1}}, "experiments.models = 1: "),
        ({"experiments": {"ratios": [0]}}, "experiments.ratios.0 = 0: "),
        ({"experiments": {"image_size": 40}}, "experiments.image_size = 40: "),
        ({"slope": {}}, "did you mean slopes?"),
    ],
)
def test_what_is_impossible_is_refused_in_one_line(section, message):
    with pytest.raises(ConfigError) as refusal:
        parse_study({**STUDY, "linear": section})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1
    assert re.match(r"configuration: linear\.", lines[0])
    assert message in lines[0]
