"""The section `representations`, and what it refuses, in one line."""

import pytest

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study

ALONE = {"study": "plane"}
TRAINED = {
    "study": "small",
    "data": {"name": "mnist5k", "train_size": 100, "test_size": 50},
    "networks": {
        "A": {"architecture": "fully_connected", "widths": [4], "activation": "sigmoid"},
        "B": {"architecture": "resnet", "width": 2, "activation": "gelu"},
    },
    "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.001}},
    "training": {"epochs": 2, "batch_size": 10},
}


def test_tasks_in_the_plane_need_no_trainings():
    study = parse_study({**ALONE, "representations": {"planes": {"xor": None}}})
    assert study.configurations() == []
    assert list(study.representations.planes.tasks()) == ["sinusoid"]
    assert study.representations.configurations(study) == []
    assert parse_study(study.model_dump(mode="json")) == study


def test_networks_are_all_unless_they_are_named():
    for images, names in (({}, ["A", "B"]), ({"networks": ["B"]}, ["B"])):
        study = parse_study({**TRAINED, "representations": {"images": images}})
        found = study.representations.configurations(study)
        assert [c.network_name for c in found] == names


@pytest.mark.parametrize(
    ("study", "section", "message"),
    [
        (ALONE, {"images": {}}, "representations.images = \"given\": without data, networks"),
        (ALONE, {"planes": {}, "images": {}}, "representations.images = \"given\": without data"),
        (ALONE, {}, "representations.planes = null: at least one of planes, widths, images"),
        (ALONE, {"planes": {"xor": None, "sinusoid": None}}, "representations.planes.xor = null: "),
        (ALONE, {"widths": {"widths": [10, 5, 20]}}, "widths.widths = [10, 5, 20]: increasing"),
        (ALONE, {"widths": {"dimension": 60}}, "representations.widths.dimension = 60: "),
        (ALONE, {"widths": {"activations": ["relu"]}}, "representations.widths.activations.0 = "),
        (ALONE, {"planes": {"widths": [250]}}, "widths = [250]: others than 250"),
        (ALONE, {"planes": {"weight_decays": [0.1, 0.1]}}, "must not repeat a value"),
        (ALONE, {"planes": {"activation": "swish"}}, "representations.planes.activation = "),
        (ALONE, {"planes": {"momentum": 1}}, "representations.planes.momentum = 1: "),
        (ALONE, {"planes": {"xor": {"epochs": 0}}}, "representations.planes.xor.epochs = 0: "),
        (TRAINED, {"images": {"networks": ["C"]}}, "networks = \"C\": one of networks: A, B"),
        (TRAINED, {"images": {"neighbours": 100}}, "neighbours = 100: less than data.train_size"),
        (TRAINED, {"images": {"steps": 2}}, "representations.images.steps = 2: "),
        ({**TRAINED, "training": {**TRAINED["training"], "keep_weights": [1.0]}}, {"images": {}},
         "training.keep_weights = [1.0]: with representations.images must contain 0.0 and 1.0"),
    ],
)  # fmt: skip
def test_what_is_impossible_is_refused_in_one_line(study, section, message):
    with pytest.raises(ConfigError) as refusal:
        parse_study({**study, "representations": section})
    lines = str(refusal.value).splitlines()
    assert len(lines) == 1
    assert message in lines[0]


def test_defaults_are_no_part_of_a_network_s_id():
    def ids(**changes):
        networks = {"B": {**TRAINED["networks"]["B"], **changes}}
        return [c.id for c in parse_study({**TRAINED, "networks": networks}).configurations()]

    without = {k: v for k, v in TRAINED["networks"]["B"].items() if k != "activation"}
    plain = [c.id for c in parse_study({**TRAINED, "networks": {"B": without}}).configurations()]
    assert ids(activation="relu") == plain != ids()
