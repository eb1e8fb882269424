import copy
import math
from pathlib import Path

import pytest
import yaml

from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import StudyConfig, parse_study
from hyperribbon.training.schedule import checkpoint_steps

CONFIG = Path(__file__).parents[2] / "config" / "mnist5k_full.yaml"


@pytest.fixture
def study():
    return yaml.safe_load(CONFIG.read_text())


def changed(study, path, value):
    """A copy with one key, written with slashes, set."""
    study = copy.deepcopy(study)
    *parents, last = path.split("/")
    section = study
    for key in parents:
        section = section.setdefault(key, {})
    section[last] = value
    return study


# Trainings and gigabytes of predictions, as config/README.md states them.
STUDIES = {
    "config": (30, 0.11),
    "mnist5k_full": (30, 0.26),
    "smoke": (8, 0.005),
    "corners": (28, 0.115),
    "certificate": (4, 0.007),
    "certificate_mnist": (4, 0.10),
    "certificates_optimised": (4, 0.007),
    "certificates_optimised_mnist": (15, 0.37),
    "reduction": (8, 0.071),
    "random_labels": (6, 0.061),
    "curvature_mnist": (4, 0.106),
    "curvature_cifar10": (2, 0.066),
    "cifar10_cpu": (48, 0.47),
    "cifar10_overnight": (82, 0.93),
    "cifar10_controls": (60, 0.63),
    "cifar10_mini": (60, 5.9),
    "cifar10": (3120, 491),
    "fashion_mnist": (30, 3.0),
    "imagenet": (15, 338),
    "external": (0, 0),
    "sloppy_synthetic": (0, 0),  # see test_synthetic
    "sloppy_synthetic_full": (0, 0),
    "boston": (0, 0),  # see test_regression
    "linear": (0, 0),  # see test_linear
    "representations": (6, 0.044),
    "representations_cifar10": (3, 0.024),
    "representations_mnist5k": (5, 0.0185),
    "inversion": (0, 0),  # see test_inversion
    "bases": (30, 0.11),
    "tasks_cpu": (77, 0.179),
    "tasks_cifar10": (165, 12.5),
}
NEEDS_IMAGES = "tasks_imagenet"  # its classes are the folders of the user's images


def test_the_studies_that_come_with_it_are_as_large_as_is_said():
    files = {path.stem: path for path in CONFIG.parent.glob("*.yaml")}
    assert set(files) == {*STUDIES, NEEDS_IMAGES}
    table = (CONFIG.parent / "README.md").read_text()
    for name, (trainings, gigabytes) in STUDIES.items():
        study = parse_study(yaml.safe_load(files[name].read_text()))
        assert f"`{name}.yaml`" in table
        assert study.study in (name, "mnist5k")
        assert len(study.trainings()) == trainings
        size = 0
        for job in study.configurations():
            data, training = job.data, job.training
            checkpoints = checkpoint_steps(training.epochs, job.steps_per_epoch())
            samples = (training.record_train or data.train_size) + data.test_size
            size += (
                (4 if training.predictions == "float32" else 2)
                * training.seeds
                * len(checkpoints)
                * samples
                * data.n_classes
            )
        assert size / 1e9 == pytest.approx(gigabytes, rel=0.1)


RECORDED = {"study": "mine", "external": ["runs/*.zarr"]}


def test_a_study_of_external_stores_alone_trains_nothing():
    parsed = parse_study(RECORDED)
    assert parsed.external == ("runs/*.zarr",)
    assert parsed.configurations() == []
    assert StudyConfig.model_validate(parsed.model_dump(mode="json")) == parsed


@pytest.mark.parametrize("key", ["augmentations", "combinations", "corners", "curvature"])
def test_a_study_that_trains_nothing_has_no(key):
    given = {"augmentations": {"flip": {"flip": True}}, "combinations": [{"networks": ["A"]}]}
    given["corners"] = {}
    given["curvature"] = {"networks": ["Net"]}
    with pytest.raises(ConfigError, match=f"{key} = .*a study that trains nothing has none"):
        parse_study({**RECORDED, key: given[key]})


