"""Sections of the data: what is known before anything is read, and what is refused."""

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

import hyperribbon.data
from hyperribbon.config import DataConfig
from hyperribbon.config.data import DATA_SOURCES
from hyperribbon.errors import ConfigError
from hyperribbon.studies.study import parse_study

NPZ = {
    "name": "npz",
    "path": "own.npz",
    "shape": [3, 16, 16],
    "classes": 4,
    "train_size": 200,
    "test_size": 50,
}
FUNCTION = {key: value for key, value in NPZ.items() if key != "path"}
FUNCTION |= {"name": "function", "entry_point": "pack.own:load"}


def section(**settings):
    return TypeAdapter(DataConfig).validate_python(settings)


def parsed(data, augmentations=None, **network):
    """A study on some data."""
    network = network or {"architecture": "fully_connected"}
    study = {
        "study": "s",
        "data": data,
        "networks": {"Net": network},
        "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.1}},
        "training": {"epochs": 1, "batch_size": 100},
    }
    return parse_study(study | ({"augmentations": augmentations} if augmentations else {}))


@pytest.mark.parametrize(
    ("settings", "shape", "sizes", "fetched"),
    [
        ({"name": "mnist5k"}, (1, 28, 28), (4000, 1000), False),
        ({"name": "mnist5k", "image_size": 12}, (1, 12, 12), (4000, 1000), False),
        ({"name": "digits"}, (1, 8, 8), (1437, 360), False),
        ({"name": "mnist"}, (1, 28, 28), (60000, 10000), True),
        ({"name": "fashion_mnist", "train_size": 500}, (1, 28, 28), (500, 10000), True),
        ({"name": "kmnist", "image_size": 14}, (1, 14, 14), (60000, 10000), True),
        ({"name": "cifar10"}, (3, 32, 32), (50000, 10000), True),
    ],
)
def test_facts_of_known_sets(settings, shape, sizes, fetched):
    config = section(**settings)
    assert config.input_shape == config.stored_shape == shape
    assert config.source_shape == DATA_SOURCES[config.name].shape
    assert (config.train_size, config.test_size) == sizes
    assert config.n_classes == 10
    assert config.fetched == fetched
    assert config.standardises
    assert config.fingerprint() == ""
    assert config.load_arguments == {}


def test_facts_of_a_folder_of_photographs():
    config = section(name="imagenet", path="photographs")
    assert config.input_shape == (3, 224, 224)
    assert config.stored_shape == config.source_shape == (3, 256, 256)
    assert (config.train_size, config.test_size, config.n_classes) == (1281167, 50000, 1000)
    assert config.load_arguments == {"path": "photographs", "size": 256}


def test_facts_of_sloppy_data():
    config = section(name="sloppy", features=20, train_size=50, test_size=10)
    assert config.input_shape == config.stored_shape == config.source_shape == (20,)
    assert (config.n_classes, config.decay, config.seed) == (5, 0.5, 0)
    assert not config.standardises and not config.fetched
    assert config.memory_bytes == (4 * 60 * 20, 4 * 60 * 20)


