"""The command line of a step, derived from the signature of its main function."""

import datetime
import logging
import sys
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel

from hyperribbon.errors import StoreError
from hyperribbon.studies.step import command_line, run_step


class Section(BaseModel):
    samples: int


def parsed(main, *words):
    found = vars(command_line(main).parse_args(list(words)))
    assert found.pop("log") is None
    return found


@pytest.mark.parametrize(
    ("annotation", "words", "value"),
    [
        (int, ["3"], 3),
        (float, ["3"], 3.0),
        (str, ["3"], "3"),
        (Path, ["a.csv"], Path("a.csv")),
        (Literal["train", "test"], ["test"], "test"),
        (Section, ['{"samples": 3}'], Section(samples=3)),
        (Path | None, ["a.csv"], Path("a.csv")),
        (Path | None, [], None),
        (list[Path], ["a", "b", "c"], [Path("a"), Path("b"), Path("c")]),
        (list[float], ["1"], [1.0]),
        (tuple[Path, Path], ["a", "b"], (Path("a"), Path("b"))),
        (tuple[int, int, int], ["1", "2", "3"], (1, 2, 3)),
        (tuple[str, ...], [], ()),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
    ],
)
def test_words_are_read_by_the_annotation(annotation, words, value):
    def main(some_option):
        pass

    main.__annotations__["some_option"] = annotation
    found = parsed(main, "--some-option", *words)["some_option"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, ["a"]),
        (int, ["1", "2"]),
        (Literal["train", "test"], ["both"]),
        (Section, ['{"samples": "many"}']),
        (list[Path], []),
        (tuple[Path, Path], ["a"]),
        (bool, ["yes"]),
    ],
)
def test_other_words_are_refused(annotation, words, capsys):
    def main(option):
        pass

    main.__annotations__["option"] = annotation
    with pytest.raises(SystemExit):
        parsed(main, "--option", *words)
    assert "usage:" in capsys.readouterr().err


def test_bool_needs_no_word():
    def main(wanted: bool, known: bool = True):
        pass

    assert parsed(main, "--wanted") == {"wanted": True, "known": True}
    assert parsed(main, "--no-wanted", "--no-known") == {"wanted": False, "known": False}


def test_a_parameter_without_a_default_is_required(capsys):
    def main(points: int, smoothing: float = 0.5, start: Path | None = None):
        pass

    assert parsed(main, "--points", "2") == {"points": 2, "smoothing": 0.5, "start": None}
    with pytest.raises(SystemExit):
        parsed(main)
    assert "required: --points" in capsys.readouterr().err


@pytest.mark.parametrize(
    "annotation",
    [
        datetime.date,
        dict[str, int],
        set[int],
        tuple[int, str],
        list[list[int]],
        int | str,
        list[int] | None,
    ],
)
def test_another_annotation_is_refused_by_name(annotation):
    def main(predictions: list[Path], when):
        pass

    main.__annotations__["when"] = annotation
    with pytest.raises(TypeError, match=r"test_step\..*main: parameter when: annotation .*expecte"):
        command_line(main)


def test_a_parameter_without_annotation_is_refused():
    def main(when):
        pass

    with pytest.raises(TypeError, match="parameter when: annotation"):
        command_line(main)


def test_help_is_that_of_the_docstring():
    def main(predictions: list[Path], low: float, high: float, output: Path):
        """Compare what was predicted.

        Not said in the usage.

        Parameters
        ----------
        predictions : manifests, 100% of
            them
        low, high : nats
        output : CSV file to write

        Raises
        ------
        high : no parameter
        """

    text = " ".join(command_line(main).format_help().split())
    assert "Compare what was predicted." in text
    assert "Not said" not in text
    assert "PREDICTIONS ...] manifests, 100% of them" in text
    assert "--low LOW nats --high HIGH nats" in text
    assert "--output OUTPUT CSV file to write" in text
    assert "no parameter" not in text


def test_annotations_may_be_postponed(tmp_path):
    path = tmp_path / "postponed.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from pathlib import Path\n"
        "def main(paths: list[Path]) -> None: pass\n"
    )
    names = {"__name__": "postponed"}
    exec(compile(path.read_text(), path, "exec"), names)
    assert parsed(names["main"], "--paths", "a") == {"paths": [Path("a")]}


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Function that runs a main function as a rule does, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    logger = logging.getLogger("hyperribbon")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "level", logger.level)

    def call(main, *words):
        monkeypatch.setattr(sys, "argv", ["step", *words])
        run_step(main)

    return call


def test_checksums_of_all_files_are_kept(run, tmp_path):
    def main(output: tuple[Path, Path]) -> list[Path]:
        for path in (*output, Path("results/more")):
            path.write_text("content")
        return [Path("results/more")]

    run(main, "--output", "results/a", "results/b", "--log", "results/logs/step.log")
    (kept,) = (tmp_path / "results" / "checksums").rglob("*.json")
    assert all(name in kept.read_text() for name in ('a"', 'b"', 'more"'))


def test_what_a_user_can_fix_is_one_line(run, capsys):
    def main(output: Path) -> None:
        raise StoreError(f"{output}: damaged; delete it")

    with pytest.raises(SystemExit) as stopped:
        run(main, "--output", "a")
    assert stopped.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("ERROR a: damaged; delete it")
