"""Files of plugins: what they register is known, and what is wrong with them is one line."""

import json
import os
import subprocess
import sys

import pytest

from hyperribbon.config import Configuration
from hyperribbon.config.plugins import (
    ENVIRONMENT,
    code_of_network,
    hand_to_jobs,
    load_in_job,
    pieces,
)
from hyperribbon.errors import ConfigError
from hyperribbon.networks import NETWORKS
from hyperribbon.pairwise import METRICS
from hyperribbon.studies.study import parse_study

METRIC = """
import hyperribbon as hr

def distance(p, q):
    return (p - q).abs().sum(-1)

hr.register_metric("{name}", distance)
"""
NETWORK = """
import hyperribbon as hr

def mine(input_shape, n_classes, width, depth=2):
    raise AssertionError("no network is built before a job")

hr.register_network("mine", mine, any_size=True)
"""
STUDY = {
    "study": "small",
    "data": {"name": "mnist5k"},
    "networks": {"MLP": {"architecture": "fully_connected"}},
    "optimisers": {"Adam": {"algorithm": "adam", "learning_rate": 0.001}},
    "training": {"epochs": 5, "batch_size": 100},
}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Function writing a plugin where the test runs; none is remembered afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv(ENVIRONMENT, "")
    before = set(sys.modules)

    def write(name, text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        return name

    yield write
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def refusal(**keys):
    with pytest.raises(ConfigError) as refused:
        parse_study({**STUDY, **keys})
    message = str(refused.value)
    assert "\n" not in message
    return message.removeprefix("configuration: ")


def test_what_files_register_is_known_in_their_order(plugin):
    paths = [plugin("later.py", METRIC.format(name="later")), plugin("more/first.py", NETWORK)]
    study = parse_study({**STUDY, "plugins": paths})
    assert study.plugins == tuple(paths)
    assert METRICS["later"].label == "later"
    assert [piece.code for piece in pieces(paths, "metric")] == ["later.py::metric later"]
    assert code_of_network(paths, "mine") == "more/first.py::network mine"
    assert code_of_network(paths, "vit") == "hyperribbon.networks.vit"
    assert pieces(paths[1:], "metric") == []
    parse_study({**STUDY, "plugins": paths})  # again, and nothing is registered twice


def test_a_registered_network_is_configured_by_its_parameters(plugin):
    path = plugin("nets.py", NETWORK)
    networks = {**STUDY["networks"], "Mine": {"architecture": "mine", "width": 3}}
    study = parse_study({**STUDY, "networks": networks, "plugins": [path]})
    before, own = study.configurations()
    assert before.id == parse_study(STUDY).configurations()[0].id
    assert own.network.any_size and not own.network.has_linear_classifier
    assert own.network.model_dump() == {"architecture": "mine", "width": 3}
    again = Configuration.model_validate_json(own.to_json())
    assert (again, again.id) == (own, own.id)
    wider = parse_study(
        {**STUDY, "plugins": [path], "networks": {"Mine": {"architecture": "mine", "width": 4}}}
    )
    assert wider.configurations()[0].id != own.id


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"architecture": "mine"}, "networks.N.width: missing key (mine has no default for it)"),
        (
            {"architecture": "mine", "width": 3, "heads": 2},
            "networks.N.heads = 2: unknown key, allowed: architecture, width, depth",
        ),
        (
            {"architecture": "main"},
            'networks.N.architecture = "main": allowed: fully_connected, allcnn, wide_resnet, '
            "convmixer, vit, lenet, resnet, mine",
        ),
    ],
)
def test_a_section_that_does_not_fit_is_refused(plugin, section, message):
    assert refusal(plugins=[plugin("nets.py", NETWORK)], networks={"N": section}) == message