@pytest.mark.parametrize("shape", [(3, 16, 16), (7,)])
def test_facts_of_own_data(shape):
    config = section(**{**NPZ, "shape": list(shape)}, standardise=False)
    assert config.input_shape == config.stored_shape == config.source_shape == shape
    assert config.n_classes == 4
    assert not config.standardises
    assert config.load_arguments == {"path": "own.npz"}
    assert section(**FUNCTION).load_arguments == {"entry_point": "pack.own:load"}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"name": "mnist", "train_size": 60001},
         "data.train_size = 60001: mnist has 60000 samples in its train part, so at most 60000"),
        ({"name": "cifar10", "test_size": 10001},
         "data.test_size = 10001: cifar10 has 10000 samples in its test part, so at most 10000"),
        ({"name": "digits", "train_size": 1438},
         "data.train_size + test_size = 1798: digits has 1797 samples, so at most 1797"),
        ({"name": "cifar10", "image_size": 33}, "data.image_size = 33: at most 32"),
        ({"name": "digits", "groups": [[0, 1], [2, 3]]}, "each class from 0 to 9 in one group"),
        ({"name": "mnist", "groups": [list(range(10)), [3]]}, "each class from 0 to 9 in one gr"),
        ({"name": "cifar10", "train_size": 9}, "at least one sample per class, 10"),
        ({"name": "imagenet", "path": "p", "image_size": 257}, "at most stored_size = 256"),
        ({"name": "imagenet"}, "data.path: missing key (Folder that holds `train/<class>/"),
        ({"name": "cifar10", "path": "p"}, "data.path = \"p\": unknown key, allowed: name, "),
        ({"name": "sloppy", "decay": 0}, "data.decay = 0: "),
        ({"name": "sloppy", "decay": 11}, "data.decay = 11: "),
        ({"name": "sloppy", "decay": True}, "data.decay = true: "),
        ({"name": "sloppy", "features": 0}, "data.features = 0: "),
        ({"name": "sloppy", "classes": 1}, "data.classes = 1: "),
        ({"name": "sloppy", "teacher_width": 1}, "data.teacher_width = 1: at least 2"),
        ({"name": "sloppy", "seed": -1}, "data.seed = -1: "),
        ({"name": "sloppy", "test_size": 4},
         "data.test_size = 4: at least one sample per class, 5"),
        ({"name": "sloppy", "train_size": 9_000_000},
         "data.train_size + test_size = 9001000: at most 5368709, 4 GiB of 200 features"),
        ({**NPZ, "shape": [16, 16]}, "must be [channels, height, width] or [features]"),
        ({**NPZ, "shape": []}, "data.shape = []: "),
        ({**NPZ, "shape": [3, 0, 16]}, "data.shape.1 = 0: "),
        ({**NPZ, "classes": 1}, "data.classes = 1: "),
        ({**NPZ, "train_size": 3}, "at least one sample per class, 4"),
        ({**NPZ, "standardise": "yes"}, "data.standardise = \"yes\": "),
        ({**NPZ, "path": ""}, "data.path = \"\": "),
        ({**FUNCTION, "entry_point": "load"}, "data.entry_point = \"load\": "),
        ({**FUNCTION, "entry_point": "pack.own:load()"}, "data.entry_point = "),
        ({**FUNCTION, "entry_point": "../own:load"}, "data.entry_point = "),
        ({**NPZ, "train_size": 99}, "training.batch_size = 100: at most data.train_size = 99"),
    ],
)  # fmt: skip
def test_one_line_says_the_key_the_value_and_what_is_allowed(data, line):
    with pytest.raises(ConfigError) as error:
        parsed(data)
    assert str(error.value).startswith("configuration: ")
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_networks_are_checked_against_the_shape_of_the_data():
    patches = {"architecture": "convmixer", "patch_size": 5}
    with pytest.raises(ConfigError, match="must divide the images' 16 x 16"):
        parsed(NPZ, **patches)
    assert parsed({**NPZ, "shape": [3, 15, 15]}, **patches).data.classes == 4


@pytest.mark.parametrize("crop", [{"flip": True}, {"crop": "random", "padding": 2}])
def test_what_cuts_images_needs_square_ones(crop):
    for shape, message in (
        ([3, 16, 24], "needs square images; those of the data have 16 x 24 pixels"),
        ([24], "needs images, "),
    ):
        with pytest.raises(ConfigError, match=message):
            parsed({**NPZ, "shape": shape}, augmentations={"cut": crop})
    assert parsed({**NPZ, "shape": [3, 16, 24]}, augmentations={"mixed": {"mixup": 0.2}})


def test_all_that_decides_what_is_stored_is_resolved():
    resolved = parsed({"name": "mnist5k", "image_size": 12}).data.resolved
    assert resolved["source_shape"] == (1, 28, 28)
    assert resolved["stored_shape"] == resolved["input_shape"] == (1, 12, 12)
    assert resolved["n_classes"] == 10 and resolved["standardises"]


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"name": "mnist5k", "image_size": 12}, "MLP-Adam-c3271eaa"),
        ({"name": "mnist5k", "train_size": 400, "split_seed": 3}, "MLP-Adam-6b1626a1"),
    ],
)
def test_ids_do_not_change(data, kept):
    """Stores are named by them."""
    study = yaml.safe_load(
        """
        study: s
        networks: {MLP: {architecture: fully_connected, widths: [16]}}
        optimisers: {Adam: {algorithm: adam, learning_rate: 0.002}}
        training: {epochs: 3, batch_size: 50}
        """
    )
    [configuration] = parse_study({**study, "data": data}).configurations()
    assert configuration.id == kept


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_fingerprint_of_a_file_is_its_hash(here):
    (here / "own.npz").write_bytes(b"content")
    assert section(**NPZ).fingerprint() == hashlib.sha256(b"content").hexdigest()