def test_external_stores_beside_trainings(study):
    parsed = parse_study({**study, "external": ["a.zarr", "b.zarr"]})
    assert parsed.configurations() == parse_study(study).configurations()


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"external": []}, "data: missing key (The data set.)"),
        ({"external": [""]}, 'external.0 = "": must not be empty'),
        ({"external": [3]}, "external.0 = 3: must be text; put it in quotes"),
        ({"data": {"name": "mnist5k"}}, "networks: missing key (The networks, by the name that"),
    ],
)
def test_a_study_needs_trainings_or_external_stores(keys, line):
    with pytest.raises(ConfigError) as error:
        parse_study({**RECORDED, **keys})
    assert str(error.value).startswith(f"configuration: {line}")
    assert "\n" not in str(error.value)


def without(study, path):
    study = copy.deepcopy(study)
    *parents, last = path.split("/")
    section = study
    for key in parents:
        section = section[key]
    del section[last]
    return study


def ids(study):
    return [configuration.id for configuration in parse_study(study).configurations()]


def test_default_study_is_valid(study):
    parsed = parse_study(study)
    assert parsed.training.seeds == 3
    assert parsed.networks["AllCNN"].widths == (16, 24)
    labels = [configuration.label for configuration in parsed.configurations()]
    assert len(labels) == len(study["networks"]) * len(study["optimisers"])
    assert labels[:3] == [
        "FullyConnected-SGD-Nesterov",
        "FullyConnected-Adam",
        "AllCNN-SGD-Nesterov",
    ]


def test_a_parsed_study_survives_its_own_dump(study):
    parsed = parse_study(study)
    assert StudyConfig.model_validate(parsed.model_dump(mode="json")) == parsed
    assert StudyConfig.model_validate(parsed.model_dump(exclude_defaults=True)) == parsed


MALFORMED = [
    ("study", "a b", "letters, digits"),
    ("study", "../up", "letters, digits"),
    ("study", "", "letters, digits"),
    ("study", "x" * 41, "at most 40 characters"),
    ("study", 3, "must be text"),
    ("data/name", "mnist6k", "mnist5k, digits, "),
    ("data/train_size", 5, "at least one sample per class, 10"),
    ("data/train_size", "many", "must be a whole number"),
    ("data/train_size", 4000.5, "must be a whole number"),
    ("data/train_size", True, "must be a whole number"),
    ("data/train_size", 0, "must be at least 1"),
    ("data/test_size", -1, "must be at least 1"),
    ("data/image_size", 29, "at most 28"),
    ("data/split_seed", -1, "must be at least 0"),
    ("data/imagesize", 12, "did you mean image_size?"),
    ("data", 3, "mapping of keys"),
    ("networks", {}, "must not be empty"),
    ("networks", 3, "mapping of keys"),
    ("networks/AllCNN", None, "mapping of keys"),
    (
        "networks/AllCNN/architecture",
        "vgg",
        "fully_connected, allcnn, wide_resnet, convmixer, vit, lenet, resnet",
    ),
    ("networks/AllCNN/widths", [], "must not be empty"),
    ("networks/AllCNN/widths", 3, "must be a list, such as [3]"),
    ("networks/AllCNN/width", 3, "did you mean widths?"),
    ("networks/WideResNet/depth", 12, "6 k + 4"),
    ("networks/WideResNet/depth", 4, "6 k + 4"),
    ("networks/ConvMixer/patch_size", 5, "1, 2, 3, 4, 6, 12"),
    ("dask/scheduler", "localhost", "an address such as tcp://host:8786"),
    ("dask/scheduler", 8786, "must be text"),
    ("networks/ViT/patch_size", 5, "must divide the images' 12 x 12 pixels"),
    ("networks/ViT/width", 50, "multiple of heads = 4"),
    ("networks/ViT/heads", 0, "must be at least 1"),
    ("optimisers", {}, "must not be empty"),
    ("optimisers/Adam", 7, "mapping of keys"),
    ("optimisers/Adam/algorithm", "lion", "sgd, adam"),
    ("optimisers/Adam/learning_rate", -1, "must be more than 0"),
    ("optimisers/Adam/learning_rate", 0, "must be more than 0"),
    ("optimisers/Adam/learning_rate", "fast", "number"),
    ("optimisers/Adam/learning_rate", True, "number"),
    ("optimisers/Adam/learning_rate", math.nan, "finite"),
    ("optimisers/Adam/learning_rate", math.inf, "finite"),
    ("optimisers/Adam/momentum", 0.9, "allowed: learning_rate, weight_decay"),
    ("optimisers/SGD-Nesterov/momentum", 1, "must be less than 1"),
    ("optimisers/SGD-Nesterov/nesterov", "yes", "must be true or false"),
    ("optimisers/SGD-Nesterov/weight_decay", -1, "must be at least 0"),
    ("training/epochs", 0, "must be at least 1"),
    ("training/batch_size", 4001, "at most data.train_size = 4000"),
    ("training/batch_size", 1, "at least 2"),
    ("training/seeds", 0, "must be at least 1"),
    ("training/device", "gpu", '"auto", "cpu" or "cuda"'),
    ("training/keep_weights", [1.0, 0.5], "must increase"),
    ("training/keep_weights", [0.5, 0.5], "must increase"),
    ("training/threads", 0, "must be at least 1"),
    ("training/calibrate_batchnorm", 1, "must be true or false"),
    ("training/learningrate", 1, "allowed: epochs, batch_size, seeds"),
    ("analysis/components", 2, "must be at least 3"),
    ("analysis/progress_points", 1, "must be at least 2"),
    ("analysis/tile", 1, "allowed: components, progress_points, geodesic_points"),
    ("external", "runs/*.zarr", "must be a list"),
    ("curvature/samples", 4001, "at most data.train_size = 4000"),
    ("curvature/samples", 5, "must be at least 10"),
    ("curvature/eigenvalues", 1, "must be at least 2"),
    ("corners", 3, "mapping of keys"),
    ("corners/count", 0, "must be at least 1"),
    ("corners/epochs", 0, "must be at least 1"),
    ("corners/epoch", 3, "did you mean epochs?"),
    ("extra", 1, "allowed: study, plugins, data, networks, optimisers, augmentations"),
]


