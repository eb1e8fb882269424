"""A real training with the command beside it, which is killed and started again."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np
import pytest
import torch

import hyperribbon as hr

PATIENCE = 300  # s, on a busy machine


def begun(runs, *options: str) -> tuple[subprocess.Popen, str]:
    """The command, and the address that it printed."""
    command = [sys.executable, "-m", "hyperribbon.cli", "watch", str(runs), "--no-open", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    line = process.stdout.readline()
    found = re.match(r"(http://127\.0\.0\.1:\d+/[\w-]+/)  \(Ctrl-C ends\)\n", line)
    assert found, line
    return process, found[1]


def state_with(address: str, steps: list[int]) -> dict:
    """The page's state once it has models at these steps."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with urllib.request.urlopen(f"{address}state", timeout=PATIENCE) as answer:
            state = json.loads(answer.read())
        there = state["models"].get("step", [])
        if sorted(there) == steps and state["axes"] and not state["waiting"]:
            return state
        time.sleep(0.1)
    raise AssertionError(f"{there}, expected {steps}")


def shown_alike(address: str, study: hr.Study) -> None:
    """Wait for a picture that is the study's InPCA, but for a turn."""
    about, end = study.inpca(), time.monotonic() + PATIENCE
    rmsd = np.inf
    while time.monotonic() < end and not rmsd < 1e-3:
        state = state_with(address, study.models["step"].tolist())
        order = np.argsort(state["models"]["step"])
        X = np.array(state["models"]["point"])[order]
        rmsd = hr.align(X, about.embedding_[:, :3], about.signature_[:3]).rmsd / np.abs(X).max()
    assert rmsd < 1e-3
    shown = np.array(state["models"]["progress"])[order]
    np.testing.assert_allclose(shown, study.progress(), atol=1e-4)


@pytest.mark.slow
def test_a_training_is_watched_and_goes_on_while_the_watcher_is_killed(runs, tmp_path):
    torch.manual_seed(0)
    x = torch.randn(60, 6)
    y = (x @ torch.randn(6, 3)).argmax(1)
    network = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.5)
    rec = hr.Recorder(runs / "net-0", x, y, network="MLP", optimiser="SGD")

    def train(steps) -> None:
        for step in steps:
            rec.checkpoint(network, step)
            for _ in range(5):
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(network(x), y).backward()
                optimiser.step()

    watcher, address = begun(runs)
    try:
        train(range(3))
        first = state_with(address, [0, 1, 2])
        assert first["trainings"][0]["finished"] is False
        watcher.kill()
        watcher.wait()
        train(range(3, 6))
        watcher, other = begun(runs, "--port", address.split(":")[2].split("/")[0])
        try:
            urllib.request.urlopen(f"{address}state", timeout=PATIENCE)
        except urllib.error.HTTPError as error:
            assert error.code == 403  # another token
        else:
            raise AssertionError("the old address still works")
        train(range(6, 8))
        rec.finish()
        study = hr.Study.from_runs(runs)  # the training came to its end, undisturbed
        assert study.models["step"].tolist() == [*range(8)]
        shown_alike(other, study)
        watcher.send_signal(signal.SIGTERM)
        rest = watcher.communicate(timeout=PATIENCE)[0]
        assert watcher.returncode == 0
        assert rest == "ended; the same command goes on from here\n"
    finally:
        watcher.kill()
        watcher.wait()
        watcher.stdout.close()
