"""The files that are generated, and whether the JSON schema and the model agree."""

import copy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from hyperribbon.errors import ConfigError
from hyperribbon.studies.schema import SCHEMA, generated
from hyperribbon.studies.study import parse_study

CONFIG = Path(__file__).parents[2] / "config"
FILES = sorted(CONFIG.glob("*.yaml"))
VALIDATOR = Draft202012Validator(yaml.safe_load(SCHEMA.read_text()))


def test_what_is_generated_is_that_of_the_model_and_the_registry():
    """If this fails: make schema."""
    for path, text in generated().items():
        assert path.read_text() == text, path


def by_schema(study):
    return VALIDATOR.is_valid(study)


def by_model(study):
    try:
        parse_study(study)
    except ConfigError:
        return False
    return True


# A study of every section but one, which makes trainings of its own instead of some of these.
STUDY = {
    "study": "all",
    "plugins": [],
    "data": {"name": "mnist5k"},
    "networks": {
        "MLP": {"architecture": "fully_connected", "widths": [8], "batchnorm": False},
        "ViT": {"architecture": "vit", "width": 8, "heads": 2},
    },
    "optimisers": {
        "SGD": {"algorithm": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        "Adam": {"algorithm": "adam", "learning_rate": 0.001, "batch_size": 50},
    },
    "augmentations": {"flip": {"flip": True, "mixup": 0.2}},
    "training": {"epochs": 5, "batch_size": 100, "keep_weights": [0, 1], "precision": "tf32"},
    "combinations": [{"networks": ["MLP"]}, {"networks": ["ViT"], "epochs": 3}],
    "external": ["runs/*.zarr"],
    "analysis": {"components": 5},
    "dask": {"scheduler": "tcp://host:8786"},
    "corners": {"count": 1},
    "curvature": {"networks": ["MLP"]},
    "bases": {"samples": [2, 5]},
    "certificates": {"networks": ["MLP"], "methods": ["analytic"]},
    "synthetic": {"decays": [0.5], "shown": [0.5], "students": {"seeds": 2}},
    "regression": {"networks": [[8]], "seeds": 2},
    "linear": {},
    "representations": {"planes": {}, "widths": {}, "images": {"networks": ["MLP"]}},
    "inversion": {"data": {"mnist": {}}},
}


def changed(path, value):
    """The study with one key, written with slashes, set to a value."""
    study = copy.deepcopy(STUDY)
    *parents, last = path.split("/")
    section = study
    for key in parents:
        section = section[int(key) if isinstance(section, list) else key]
    section[last] = value
    return study


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_studies_that_come_with_it_are_accepted_by_both(path):
    study = yaml.safe_load(path.read_text())
    assert by_schema(study)
    if path.stem == "tasks_imagenet":  # its classes are the folders of the user's images
        with pytest.raises(ConfigError, match="data.path: /data/imagenet/train: no such folder"):
            parse_study(study)
    else:
        assert by_model(study)


def test_a_study_of_every_section_is_accepted_by_both():
    assert by_schema(STUDY) and by_model(STUDY)
    assert set(VALIDATOR.schema["properties"]) == {*STUDY, "tasks"}


def test_a_study_of_tasks_is_accepted_by_both():
    kept = "study", "data", "networks", "optimisers", "training"
    tasks = {
        "tree": "cifar10",
        "sets": {
            "digits": ["3", 5],
            "random": {"random": 2, "draws": 2},
        },
        "trainings": {
            "all": {"network": "MLP", "optimiser": next(iter(STUDY["optimisers"]))},
            "some": {
                "tasks": ["random"],
                "network": list(STUDY["networks"])[-1],
                "optimiser": list(STUDY["optimisers"])[-1],
            },
        },
        "comparisons": {"both": {"trainings": ["all", "some"], "reference": "all"}},
    }
    study = {name: STUDY[name] for name in kept} | {"tasks": tasks}
    assert by_schema(study) and by_model(study)
    for key, value in (("tree", 3), ("sets", {"digits": 3}), ("trainings", {}), ("lengths", [1])):
        broken = study | {"tasks": tasks | {key: value}}
        assert not by_schema(broken) and not by_model(broken)


def test_what_the_model_makes_of_a_study_is_accepted_by_the_schema():
    parsed = parse_study(STUDY).model_dump(mode="json")
    assert [error.message for error in VALIDATOR.iter_errors(parsed)] == []


BROKEN = [
    # the wrong type
    ("study", 3),
    ("data", []),
    ("networks", ["MLP"]),
    ("networks/MLP/widths", 8),
    ("networks/MLP/batchnorm", "yes"),
    ("networks/ViT/heads", 2.5),
    ("training/epochs", "5"),
    ("training/epochs", True),
    ("training/keep_weights", 1),
    ("optimisers/SGD/learning_rate", "fast"),
    ("optimisers/SGD/learning_rate", True),
    ("external", "runs/*.zarr"),
    ("combinations", {}),
    ("dask/scheduler", 8786),
    ("corners", 3),
    ("linear", []),
    # out of bounds
    ("study", "two words"),
    ("study", "x" * 41),
    ("networks", {}),
    ("networks/MLP/widths", []),
    ("networks/MLP/widths", [0]),
    ("training/epochs", 0),
    ("training/epochs", 10**7),
    ("training/label_smoothing", 1),
    ("training/keep_weights", [0, 2]),
    ("optimisers/SGD/learning_rate", 0),
    ("optimisers/SGD/momentum", 1),
    ("optimisers/Adam/batch_size", 0),
    ("augmentations/flip/mixup", -0.1),
    ("combinations", []),
    ("combinations/0/networks", []),
    ("external", [""]),
    ("analysis/components", 2),
    ("corners/count", 0),
    ("synthetic/decays", [0.0]),
    ("synthetic/decays", [11.0]),
    ("regression/networks", []),
    # an unknown key
    ("typo", 1),
    ("data/typo", 1),
    ("networks/ViT/widths", [8]),
    ("optimisers/Adam/momentum", 0.9),
    ("training/typo", 1),
    ("combinations/0/network", ["MLP"]),
    ("synthetic/students/typo", 1),
    # not one of those allowed
    ("data/name", "mnist6k"),
    ("networks/MLP/architecture", "perceptron"),
    ("networks/MLP/activation", "swish"),
    ("optimisers/SGD/algorithm", "lion"),
    ("optimisers/SGD/schedule", "step"),
    ("augmentations/flip/crop", "centre"),
    ("training/precision", "half"),
    ("training/device", "tpu"),
]


@pytest.mark.parametrize(("path", "value"), BROKEN)
def test_what_one_key_forbids_is_refused_by_both(path, value):
    study = changed(path, value)
    assert not by_schema(study)
    assert not by_model(study)


@pytest.mark.parametrize(
    "path",
    [
        "study",
        "data/name",
        "networks/MLP/architecture",
        "optimisers/SGD/algorithm",
        "optimisers/SGD/learning_rate",
        "training/epochs",
        "training/batch_size",
        "curvature/networks",
    ],
)
def test_a_missing_key_is_refused_by_both(path):
    study = copy.deepcopy(STUDY)
    *parents, last = path.split("/")
    section = study
    for key in parents:
        section = section[key]
    del section[last]
    assert not by_schema(study)
    assert not by_model(study)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("data", None),  # of a study that trains networks
        ("networks/ViT/patch_size", 5),  # 28 pixels
        ("networks/ViT/heads", 3),  # width 8
        ("optimisers/SGD/final_learning_rate", 1.0),
        ("optimisers/SGD/nesterov", True),  # accepted with momentum, see below
        ("training/batch_size", 4001),
        ("training/keep_weights", [1, 0]),
        ("training/record_train", 4001),
        ("data/train_size", 5000),
        ("combinations/0/networks", ["VGG"]),
        ("combinations/1/networks", ["MLP"]),
        ("augmentations/flip/padding", 2),
        ("curvature/networks", ["VGG"]),
        ("dask/scheduler", "host"),
        ("synthetic/shown", [0.1]),
        ("regression/networks", [[8], [8]]),
    ],
)
def test_the_model_is_stricter_where_keys_depend_on_each_other(path, value):
    study = changed(path, value)
    if path.endswith("nesterov"):
        study["optimisers"]["SGD"]["momentum"] = 0.0
    assert by_schema(study)
    assert not by_model(study)


def test_the_model_takes_numbers_as_yaml_reads_them():
    """YAML 1.1 reads 1e-3 as text, which the schema cannot know to be a number."""
    study = changed("optimisers/SGD/learning_rate", yaml.safe_load("1e-3"))
    assert by_model(study) and not by_schema(study)


def keys(section, path=""):
    """All keys of a study, written with slashes."""
    for key, value in section.items() if isinstance(section, dict) else ():
        yield f"{path}{key}"
        yield from keys(value, f"{path}{key}/")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 10**7),
    st.floats(-1, 2),
    st.lists(st.integers(-1, 3), max_size=2),
    st.dictionaries(st.sampled_from(["a", "b c"]), st.integers(), max_size=1),
)


@settings(max_examples=100, deadline=None)
@given(path=st.sampled_from(sorted(keys(STUDY))), value=SCALARS)
def test_what_the_schema_refuses_the_model_refuses(path, value):
    """The converse does not hold, see above; text that is a number is the one exception."""
    study = changed(path, value)
    if by_model(study):
        assert by_schema(study)