@pytest.mark.parametrize(("path", "value", "allowed"), MALFORMED)
def test_one_line_says_the_key_the_value_and_what_is_allowed(study, path, value, allowed):
    with pytest.raises(ConfigError) as error:
        parse_study(changed(study, path, value))
    message = str(error.value)
    assert "\n" not in message
    key, _, rest = message.removeprefix("configuration: ").partition(" = ")
    assert key == path.replace("/", ".")
    shown = str(value).replace("'", "").replace("None", "null")
    shown = {"nan": "NaN", "inf": "Infinity", "True": "true"}.get(shown, shown)
    assert rest.replace('"', "").startswith(f"{shown}: ")
    assert allowed in rest


def test_curvature_is_of_networks_that_are_trained_and_whose_weights_are_kept(study):
    with pytest.raises(ConfigError, match='curvature.networks = "CNN": one of networks: FullyC'):
        parse_study(changed(study, "curvature/networks", ["CNN"]))
    with pytest.raises(
        ConfigError, match=r"keep_weights = \[0.0, 0.5\]: with curvature must contain"
    ):
        parse_study(changed(study, "training/keep_weights", [0.0, 0.5]))

    def looked_at_in(study):
        return study.curvature.configurations(study)

    looked_at = looked_at_in(parse_study(study))
    assert {c.network_name for c in looked_at} == {"FullyConnected"} and len(looked_at) == 2
    corners = parse_study({**study, "corners": {"count": 2}})
    assert looked_at_in(corners) == looked_at


