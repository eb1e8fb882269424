"""The command line, as users call it; runs of the workflow are in tests/workflow."""

import subprocess
import sys
import webbrowser

import numpy as np
import pytest
from click.testing import CliRunner

from hyperribbon.cli import main
from hyperribbon.recording.predictions import record_predictions

LABELS = np.arange(12) % 3


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """An empty folder with a cache of its own; pages are not opened but listed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    return opened


@pytest.fixture
def runs(random_models):
    for k in range(2):
        P = random_models(k, 4, 12, 3)
        record_predictions(f"runs/net-{k}.zarr", P, LABELS, network="Net", seed=k)


def called(*words: str):
    """Exit code and what was printed; an exception is a failure of the test."""
    result = CliRunner().invoke(main, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_explore_writes_one_page_and_opens_it(runs, place, tmp_path):
    code, printed = called("explore", "runs/")
    assert code == 0
    assert "8 models of 12 train samples, 3 classes" in printed
    page = tmp_path / "explorer.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert place == [page.as_uri()]
    code, _ = called("explore", "runs/net-0.zarr", "--no-open", "-o", "deep/one.html")
    assert code == 0
    assert (tmp_path / "deep" / "one.html").exists()
    assert len(place) == 1


def test_compare_writes_one_page_with_its_tables_and_opens_it(runs, place, tmp_path):
    words = ["compare", "runs/net-0.zarr", "runs/net-1.zarr", "-o", "deep/both.html"]
    code, printed = called(*words)
    assert code == 0
    assert "net-0 and net-1 share 12 train samples (all of them)." in printed
    assert "deep/both_explained.csv" in printed
    page = tmp_path / "deep" / "both.html"
    assert place == [page.as_uri()]
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_verify_names_what_is_damaged(runs, tmp_path):
    assert called("verify", "runs") == (
        0,
        "runs: 2 stores read\nall are as they were written\n",
    )
    chunk = next((tmp_path / "runs/net-1.zarr/train_predictions/c").rglob("0"))
    chunk = next(path for path in chunk.rglob("*") if path.is_file())
    content = bytearray(chunk.read_bytes())
    content[5] ^= 1
    chunk.write_bytes(content)
    code, printed = called("verify", "runs")
    assert code == 1
    assert "net-1.zarr: damaged in train_predictions" in printed
    assert printed.count("\n") == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["explore", "nowhere"], 1, "Error: nowhere: no recorded stores there; expected NAME.zarr"),
        (["explore"], 2, "Missing argument 'PATH...'"),
        (["explore", "runs", "-o", "page.txt"], 1, "page.txt: expected the path of a page"),
        (["compare", "runs"], 1, "Error: studies: 1, expected two or more to compare"),
        (["compare", "runs", "runs/"], 1, "Error: runs/: given twice, first as runs"),
        (["compare", "runs", "x", "-o", "a.txt"], 1, "a.txt: expected the path of a page"),
        (["claims", "runs"], 1, "runs: no study is there; expected the folder of its results"),
        (["verify", "nowhere"], 1, "nowhere: no recorded stores there"),
        (["report", "results/none"], 1, "results/none/report.html: no report is there yet"),
        (["run", "none.yaml"], 1, "none.yaml: no such file; `hyperribbon new study NAME`"),
        (["new", "study", "a b"], 1, "name = 'a b': expected at most 40 letters"),
        (["watch", "nowhere"], 1, "Error: nowhere: no such folder or recording; expected the"),
        (["watch", "runs", "--port", "70000"], 1, "Error: port = 70000: expected 1 to 65535"),
        (["watch", "runs", "--split", "valid"], 2, "Invalid value for '--split': 'valid' is not"),
        (["expolre"], 2, "No such command 'expolre'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_slip_is_one_line(runs, words, code, message):
    found, printed = called(*words)
    assert found == code
    assert message in printed
    assert "Traceback" not in printed


def test_a_new_study_is_the_default_one_with_its_own_name(tmp_path):
    code, printed = called("new", "study", "mine")
    assert (code, printed) == (
        0,
        "config/mine.yaml: change it, then `hyperribbon run config/mine.yaml`\n",
    )
    text = (tmp_path / "config" / "mine.yaml").read_text()
    assert "\nstudy: mine\n" in text
    assert "networks:" in text
    code, printed = called("new", "study", "mine")
    assert code == 1
    assert "config/mine.yaml: exists already, not replaced" in printed


def test_report_opens_what_is_there(place, tmp_path):
    page = tmp_path / "results" / "mine" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("")
    assert called("report", "results/mine") == (0, "results/mine/report.html\n")
    assert place == [page.as_uri()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell):
    code, printed = called("completion", shell)
    assert code == 0
    assert "_HYPERRIBBON_COMPLETE" in printed


def test_help_names_every_command_and_imports_nothing_heavy():
    program = (
        "import sys; from hyperribbon.cli import main; main(['--help'], standalone_mode=False); "
        "print(sorted({'torch', 'numpy', 'pandas', 'snakemake'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for command in (
        "run", "explore", "watch", "compare", "claims", "verify", "report", "new", "completion",
    ):  # fmt: skip
        assert f"\n  {command} " in run.stdout
    assert run.stdout.endswith("[]\n")
