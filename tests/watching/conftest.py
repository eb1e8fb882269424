"""Trainings that are recorded while they are watched."""

import json

import numpy as np
import pytest
import torch

import hyperribbon as hr
from hyperribbon.watching.watcher import Watcher

N, C = 24, 3
LABELS = np.arange(N) % C


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def runs(tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.fixture
def recorder(runs):
    """Function making a Recorder of the common samples."""

    def make(name: str, seed: int = 0, labels=LABELS, **options) -> hr.Recorder:
        x = torch.randn(len(labels), 5, generator=torch.Generator().manual_seed(0))
        return hr.Recorder(runs / name, x, labels, network="Net", seed=seed, **options)

    return make


@pytest.fixture
def network():
    """Function making the network at a step of a training: it comes to tell classes apart."""

    def make(step: int, seed: int = 0) -> torch.nn.Module:
        torch.manual_seed(seed)
        linear = torch.nn.Linear(5, C)
        with torch.no_grad():
            linear.weight *= 1 + step
        return linear

    return make


@pytest.fixture
def watched(runs):
    """Function making a watcher of the folder, with the lines that it says; closed at the end."""
    made = []

    def make(*paths, **options) -> tuple[Watcher, list[str]]:
        said: list[str] = []
        watcher = Watcher(paths or [runs], say=said.append, **options)
        made.append(watcher)
        return watcher, said

    yield make
    for watcher in made:
        watcher.close()


@pytest.fixture
def state():
    """Function that reads all of a watcher's view."""
    return lambda watcher: json.loads(watcher.view.read(-1, -1, 0))
