"""The section `inversion`, and what it refuses, in one line."""

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study

STUDY = {"study": "inversion", "inversion": {"data": {"mnist": {}}}}


def test_a_study_of_class_manifolds_alone_trains_nothing_else():
    study = parse_study(STUDY)
    assert study.configurations() == []
    assert study.inversion.data["mnist"].epochs == 120
    assert parse_study(study.model_dump(mode="json")) == study


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"data": {}}, "inversion.data = {}: "),
        ({"data": {"mist": {}}}, "mist"),
        ({"data": {"mnist": {"epochs": 5}}}, "epochs = 5: must be at least 10"),
        ({"data": {"mnist": {"learning_rate": 0}}}, "learning_rate = 0: must be more than 0"),
        ({"data": {"mnist": {"image_size": 32}}}, "data.mnist.image_size = 32: at most 28"),
        ({"data": {"digits": {}}}, "samples = 8192: at most 1796 for digits"),
        (
            {"data": {"digits": {}}, "samples": 1000, "subsamples": [100]},
            "convolutional_runs = 2: 0, because images of digits have fewer than 16 pixels",
        ),
        (
            {"data": {"mnist": {"image_size": 8}}},
            "convolutional_runs = 2: 0, because images of mnist have fewer than 16 pixels",
        ),
        ({"samples": 60_001}, "samples = 60001: "),
        ({"batch_size": 9000}, "batch_size = 9000: at most samples = 8192"),
        ({"watched": 9000}, "watched = 9000: at most samples = 8192"),
        ({"subsamples": [8192]}, "subsamples = 8192: below samples = 8192"),
        ({"widths": [10, 10]}, "must not repeat a value"),
        ({"depths": [1]}, "depths.0 = 1: must be at least 2"),
        ({"runs": 1}, "runs = 1: must be at least 2"),
        ({"groupings": -1}, "groupings = -1: "),
        ({"width": 0}, "width = 0: "),
        ({"adam": ["fast"]}, "adam.0 = "),
        ({"epoch": 3}, "epoch"),
    ],
)
def test_what_is_impossible_is_refused_in_one_line(section, message):
    with pytest.raises(ConfigError) as refusal:
        parse_study({"study": "inversion", "inversion": {"data": {"mnist": {}}} | section})
    [line] = [line for line in str(refusal.value).splitlines() if message in line]
    assert "inversion" in line
