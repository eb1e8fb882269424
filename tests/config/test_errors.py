"""Each refusal says what to write, in the words of YAML."""

import copy
import datetime
from pathlib import Path

import pytest
import yaml

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import StudyConfig, parse_study

STUDY = yaml.safe_load((Path(__file__).parents[2] / "config" / "smoke.yaml").read_text())
LOOP: list = []
LOOP.append(LOOP)
HUGE = 10**5000  # of more digits than Python prints

NUMBER = "must be a whole number, written in digits alone, without quotes"
CASES = [
    ("study", False, "study = false: must be text; put it in quotes, because YAML reads yes"),
    ("study", 1.1, "study = 1.1: must be text; put it in quotes"),
    ("study", None, "study = null: must be text; nothing is given"),
    ("study", datetime.date(2026, 11, 29), 'study = "2026-11-29": must be text; put it in quotes'),
    ("study", [1], "study = [1]: must be text"),
    ("study", {(1, 2): 3}, "study = a mapping: must be text"),
    ("study", LOOP, "study = a list: must be text"),
    ("study", HUGE, "study = a number of thousands of digits: must be text"),
    ("study", "a" * 41, "must have at most 40 characters"),
    ("networks/ViT", 3, "networks.ViT = 3: must be a mapping of keys to values"),
    ("networks", {}, "networks = {}: must not be empty"),
    ("networks", {True: {}}, "networks = true: a name must be text; put it in quotes"),
    ("networks/FullyConnected/widths", 32, "widths = 32: must be a list, such as [32]"),
    ("networks/FullyConnected/widths", {"a": 1}, 'widths = {"a": 1}: must be a list'),
    ("networks/FullyConnected/widths", [], "widths = []: must not be empty"),
    ("networks/FullyConnected/widths", [10**20], "0000: must be at most 1000000"),
    ("networks/FullyConnected/batchnorm", "y", 'batchnorm = "y": must be true or false'),
    (
        "external",
        "runs/*.zarr",
        'external = "runs/*.zarr": must be a list, such as ["runs/*.zarr"]',
    ),
    ("external", [""], 'external.0 = "": must not be empty'),
    ("training/epochs", "1e3", f'training.epochs = "1e3": {NUMBER}'),
    ("training/epochs", 1000.0, f"training.epochs = 1000.0: {NUMBER}"),
    ("training/epochs", True, "training.epochs = true: must be a whole number"),
    ("training/epochs", HUGE, "epochs = a number of thousands of digits: must be at most 1000000"),
    ("training/threads", 10**6, "training.threads = 1000000: must be at most 1024"),
    ("networks/ViT/depth", 10**6, "networks.ViT.depth = 1000000: must be at most 1000"),
    (
        "augmentations",
        {"A": {"crop": "random", "padding": 10**9}},
        "augmentations.A.padding = 1000000000: at most the 8 of an image",
    ),
    ("training/Epochs", 1, "; did you mean epochs?"),
    ("training/EPOCHS", 1, "; did you mean epochs?"),
    ("optimisers/Adam/learning_rate", "0,1", 'learning_rate = "0,1": must be a number'),
    ("optimisers/Adam/learning_rate", "nan", 'learning_rate = "nan": must be finite'),
    ("optimisers/Adam/learning_rate", HUGE, "a number of thousands of digits: must be a number"),
    ("optimisers/Adam/learning_rate", -1, "learning_rate = -1: must be more than 0"),
]


@pytest.mark.parametrize(("path", "value", "words"), CASES, ids=[path for path, *_ in CASES])
def test_refusals_speak_of_yaml(path, value, words):
    study = copy.deepcopy(STUDY)
    *sections, key = path.split("/")
    section = study
    for name in sections:
        section = section[name]
    section[key] = value
    with pytest.raises(ConfigError) as error:
        parse_study(study)
    message = str(error.value)
    assert words in message.splitlines()[0]
    for python in ("tuple", "dictionary", "input should"):
        assert python not in message


def test_every_integer_has_a_largest_value():
    """So that 10**20 is one line and no OverflowError later."""
    found = []

    def walk(schema, path):
        for key, inner in schema.items() if isinstance(schema, dict) else enumerate(schema):
            if isinstance(inner, dict | list):
                walk(inner, (*path, key))
        if isinstance(schema, dict) and schema.get("type") == "integer":
            found.append(path)
            assert {"maximum", "exclusiveMaximum", "enum"} & set(schema), path

    walk(StudyConfig.model_json_schema(), ())
    assert len(found) > 50
