"""Running the real workflow in a copy of the repository."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import TextIO

import pandas as pd
from PIL import Image

from hyperribbon.storage.locks import locked
from hyperribbon.studies.parts import PARTS

ROOT = Path(__file__).parents[2]
_PATIENCE = 600  # s, on a busy machine
COPIED = ["Snakefile", "config", "envs", "examples", "profiles", "src", "workflow"]
# Jobs by rule that follow from predictions, trained or recorded.
ANALYSIS = {
    "distance": 2,
    "embed": 2,
    "progress": 2,
    "trajectories": 2,
    "tables": 1,
    "null_model": 1,
    "metrics": 1,
    "subsets": 1,
    "joint": 1,
    "four_points": 1,
    "ensembles": 1,
    "trajectory_space": 1,
    "claims": 1,
    "first_picture": 1,
    "draw": 1,
    "explore": 1,
    "summarise": 1,
    "gather_report": 1,
    "all": 1,
}


def copy_repository(target: Path) -> Path:
    """What the workflow needs, with the smoke study as the default one."""
    target.mkdir()
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, target / part, ignore=ignored)
        else:
            shutil.copy(source, target / part)
    shutil.copy(target / "config" / "smoke.yaml", target / "config" / "config.yaml")
    return target


def copied(repository: Path, target: Path) -> Path:
    """A copy of a repository with its results; `shutil.copytree` takes twice the time."""
    subprocess.run(["cp", "-a", repository, target], check=True)
    return target


def finished_study(repository: Path, name: str, *args: str) -> None:
    """Run a study to its end. One process draws, because another would first import matplotlib."""
    run = snakemake(repository, "--set-threads", "draw=1", "--cores", "2", *args)
    assert run.returncode == 0, run.stdout
    assert f"Open results/{name}/report.html" in run.stdout


def finished_undrawn(repository: Path, name: str, *args: str) -> None:
    """Run a study to its end without figures, which take half of the time of a small one.

    Its list of figures is empty, and not older than the tables.
    """
    run = snakemake(repository, "--cores", "2", "--omit-from", "draw", *args)
    assert run.returncode == 0, run.stdout
    listed = repository / "results" / name / "figures.json"
    listed.write_text(json.dumps({"key": "", "drawn": [], "left_out": {}}))
    run = snakemake(repository, "--cores", "1", *args)
    assert run.returncode == 0, run.stdout
    assert "2 jobs: gather_report" in run.stdout


def figures_of(*parts: str) -> set[str]:
    """Names of all figures of some parts of studies."""
    found = [figure for part in PARTS if part.name in parts for figure in part.figures]
    return {name for figure in found for name in figure.drawn()}


def left_out(results: Path, figures: Collection[str]) -> dict[str, str]:
    """Why figures are missing from finished results; all others are there, and nothing else is.

    A figure is two files and an entry of the report, or has a reason there.
    """
    found = json.loads((results / "figures.json").read_text())
    reasons = found["left_out"]
    assert {*found["drawn"], *reasons} == set(figures)
    files = {path.name for path in (results / "figures").iterdir()}
    assert files == {f"{name}.{suffix}" for name in found["drawn"] for suffix in ("png", "svg")}
    report = (results / "report.html").read_text()
    for name in figures:
        assert (f"figures/{name}.png" in report) == (name in found["drawn"])
    assert all(reason in report for reason in reasons.values())
    return reasons


def tables_of(results: Path, figures: Collection[str]) -> dict[str, pd.DataFrame]:
    """All tables of finished results, if these and no other figures are there.

    Figures are also in the report, and all are on the map of results and verify.
    """
    map_ = (ROOT / "results" / "README.md").read_text()
    assert not left_out(results, figures)
    for name in figures:
        assert f"`figures/{name}.png`" in map_
        with Image.open(results / "figures" / f"{name}.png") as picture:
            assert min(picture.size) > 300
    tables = {path.stem: pd.read_csv(path) for path in (results / "tables").glob("*.csv")}
    assert all(f"`tables/{name}.csv`" in map_ for name in tables)
    verified = snakemake(results.parents[1], "--cores", "1", "verify")
    assert verified.returncode == 0, verified.stdout
    return tables


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *args]


def snakemake(repository: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake at the root of a repository, in a fork of a process that has imported it."""
    group, server, answers = _preloaded()
    with tempfile.NamedTemporaryFile("r") as output:
        run = {"folder": str(repository), "arguments": args, "output": output.name}
        server.sendall(f"{json.dumps(run)}\n".encode())
        if not select.select([server], [], [], _PATIENCE)[0]:
            os.killpg(group, signal.SIGKILL)
            _preloaded.cache_clear()
            raise subprocess.TimeoutExpired(command(*args), _PATIENCE, output.read())
        status = int(answers.readline())
        return subprocess.CompletedProcess(command(*args), status, output.read())


@cache
def _preloaded() -> tuple[int, socket.socket, TextIO]:
    """The group of processes that run Snakemake for this one, a connection to them, and answers.

    All processes that run tests at once share what they fork from: the first to need it starts it.
    """
    tests = os.environ.get("PYTEST_XDIST_TESTRUNUID", os.getpid())
    folder = Path(tempfile.gettempdir(), f"jobs-{tests}")
    server = socket.socket(socket.AF_UNIX)
    with locked(folder):
        if not (folder / "runs").exists():
            _start(folder)
        server.connect(str(folder / "runs"))
    answers = server.makefile()
    return int(answers.readline()), server, answers


def _start(folder: Path) -> None:
    """Start the process, and wait until it is ready."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    # More threads than processors would spend their time on waiting for each other at full speed.
    environment["OMP_WAIT_POLICY"] = "passive"
    started = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("preloaded.py")), str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=environment,
    )
    assert started.stdout.readline() == "ready\n"
