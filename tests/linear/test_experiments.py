"""Trainings on data beside their predictions."""

import numpy as np
import pytest

from hyperribbon.linear.experiments import (
    at_steps,
    kernels_of,
    run_experiment,
    scaled,
    sloppy_experiment,
)

CONFIG = {"networks": [[8], [400]], "models": 3, "steps": 20, "ratios": [1.0, 10.0]}


@pytest.fixture(scope="module")
def tables():
    return run_experiment("sloppy", sloppy_experiment(20, 9, 0.3, 0), **CONFIG)


def test_all_that_was_asked_for_is_there(tables):
    trained = tables["linear_experiments"]
    due = at_steps(20)
    assert due == [1, 3, 10, 20]
    assert len(trained) == len(due) * (2 + 2)
    assert trained["model"].unique().tolist() == ["linear", "8", "400"]
    machines = tables["linear_kernels"]
    assert len(machines) == len(due) * 4 * 2
    kernels = ["linear", "RBF", "Laplace", "tangent, 8", "tangent, 400"]
    assert tables["linear_kernel_spectra"]["kernel"].unique().tolist() == kernels
    largest = tables["linear_kernel_spectra"].groupby("kernel")["eigenvalue"].max()
    np.testing.assert_allclose(largest, 1, rtol=1e-6)


def test_linear_models_are_as_predicted_and_wide_networks_nearer_than_narrow(tables):
    trained = tables["linear_experiments"]
    linear = trained[trained["model"] == "linear"]
    assert ((linear["predicted"] - linear["measured"]).abs() <= 1).all()
    assert linear["difference"].max() < 0.25  # of 1,000 models drawn, and 9 directions
    last = trained[trained["steps"] == 20].set_index("model")["difference"]
    assert last["400"] < last["8"] / 5


def test_small_initial_weights_leave_fewer_dimensions(tables):
    machines = tables["linear_kernels"]
    last = machines[(machines["steps"] == 20) & (machines["kernel"] == "RBF")]
    few = last.set_index("ratio")["dimension"]
    assert few[10.0] < few[1.0]


def test_kernels_are_those_of_their_names():
    X = np.random.default_rng(0).normal(size=(4, 2))
    pairs = [(i, j) for i in range(4) for j in range(i)]
    width = np.median([np.linalg.norm(X[i] - X[j]) for i, j in pairs])
    wide = np.median([np.abs(X[i] - X[j]).sum() for i, j in pairs])
    found = kernels_of(X)
    rbf = np.exp(-(np.linalg.norm(X[1] - X[0]) ** 2) / (2 * width**2))
    laplace = np.exp(-np.abs(X[1] - X[0]).sum() / wide)
    assert found["RBF"][0, 1] / found["RBF"][0, 0] == pytest.approx(rbf)
    assert found["Laplace"][0, 1] / found["Laplace"][0, 0] == pytest.approx(laplace)
    assert all(np.linalg.eigvalsh(K)[-1] == pytest.approx(1) for K in found.values())


def test_data_are_scaled_so_that_step_sizes_agree():
    X, y = scaled(np.random.default_rng(0).normal(size=(6, 3)) * 50, np.arange(6.0) * 9)
    assert np.linalg.eigvalsh(X @ X.T)[-1] == pytest.approx(1)
    assert np.linalg.eigvalsh(X @ X.T)[-1] < 1
    assert np.mean(y**2) == pytest.approx(1)