@pytest.mark.parametrize(
    ("path", "key", "value", "allowed"),
    [
        # Keys that the error has to name differently from the one that was changed.
        ("data/train_size", "data.train_size + test_size", 5001, "at most 5000"),
        ("optimisers/SGD-Nesterov/momentum", "optimisers.SGD-Nesterov.nesterov", "true",
         "needs momentum > 0"),
        ("training/keep_weights", "training.keep_weights.0", 2, "must be at most 1"),
        ("networks/AllCNN/widths", "networks.AllCNN.widths.0", 0, "must be at least 1"),
        ("networks/A B", "networks", '"A B"', "letters, digits"),
    ],
)  # fmt: skip
def test_the_offending_key_is_named(study, path, key, value, allowed):
    given = {
        "data/train_size": 4001,
        "optimisers/SGD-Nesterov/momentum": 0.0,
        "training/keep_weights": [2],
        "networks/AllCNN/widths": [0],
        "networks/A B": {"architecture": "allcnn"},
    }[path]
    with pytest.raises(ConfigError) as error:
        parse_study(changed(study, path, given))
    message = str(error.value)
    assert message.startswith(f"configuration: {key} = {value}: ")
    assert allowed in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("path", "about"),
    [
        ("study", "Name of the study"),
        ("data", "The data set"),
        ("data/name", "mnist5k"),
        ("networks", "The networks"),
        ("networks/ViT/architecture", "fully_connected, allcnn, wide_resnet, convmixer, vit"),
        ("optimisers/Adam/algorithm", "sgd, adam"),
        ("optimisers/Adam/learning_rate", "Initial learning rate"),
        ("training/epochs", "Passes over the training set"),
    ],
)
def test_a_missing_key_is_named_and_explained(study, path, about):
    with pytest.raises(ConfigError) as error:
        parse_study(without(study, path))
    message = str(error.value)
    assert message.startswith(f"configuration: {path.replace('/', '.')}: missing key")
    assert about in message
    assert "\n" not in message


@pytest.mark.parametrize("config", [None, [1], "study"])
def test_what_is_no_mapping_is_refused(config):
    with pytest.raises(ConfigError, match="^configuration: .*must be a mapping of keys"):
        parse_study(config)


def test_every_offending_key_has_its_line(study):
    study = changed(changed(study, "training/epochs", 0), "data/image_size", 40)
    with pytest.raises(ConfigError) as error:
        parse_study(study)
    lines = str(error.value).splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "configuration: data.image_size",
        "configuration: training.epochs",
    ]


def test_a_network_may_be_called_as_another_architecture(study):
    study = changed(study, "networks/vit", {"architecture": "allcnn", "widths": 3})
    with pytest.raises(ConfigError, match=r"^configuration: networks\.vit\.widths = 3: "):
        parse_study(study)


def test_ids_are_unique_and_readable(study):
    found = ids(study)
    assert len(set(found)) == len(found)
    for configuration, id_ in zip(parse_study(study).configurations(), found, strict=True):
        assert id_.startswith(f"{configuration.label}-")
        assert set(id_) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def test_ids_are_unique_though_names_run_together(study):
    del study["curvature"]
    study["networks"] = {name: {"architecture": "allcnn"} for name in ("A", "A-B")}
    study["optimisers"] = {
        name: {"algorithm": "adam", "learning_rate": 0.1} for name in ("B-C", "C")
    }
    assert len(set(ids(study))) == 4


def test_another_optimiser_or_network_renames_nothing(study):
    more = changed(study, "optimisers/AAA", {"algorithm": "sgd", "learning_rate": 0.1})
    more = changed(more, "networks/AAA", {"architecture": "allcnn"})
    assert set(ids(study)) < set(ids(more))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("study", "other"),
        ("training/seeds", 9),
        ("training/device", "cpu"),
        ("training/threads", 2),
        ("training/parallel_seeds", 3),
        ("training/keep_weights", [1.0]),
        ("analysis/components", 5),
        # Said, though it is the default.
        ("training/calibrate_batchnorm", True),
        ("data/split_seed", 0),
        ("optimisers/Adam/weight_decay", 0.0),
    ],
)
def test_what_leaves_a_seed_as_it_is_leaves_the_id(study, path, value):
    assert ids(changed(study, path, value)) == ids(study)