def test_a_network_with_any_keys_takes_them(plugin):
    text = "import hyperribbon as hr\nhr.register_network('mine', lambda s, n, **more: None)"
    networks = {"N": {"architecture": "mine", "anything": [1, {"a": 2}]}}
    study = parse_study({**STUDY, "networks": networks, "plugins": [plugin("nets.py", text)]})
    assert study.networks["N"].model_dump() == networks["N"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("gone.py", None, "not there, expected a Python file"),
        ("mine.txt", "", "expected a Python file, NAME.py"),
        ("my.file.py", "", "expected a Python file, NAME.py"),
        ("numpy.py", "", "numpy is the name of another module, "),
        ("json.py", "", "json is the name of another module, "),
        ("sys.py", "", "sys is the name of another module, "),
        ("idle.py", "import hyperribbon", "registers nothing, expected calls of "),
        ("lacks.py", "import no_such_module", "ModuleNotFoundError: No module named 'no_su"),
        ("broken.py", "def f(:\n", "SyntaxError: invalid syntax ("),
        ("leaves.py", "import sys\nsys.exit()", "SystemExit: "),
        ("taken.py", METRIC.format(name="euclidean"), "metric = 'euclidean': is built in"),
        ("bad.py", METRIC.format(name="a b"), "metric = 'a b': expected a name of letters"),
    ],
)
def test_a_file_that_is_no_plugin_is_one_line(plugin, name, text, message):
    if text is not None:
        plugin(name, text)
    assert refusal(plugins=[name]).startswith(f'plugins.0 = "{name}": {message}')


def test_lists_that_are_none_are_refused(plugin):
    path = plugin("later.py", METRIC.format(name="later"))
    assert refusal(plugins=path) == 'plugins = "later.py": must be a list, such as ["later.py"]'
    assert refusal(plugins=[path, path]).endswith("must not repeat a value")
    assert refusal(plugins=[3]) == "plugins.0 = 3: must be text; put it in quotes"


def test_two_files_do_not_share_a_name(plugin):
    paths = [plugin(f"{name}.py", METRIC.format(name="same")) for name in ("one", "two")]
    message = refusal(plugins=paths)
    assert message.startswith(
        "plugins.1 = \"two.py\": metric = 'same': is registered already, as one.distance; "
    )


def test_jobs_load_the_files_of_their_study_and_no_others(plugin, monkeypatch):
    path = plugin("later.py", METRIC.format(name="later"))
    plugin("other.py", METRIC.format(name="other"))
    hand_to_jobs([path])
    monkeypatch.chdir("/")
    code = (
        "from hyperribbon.config.plugins import load_in_job; load_in_job();"
        "from hyperribbon.pairwise import METRICS; print(sorted({'later', 'other'} & set(METRICS)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['later']"
    hand_to_jobs([])
    load_in_job()
    assert "later" not in METRICS
    monkeypatch.setenv(ENVIRONMENT, json.dumps(["/no/such.py"]))
    with pytest.raises(ConfigError, match=r"^/no/such.py: not there"):
        load_in_job()


def test_a_step_loads_them_before_it_reads_its_options(plugin, preloaded):
    plugin("nets.py", NETWORK)
    networks = {"Mine": {"architecture": "mine", "width": 3}}
    study = parse_study({**STUDY, "networks": networks, "plugins": ["nets.py"]})
    del NETWORKS["mine"]
    (configuration,) = study.configurations()
    options = ["--configuration", configuration.to_json(), "--data", "gone.json"]
    options += ["--work", "work", "--output", "out.zarr"]
    hand_to_jobs(study.plugins)
    run = preloaded.run("hyperribbon.studies.grid.train", *options, environment=os.environ)
    assert run.returncode == 1
    assert "gone" in run.stderr and "Traceback" not in run.stderr
    os.environ[ENVIRONMENT] = json.dumps(["/no/such.py"])
    run = preloaded.run("hyperribbon.studies.grid.train", *options, environment=os.environ)
    assert run.returncode == 1
    assert "/no/such.py: not there, expected a Python file" in run.stderr
    assert "Traceback" not in run.stderr
