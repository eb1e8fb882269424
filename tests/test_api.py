import ast
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

import hyperribbon as hr
from hyperribbon._moved import MOVED


def exists(dotted: str) -> bool:
    """Whether there is a module or, in a module, a name."""
    place, _, name = dotted.rpartition(".")
    if find_spec(place).submodule_search_locations is not None:
        return find_spec(dotted) is not None
    return hasattr(import_module(place), name)


HOMES, ROOMS = hr._HOMES, hr._ROOMS


def test_every_public_name_is_there_and_documented():
    names = [name for names in HOMES.values() for name in names]
    for name in names:
        assert getattr(hr, name).__name__ == name
        assert getattr(hr, name).__doc__, name
        assert name in dir(hr)
    contract = {
        "ClassTree",
        "IsKL",
        "InPCA",
        "align",
        "centroid",
        "geodesic",
        "ignorance",
        "imprint",
        "imprinted_predictions",
        "joint_embedding",
        "pairwise_distance",
        "progress",
        "random_stochastic_projection",
        "resample_trajectory",
        "trajectory_distance",
        "trajectory_length",
        "truth",
    }
    assert contract <= set(hr.__all__)


def test_every_room_is_there_without_an_import():
    code = f"import hyperribbon as hr; print([getattr(hr, room).__name__ for room in {ROOMS}])"
    assert printed(code) == str([f"hyperribbon.{room}" for room in ROOMS])
    assert set(ROOMS) < set(dir(hr))


def test_editors_and_mypy_know_the_same_names():
    """Those imported if TYPE_CHECKING are those imported on first use."""
    [block] = [
        node
        for node in ast.parse(Path(hr.__file__).read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    known = {f"{node.module}.{alias.name}" for node in block.body for alias in node.names}
    used = {f"hyperribbon.{home}.{name}" for home, names in HOMES.items() for name in names}
    assert known == used | {f"hyperribbon.{room}" for room in ROOMS}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'pairwise_distances'"):
        hr.pairwise_distances  # noqa: B018


def printed(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, hyperribbon as hr; assert callable(hr.ConfigError); "
        "print(sorted({'torch', 'numba', 'numpy', 'sklearn', 'dask'} & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_distances_load_no_torch():
    code = (
        "import sys, numpy as np, hyperribbon as hr; hr.pairwise_distance(np.ones((2, 3, 1))); "
        "print('torch' in sys.modules)"
    )
    assert printed(code) == "False"


def test_importing_the_package_loads_none_of_its_rooms():
    code = (
        "import sys, hyperribbon; print([m for m in sys.modules if m.startswith('hyperribbon.')])"
    )
    assert printed(code) == "['hyperribbon._moved']"


@pytest.mark.parametrize("old", MOVED)
def test_an_old_place_names_the_new_one_which_exists(old):
    new = f"hyperribbon.{MOVED[old]}"
    with pytest.raises(ModuleNotFoundError) as error:
        import_module(f"hyperribbon.{old}")
    assert str(error.value) == f"hyperribbon.{old} is {new} now"
    assert exists(new)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("import hyperribbon.store", "hyperribbon.store is hyperribbon.storage.dataset now"),
        ("from hyperribbon import store", "hyperribbon.store is hyperribbon.storage.dataset now"),
        (
            "from hyperribbon.steps.train import main",
            "hyperribbon.steps.train is hyperribbon.studies.grid.train now",
        ),
        ("import hyperribbon.steps", "hyperribbon.steps is hyperribbon.studies.step now"),
        (
            "from hyperribbon.config import parse_study",
            "hyperribbon.config.parse_study is hyperribbon.studies.study.parse_study now",
        ),
        ("import hyperribbon.stor", "No module named 'hyperribbon.stor'"),
        ("import hyperribbon.steps.no", "hyperribbon.steps is hyperribbon.studies.step now"),
    ],
)
def test_an_import_from_an_old_place_says_where_it_is(statement, words):
    with pytest.raises(ModuleNotFoundError) as error:
        exec(statement)
    assert str(error.value) == words


def test_a_name_that_left_the_configuration_says_where_it_is():
    config = import_module("hyperribbon.config")
    with pytest.raises(AttributeError) as error:
        config.StudyConfig  # noqa: B018
    assert str(error.value) == (
        "hyperribbon.config.StudyConfig is hyperribbon.studies.study.StudyConfig now"
    )
    with pytest.raises(AttributeError, match="'hyperribbon.config' has no attribute 'Studies'"):
        config.Studies  # noqa: B018