def test_the_fingerprint_of_a_store_is_of_names_and_contents(here):
    store = here / "own.zarr"
    (store / "images").mkdir(parents=True)
    (store / "zarr.json").write_text("{}")
    (store / "images" / "0").write_text("a")
    config = section(**{**NPZ, "name": "zarr", "path": "own.zarr"})
    found = [config.fingerprint(), config.fingerprint()]
    (store / "images" / "0").write_text("b")
    found.append(config.fingerprint())
    (store / "images" / "0").rename(store / "images" / "1")
    found.append(config.fingerprint())
    assert found[0] == found[1]
    assert len(set(found)) == 3


def test_the_fingerprint_of_a_function_is_of_its_module_which_is_not_imported(here):
    (here / "pack").mkdir()
    (here / "pack" / "__init__.py").write_text("raise SystemExit('imported')")
    (here / "pack" / "own.py").write_text("raise SystemExit('imported')")
    config = section(**FUNCTION)
    assert config.fingerprint() == hashlib.sha256(b"raise SystemExit('imported')").hexdigest()
    (here / "pack" / "own.py").write_text("x = 1")
    assert config.fingerprint() == hashlib.sha256(b"x = 1").hexdigest()


@pytest.mark.parametrize(
    "data",
    [
        NPZ,
        {**NPZ, "name": "zarr"},
        FUNCTION,
        {**FUNCTION, "entry_point": "json.no_such:load"},
        {"name": "imagenet", "path": "photographs"},
    ],
)
def test_what_is_not_there_is_one_line(here, data):
    with pytest.raises(ConfigError) as error:
        section(**data).fingerprint()
    key = "path" if "path" in data else "entry_point"
    assert str(error.value).startswith(f'configuration: data.{key} = "{data[key]}": not there, ')
    assert "\n" not in str(error.value)


def test_photographs_have_as_many_folders_as_classes(here):
    for name in ("train/cat", "train/dog", "val/cat", "val/dog"):
        Path("photographs", name).mkdir(parents=True)
        Path("photographs", name, "1.jpg").touch()
    for name in ("train/.ipynb_checkpoints", "val/.cache"):
        Path("photographs", name).mkdir()
    settings = {"name": "imagenet", "path": "photographs", "train_size": 9, "test_size": 9}
    assert section(**settings, classes=2).fingerprint() == ""
    with pytest.raises(ConfigError, match=r"data.classes = 3: expected 2, the folders in"):
        section(**settings, classes=3).fingerprint()
    Path("photographs/val/dog/1.jpg").unlink()
    with pytest.raises(ConfigError, match="data.path: photographs/val/dog: no images"):
        section(**settings, classes=2).fingerprint()


@pytest.mark.parametrize("shape", [[32, 32, 3], [48, 64, 1], [224, 224, 4]])
def test_channels_that_come_last_are_refused(shape):
    with pytest.raises(ValidationError, match=r"looks like \[height, width, channels\]"):
        section(**{**NPZ, "shape": shape})


@pytest.mark.parametrize("shape", [[3, 32, 32], [12, 1000, 1], [64, 4, 4], [3, 3, 3], [32]])
def test_channels_that_come_first_are_taken(shape):
    assert section(**{**NPZ, "shape": shape}).input_shape == tuple(shape)


def test_every_set_has_a_module_and_the_name_of_one_is_its_first_key():
    folder = Path(hyperribbon.data.__file__).parent
    for member in get_args(get_args(DataConfig)[0]):
        key, field = next(iter(member.model_fields.items()))
        assert key == "name"
        [name] = get_args(field.annotation)
        assert (folder / f"{name}.py").exists()


def test_neither_numpy_nor_torch_is_imported_to_read_a_section():
    code = (
        "import sys, hyperribbon.config.data as data; "
        "data.FunctionConfig(name='function', entry_point='json:load', shape=[2], classes=2, "
        "train_size=2, test_size=2).fingerprint(); "
        "assert not {'numpy', 'torch', 'zarr'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