@pytest.mark.parametrize(
    ("path", "value", "concerned"),
    [
        ("training/epochs", 26, ""),
        ("training/batch_size", 50, ""),
        ("training/calibrate_batchnorm", False, ""),
        ("data/image_size", 24, ""),
        ("data/split_seed", 1, ""),
        ("data/train_size", 3999, ""),
        ("data/test_size", 999, ""),
        ("networks/AllCNN/widths", [16, 25], "AllCNN-"),
        ("networks/ViT/heads", 2, "ViT-"),
        ("optimisers/Adam/learning_rate", 0.004, "-Adam-"),
        ("optimisers/SGD-Nesterov/momentum", 0.8, "-SGD-Nesterov-"),
        ("optimisers/SGD-Nesterov/nesterov", False, "-SGD-Nesterov-"),
    ],
)
def test_what_changes_the_predictions_changes_the_id(study, path, value, concerned):
    before, after = ids(study), ids(changed(study, path, value))
    for a, b in zip(before, after, strict=True):
        assert (a != b) == (concerned in a)


def test_json_of_a_configuration_is_canonical(study):
    first = parse_study(study).configurations()[0]
    study["training"] = dict(reversed(study["training"].items()))
    again = parse_study(study).configurations()[0]
    assert first.to_json() == again.to_json()
    assert type(first).model_validate_json(first.to_json()) == first


def test_corners_add_two_trainings_each_to_every_one(study):
    plain = parse_study(study).configurations()
    direct, to, start, *_, last = parse_study({**study, "corners": {"count": 2}}).configurations()
    assert direct == plain[0]
    assert (to.stage, to.corner, to.training.epochs) == ("to corner 1", 1, 100)
    assert (start.stage, start.corner, start.training) == ("from corner 1", 0, direct.training)
    assert start.start == to
    assert to.label == "FullyConnected-SGD-Nesterov-to-corner-1"
    assert (last.label, last.start.corner) == ("ViT-Adam-from-corner-2", 2)
    assert type(start).model_validate_json(start.to_json()) == start


def test_corners_and_combinations(study):
    parsed = parse_study({**study, **GRID, "corners": {"count": 1}})
    found = {c.label: c.training.epochs for c in parsed.configurations()}
    assert len(found) == 3 * (5 * 2 + 2 * 2)
    assert found["AllCNN-Adam-flip-from-corner-1"] == 40
    assert found["AllCNN-Adam-flip-to-corner-1"] == 100


def test_corners_rename_nothing(study):
    """Nor does this version: these are of the one before it had corners."""
    before = ids(study)
    assert before[:2] == ["FullyConnected-SGD-Nesterov-a15063c5", "FullyConnected-Adam-a867e21d"]
    one, two = (ids({**study, "corners": {"count": count}}) for count in (1, 2))
    assert set(before) < set(one) < set(two)
    assert len(set(two)) == 5 * len(before)


def test_a_longer_way_to_a_corner_is_another_way_from_it(study):
    ours, theirs = (ids({**study, "corners": {"count": 1, "epochs": n}}) for n in (100, 101))
    for a, b in zip(ours, theirs, strict=True):
        assert (a != b) == ("corner" in a)
    more = changed({**study, "corners": {"count": 1}}, "training/seeds", 9)
    assert ids(more) == ours


def test_corners_need_the_last_weights(study):
    study = changed({**study, "corners": {}}, "training/keep_weights", [0.0, 0.5])
    with pytest.raises(ConfigError) as error:
        parse_study(study)
    assert str(error.value) == (
        "configuration: training.keep_weights = [0.0, 0.5]: with corners must contain 1.0, the "
        "weights from which trainings continue"
    )


def test_progressive_resizing_must_end_before_the_corner(study):
    resizing = {"image_size": 8, "from_epoch": 5, "to_epoch": 20}
    study = {
        **changed(study, "augmentations/none", {"progressive_resizing": resizing}),
        "networks": {"AllCNN": study["networks"]["AllCNN"]},
        "curvature": None,
    }
    parse_study(study)
    with pytest.raises(ConfigError, match="below the epochs of AllCNN-SGD-Nesterov-to-c"):
        parse_study({**study, "corners": {"epochs": 10}})


GRID = {
    "augmentations": {"none": {}, "flip": {"flip": True}},
    "combinations": [
        {"augmentations": ["none"]},
        {"augmentations": ["flip"], "networks": ["AllCNN", "WideResNet"], "epochs": 40},
    ],
}


