"""The file of a study: what means something else is refused, with its line."""

import json
from pathlib import Path

import pytest
import yaml

from hyperribbon.config import read_overrides, read_study_file
from hyperribbon.errors import ConfigError
from hyperribbon.storage.study_file import read_study_text
from hyperribbon.studies.study import parse_study

CONFIG = Path(__file__).parents[2] / "config"


def refusal(read, *arguments):
    with pytest.raises(ConfigError) as error:
        read(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_studies_that_come_with_it_are_read_as_by_yaml(path):
    assert read_study_file(path) == yaml.safe_load(path.read_text())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs: 8\nseeds: 2\nepochs: 3", "line 3: epochs is given twice, first in line 1"),
        ("a:\n  b: {c: 1,\n      c: 2}", "line 3: a.b.c is given twice, first in line 2"),
        ("- {c: 1}\n- {c: 1, c: 1}", "line 2: 1.c is given twice, first in line 2"),
        ("a: 1\r\nb: 2\r\na: 1\r\n", "line 3: a is given twice, first in line 1"),
        ('{"a": 1,\n\t"a": 2}', "line 2: a is given twice, first in line 1"),
        ("<<: {a: 1}\n<<: {a: 2}", "line 2: << is given twice, first in line 1"),
        ("seeds: 010", "line 1: seeds = 010: YAML reads it as 8, in base 8; leave out the"),
        ("seeds: -00", "line 1: seeds = -00: YAML reads it as 0, in base 8"),
        ("size: 6:40", "line 1: size = 6:40: YAML reads it as 400, in base 60"),
        ("a: [1,\n 1:30.5]", "line 2: a.1 = 1:30.5: YAML reads it as 90.5, in base 60"),
        ("study: 2026-11-29", "study = 2026-11-29: YAML reads it as a date; put it in quotes"),
        ("n:\n  ~: {}", "line 2: n.~: a key must be text, and YAML reads it as nothing; put it in"),
        ("n: {1: 2}", "n.1: a key must be text, and YAML reads it as a number; put it in quotes"),
        ("on: 2", "on: a key must be text, and YAML reads it as true or false; put it in quotes"),
        ("? [a]\n: 2", "line 1: a mapping or a list as a key"),
        ("study: {{name}}", "line 1: a mapping or a list as a key"),
        ("a: &a [1, *a]", "line 1: a.1: refers to itself"),
        ("a: " + "1" * 5000, "line 1: a = 111"),
        (
            "a: !!set {x, y}",
            "line 1: a: a study has no values of YAML's type tag",
        ),
        ("a: !!python/tuple [1]", "line 1: a: a study has no values of YAML's type"),
        ("a: =", "line 1: a: a study has no values of YAML's type"),
        ("a: !!int x", "not YAML (invalid literal for int()"),
        ("a:\n\tb: 1", "line 2: not YAML (while scanning for the next token found character '\\t'"),
        ("a: 1\n---\nb: 1", "line 2: not YAML (expected a single document"),
        ("a: 'x", "line 1: not YAML (while scanning a quoted scalar"),
        ("a: 1\nb: *c", "line 2: not YAML (found undefined alias 'c')"),
        ("<<: 3", "line 1: not YAML (while constructing a mapping expected a mapping or list"),
        ("a: \x00", "not YAML (unacceptable character #x0000"),
        ("[" * 3000, "nested too deeply"),
    ],
)
def test_what_means_something_else_is_refused_with_its_line(text, words):
    message = refusal(read_study_text, text, "mine.yaml")
    assert message.startswith("mine.yaml")
    assert words in message
    assert len(message) < 300


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: '010'", {"a": "010"}),
        ("a: '6:40'", {"a": "6:40"}),
        ("a: 0", {"a": 0}),
        ("a: 1_000", {"a": 1000}),
        ("a: 0x10", {"a": 16}),
        ("a: no", {"a": False}),
        ("a: tcp://host:8786", {"a": "tcp://host:8786"}),
        ("\ufeffa: 1", {"a": 1}),
        ('{"a":\t1e3}', {"a": 1000.0}),
        ("Net: 1\nnet: 2", {"Net": 1, "net": 2}),
        # What is merged is there to be overridden.
        (
            "b: &b {c: 1, d: 3}\ne:\n  <<: *b\n  c: 2",
            {"b": {"c": 1, "d": 3}, "e": {"c": 2, "d": 3}},
        ),
    ],
)
def test_what_is_meant_as_it_is_read_is_read(text, value):
    assert read_study_text(text, "mine.yaml") == value


def test_text_with_exponents_is_a_learning_rate():
    text = (
        "study: a\ndata: {name: mnist5k}\ntraining: {epochs: 1, batch_size: 10}\n"
        "networks: {A: {architecture: fully_connected}}\n"
        "optimisers: {B: {algorithm: adam, learning_rate: 1e-3}}"
    )
    study = parse_study(read_study_text(text, "mine.yaml"))
    assert study.optimisers["B"].learning_rate == 1e-3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, ": cannot be read (No such file or directory)"),
        (b"", ": is empty, expected a mapping of keys to values"),
        (b"# a comment\n", ": is empty, expected a mapping of keys to values"),
        (b"- a\n", ": holds a list, expected a mapping"),
        (b"study\n", ": holds a single value, expected a mapping"),
        (b"study: a\n# caf\xe9\n", ": is not UTF-8 in line 2, expected text in UTF-8"),
        ("study: a".encode("utf-16"), ": is UTF-16, expected text in UTF-8"),
        ("study: a".encode("utf-32"), ": is UTF-32, expected text in UTF-8"),
    ],
)
def test_files_that_hold_no_study_are_named(tmp_path, content, words):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_bytes(content)
    assert refusal(read_study_file, path).startswith(f"{path}{words}")


def test_a_folder_is_no_study(tmp_path):
    assert "cannot be read (Is a directory)" in refusal(read_study_file, tmp_path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_json_and_a_byte_order_mark_are_read(tmp_path, write, encoding):
    study = {"study": "a", "networks": {"A": {"widths": [3]}}}
    (tmp_path / "mine").write_text(write(study), encoding=encoding)
    assert read_study_file(tmp_path / "mine") == study


def test_values_of_the_command_line_are_read_alike():
    assert read_overrides(None) == {}
    arguments = ["study=a", "training={epochs: 3, calibrate_batchnorm: no}", "external="]
    assert read_overrides(arguments) == {
        "study": "a",
        "training": {"epochs": 3, "calibrate_batchnorm": False},
        "external": None,
    }
    message = refusal(read_overrides, ["training={epochs: 3, epochs: 4}"])
    assert message == "--config training, line 1: epochs is given twice, first in line 1"
    assert "--config study, line 1: value = 010" in refusal(read_overrides, ["study=010"])
