"""Shared by the tests: slices of the oracles, random models, a tiny data set and configuration."""

import json
import os
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import Browser
from forked import Preloaded
from hypothesis import settings
from threadpoolctl import threadpool_limits

from hyperribbon.config import AdamConfig, Configuration, FullyConnectedConfig, TrainingConfig
from hyperribbon.data import Dataset
from hyperribbon.probability import ignorance, truth

DATA = Path(__file__).parent / "data"

collect_ignore = ["compiled_loops.py"]  # it is slow to import

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]):
    """Of several processes, none is to begin the longest files when the others have finished.

    Nor are others to wait while the first makes the study that tests of the workflow share.
    """
    first = "tests/workflow/test_changes.py", "tests/training/", "tests/workflow/"

    def place(item: pytest.Item) -> int:
        starts = (k for k, start in enumerate(first) if item.nodeid.startswith(start))
        return next(starts, len(first))

    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=place)


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Of small arrays, several threads of BLAS would only wait for each other."""
    torch.set_num_threads(1)
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes which run tests at once have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def preloaded():
    """Runs steps, each in a process; dask is not imported before, for it reads the environment."""
    server = Preloaded(
        "torch", "torch._dynamo", "numba", "pandas", "pydantic.main", "sklearn.manifold", "xarray",
        "zarr", "compiled_loops",
    )  # fmt: skip
    yield server
    server.close()


@pytest.fixture(scope="session")
def javascript():
    """Function that loads scripts of the pages as a browser does, and evaluates an expression."""
    if shutil.which("node") is None:
        pytest.skip("needs node to run the pages' JavaScript")
    folder = files("hyperribbon.reporting.pages")

    def evaluate(expression: str, *scripts: str):
        """What the expression, or the promise that it is, comes to."""
        texts = [folder.joinpath(name).read_text(encoding="utf-8") for name in scripts]
        program = f"""
        const vm = require("vm");
        for (const text of {json.dumps(texts)}) vm.runInThisContext(text);
        Promise.resolve(vm.runInThisContext({json.dumps(f"({expression})")}))
          .then((value) => console.log(JSON.stringify(value,
            (_, part) => (ArrayBuffer.isView(part) ? [...part] : part))));
        """
        run = subprocess.run(["node", "-"], input=program, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return evaluate


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A Chromium, in which a page is opened; without one, the test is skipped."""
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def o1():
    """Slice of oracle 1, with the 30 models put together again."""
    with np.load(DATA / "o1_slice.npz") as arrays:
        o1 = dict(arrays)
    corners = [ignorance(200, 10), truth(o1["labels"], 10), truth(o1["random_labels"], 10)]
    o1["P"] = np.concatenate([o1["P"], corners])
    return o1


@pytest.fixture(scope="session")
def o2():
    return json.loads((DATA / "o2_slice.json").read_text())


@pytest.fixture(scope="session")
def random_models():
    """Function making (m, N, C) random distributions; small ``spread`` puts them near corners."""

    def make(seed: int, m: int, n: int, c: int, spread: float = 0.5) -> np.ndarray:
        return np.random.default_rng(seed).dirichlet(np.full(c, spread), size=(m, n))

    return make


@pytest.fixture(scope="session")
def tiny_dataset():
    """60 train and 30 test images of 6 x 6 pixels in three classes that can be told apart."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    images = rng.normal(size=(90, 1, 6, 6)) + labels[:, None, None, None]
    images = images.astype(np.float32)
    return Dataset(
        name="tiny",
        n_classes=3,
        train_images=images[:60],
        train_labels=labels[:60],
        train_index=np.arange(60),
        test_images=images[60:],
        test_labels=labels[60:],
        test_index=np.arange(60, 90),
        mean=np.zeros(1, np.float32),
        std=np.ones(1, np.float32),
    )


@pytest.fixture(scope="session")
def tiny_configuration():
    """Function making a configuration that trains in a moment; keywords change the training."""

    def make(network=None, optimiser=None, **training) -> Configuration:
        settings = {"epochs": 3, "batch_size": 20, "seeds": 2, "device": "cpu", **training}
        return Configuration(
            network_name="Net",
            optimiser_name="Opt",
            data={"name": "mnist5k", "image_size": 6},
            network=network or FullyConnectedConfig(architecture="fully_connected", widths=[8]),
            optimiser=optimiser or AdamConfig(algorithm="adam", learning_rate=0.01),
            training=TrainingConfig(**settings),
        )

    return make