def test_combinations_say_what_is_trained_with_what(study):
    parsed = parse_study({**study, **GRID})
    found = {c.label: c.training.epochs for c in parsed.configurations()}
    assert len(found) == 5 * 2 + 2 * 2
    assert found["ViT-Adam"] == found["AllCNN-Adam"] == 30
    assert found["AllCNN-Adam-flip"] == found["WideResNet-SGD-Nesterov-flip"] == 40
    assert "ViT-Adam-flip" not in found
    # What is there already keeps its name.
    assert set(ids(study)) < set(ids({**study, **GRID}))


def test_a_combination_may_have_its_own_number_of_seeds(study):
    others = [name for name in study["networks"] if name != "ViT"]
    grid = [{"networks": ["ViT"], "seeds": 10}, {"networks": others}]
    parsed = parse_study({**study, "combinations": grid})
    seeds = {c.label: c.training.seeds for c in parsed.configurations()}
    assert len(seeds) == len(ids(study))
    assert parsed.training.seeds == seeds["AllCNN-Adam"] == 3
    assert seeds["ViT-Adam"] == seeds["ViT-SGD-Nesterov"] == 10
    with pytest.raises(ConfigError, match=r"combinations\.0\.seeds"):
        parse_study({**study, "combinations": [{"seeds": 0}]})


def test_an_optimiser_may_have_a_batch_size_of_its_own(study):
    other = changed(study, "optimisers/Adam/batch_size", 100)
    sizes = {c.label: c.training.batch_size for c in parse_study(other).configurations()}
    assert sizes["ViT-Adam"] == 100
    assert sizes["ViT-SGD-Nesterov"] == 200


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("combinations", [], "must not be empty"),
        (
            "combinations",
            [{"networks": ["VGG"]}],
            'combinations.0.networks = "VGG": one of networks',
        ),
        ("combinations", [{}, {"networks": ["ViT"]}], "must be in one of them only"),
        ("combinations", [{"network": ["ViT"]}], "did you mean networks?"),
        ("augmentations", {}, "must not be empty"),
        ("augmentations/pad", {"padding": 4}, 'needs crop = "random"'),
        (
            "augmentations/pad",
            {"progressive_resizing": {"size": 3}},
            "size = 3: unknown key, allowed: image_size",
        ),
        ("augmentations/pad", {"crop": "centre"}, '"random_resized"'),
        ("augmentations/pad", {"crop": "random"}, "needs padding, or images stored larger"),
        ("combinations", [{"networks": []}], "combinations.0.networks"),
        ("combinations", [{"networks": ["ViT"]}], "is in none of the combinations"),
        ("optimisers/Adam/batch_size", 4001, "optimisers.Adam.batch_size = 4001: at most"),
        ("optimisers/Adam/batch_size", 1, "at least 2"),
        ("optimisers/Adam/final_learning_rate", 0.1, "at most learning_rate = 0.002"),
        ("optimisers/Adam/schedule", "step", '"cosine"'),
        ("training/record_train", 4001, "training.record_train = 4001: at most data.train_size"),
        ("training/label_smoothing", 1, "must be less than 1"),
        ("training/precision", "half", '"bfloat16"'),
    ],
)
def test_what_the_grid_refuses(study, path, value, message):
    with pytest.raises(ConfigError) as error:
        parse_study(changed(study, path, value))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("networks", "resizing", "message"),
    [
        (["ViT"], (8, 5, 10), "ViT, vit, takes one size only"),
        (["AllCNN"], (13, 5, 10), "at most data.image_size = 12"),
        (["AllCNN"], (8, 5, 30), "below the epochs of AllCNN-SGD-Nesterov-small, 30"),
        (["AllCNN"], (8, 5, 4), "at least from_epoch = 5"),
    ],
)
def test_what_progressive_resizing_refuses(study, networks, resizing, message):
    keys = dict(zip(("image_size", "from_epoch", "to_epoch"), resizing, strict=True))
    grid = {
        "augmentations": {"small": {"progressive_resizing": keys}},
        "combinations": [{"networks": networks}],
    }
    with pytest.raises(ConfigError) as error:
        parse_study({**study, **grid})
    assert message in str(error.value)
