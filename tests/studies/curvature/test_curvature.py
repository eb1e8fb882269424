"""The steps `curvature` and `spectra`, and the figures of what they find."""

import shutil

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import zarr

from hyperribbon.config import ConvMixerConfig, FullyConnectedConfig
from hyperribbon.curvature import Fisher, Hessian, Problem, over_training, survey
from hyperribbon.curvature.survey_tables import critical_table
from hyperribbon.errors import StoreError
from hyperribbon.networks.weights import put_weights
from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.storage.dataset import open_dataset, publish
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.curvature import curvature, spectra
from hyperribbon.studies.curvature.part import PART
from hyperribbon.studies.parts import figure_function
from hyperribbon.training.job import train_configuration

CURVATURE_FIGURES = {
    name: figure_function(name) for figure in PART.figures for name in figure.drawn()
}

NETWORKS = {
    "perceptron": FullyConnectedConfig(architecture="fully_connected", widths=[8, 6]),
    "mixer": ConvMixerConfig(
        architecture="convmixer", width=3, depth=1, kernel_size=3, patch_size=2
    ),
    "plain": FullyConnectedConfig(
        architecture="fully_connected", widths=[5], batchnorm=False, bias=False
    ),
}


@pytest.fixture(scope="module")
def trained(tiny_dataset, tiny_configuration, tmp_path_factory):
    """Folder with the data and trainings of two networks."""
    folder = tmp_path_factory.mktemp("curvature")
    tiny_dataset.save(folder / "data.zarr")
    for name, network in NETWORKS.items():
        configuration = tiny_configuration(network, epochs=20)
        train_configuration(configuration, tiny_dataset, folder / "work", folder / f"{name}.zarr")
    return folder


def look(folder, name, output, samples=60, eigenvalues=8):
    curvature.main(
        predictions=manifest_path(folder / f"{name}.zarr"),
        data=manifest_path(folder / "data.zarr"),
        samples=samples,
        eigenvalues=eigenvalues,
        threads=1,
        output=output,
    )
    return open_dataset(output)


def tabulate(stores, folder):
    folder.mkdir()
    manifests = [manifest_path(store) for store in stores]
    output = [folder / f"{name}.csv" for name in spectra.TABLES]
    spectra.main(manifests, output)
    return read_tables(sorted(folder.glob("*.csv")))


@pytest.fixture(scope="module")
def found(trained):
    """Folder of what is found in the ways for many weights."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(survey, "DENSE", 0)
        look(trained, "perceptron", trained / "found" / "perceptron.zarr")
        # Only the first one's density is compared with anything.
        patched.setattr(over_training, "_DENSITY", {"steps": 10, "probes": 2})
        for name in ("mixer", "plain"):
            look(trained, name, trained / "found" / f"{name}.zarr")
    return trained / "found"


@pytest.fixture(scope="module")
def tables(found):
    return tabulate([found / f"{name}.zarr" for name in NETWORKS], found / "tables")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_store_holds_the_spectra_of_the_weights_that_were_kept(
    trained, found, tiny_dataset, name
):
    store = xr.open_zarr(found / f"{name}.zarr")
    assert store["snapshot_step"].values.tolist() == [0, 30, 60]
    assert store["snapshot_epoch"].values.tolist() == [0, 10, 20]
    predictions = open_dataset(trained / f"{name}.zarr")
    configuration = curvature.Configuration.model_validate_json(predictions.attrs["configuration"])
    network = curvature.build(configuration, tiny_dataset)
    put_weights(network, load_weights(predictions, 0, 60))
    problem = Problem(network, *curvature.chosen(tiny_dataset, "train"))
    eigenvalues = np.linalg.eigvalsh(Fisher(problem).dense())[::-1]
    values = store["fisher_eigenvalue"].values[-1]
    values = values[np.isfinite(values)]
    np.testing.assert_allclose(values, eigenvalues[: len(values)], atol=1e-12 * eigenvalues[0])
    magnitudes = np.sort(np.abs(np.linalg.eigvalsh(Hessian(problem).dense())))[::-1][:8]
    found = np.abs(store["hessian_eigenvalue"].values[-1])
    np.testing.assert_allclose(found, magnitudes, rtol=1e-5)
    # The whole network errs as the training recorded it.
    errors = store["reduced_error"].values[-1]
    recorded = [predictions[f"{split}_error"].values[0, -1] for split in ("train", "test")]
    np.testing.assert_allclose(errors, recorded)
    last = predictions["train_predictions"].values[0, -1]
    np.testing.assert_allclose(store["reduced_predictions"].values[-1], last, atol=1e-5)


def test_only_layers_with_kronecker_factors_have_kfac(found):
    assert "kfac_eigenvalue" in xr.open_zarr(found / "perceptron.zarr")
    assert "kfac_eigenvalue" not in xr.open_zarr(found / "mixer.zarr")


def test_tables(tables, found):
    stores = [open_dataset(found / f"{name}.zarr") for name in NETWORKS]
    assert set(tables) == set(spectra.TABLES)
    for name, columns in spectra.TABLES.items():
        assert list(tables[name]) == columns
        assert len(tables[name]), name
    first = tables["spectra"].query("matrix == 'fisher' and moment == 'end'")
    values = stores[0]["fisher_eigenvalue"].values[-1]
    part = first[first["configuration"] == stores[0].attrs["configuration_id"]]
    np.testing.assert_allclose(part["eigenvalue"], values[part["index"] - 1])
    slopes = tables["sloppiness"].dropna(subset="slope")
    assert (slopes["low"] <= slopes["slope"]).all() and (slopes["slope"] <= slopes["high"]).all()
    assert (slopes["slope"] < 0).all()
    # Of matrices of which only the top is known, no trace and no slope is told.
    assert tables["sloppiness"].query("matrix == 'hessian'")["trace"].isna().all()
    assert tables["eigenspace_overlaps"]["overlap"].between(0, 1 + 1e-9).all()
    own = tables["eigenspace_overlaps"].query("moment == 'initialisation' and spaces != 'Fisher "
                                              "and Hessian'")  # fmt: skip
    np.testing.assert_allclose(own["overlap"], 1)
    dimension = tables["effective_dimension"]
    assert set(dimension["moment"]) == {"middle", "end"}
    assert (dimension["effective_dimension"] <= dimension["parameters"]).all()
    assert tables["spectra"].query("part == '' and matrix == 'activations'").empty


def test_of_few_weights_everything_is_known(trained, found, tmp_path, monkeypatch):
    few = look(trained, "perceptron", tmp_path / "few.zarr")
    p, many = few.attrs["n_parameters"], open_dataset(found / "perceptron.zarr")
    for name in ("fisher", "hessian", "empirical_fisher"):
        values, others = few[f"{name}_eigenvalue"].values, many[f"{name}_eigenvalue"].values
        assert few[f"{name}_eigenvalue"].attrs["spectrum"] == "complete"
        if name != "empirical_fisher":
            assert values.shape == (3, p)
        for row, other in zip(values, others, strict=True):
            some = np.isfinite(other) & (np.abs(other) > 1e-9 * np.abs(other[0]))
            np.testing.assert_allclose(
                np.abs(row[: len(other)])[some], np.abs(other[some]), rtol=1e-4
            )
    assert "density_node" not in few
    # Every part of the weights that is asked for, up to all that is not 0, and the whole model.
    kept, values = few["kept"].values, few["fisher_eigenvalue"].values[-1]
    assert kept[-1] == p and len(set(kept)) == len(kept)
    assert kept[-2] == np.sum(values > p * np.finfo(float).eps * values[0])
    monkeypatch.setattr(survey, "WHOLE", 0)
    again = look(trained, "perceptron", tmp_path / "again.zarr")
    assert "jacobian_eigenvalue" not in again
    np.testing.assert_allclose(
        again["fisher_eigenvalue"].values, few["fisher_eigenvalue"].values, atol=1e-12
    )
    tables = tabulate([tmp_path / "few.zarr"], tmp_path / "tables")
    hessian = tables["sloppiness"].query("matrix == 'hessian'")
    np.testing.assert_allclose(hessian["trace"], few["hessian_eigenvalue"].values.sum(axis=1))
    assert tables["spectral_density"].empty
    with pytest.raises(LeftOut):
        CURVATURE_FIGURES["spectral_density"](tables)


def test_the_density_counts_the_hessians_eigenvalues(tables, trained, tmp_path):
    few = look(trained, "perceptron", tmp_path / "few.zarr")
    values = few["hessian_eigenvalue"].values[-1]
    who = few.attrs["configuration_id"]
    found = tables["spectral_density"].query(f"configuration == '{who}'")
    for sign, direction in (("positive", 1), ("negative", -1)):
        part = found[found["sign"] == sign]
        exact = (direction * values[:, None] > part["magnitude"].to_numpy()).sum(axis=0)
        wrong = np.abs(part["beyond"] - exact) - 4 * part["standard_error"]
        assert (wrong < 0.02 * len(values) + 1).all()


def test_bounds_of_networks_for_which_they_were_proved(tables, found):
    plain = open_dataset(found / "plain.zarr")
    table = tables["norm_bounds"]
    assert set(table["configuration"]) == {plain.attrs["configuration_id"]}
    assert (table["ratio"] <= 1 + 1e-9).all() and (table["measured"] >= 0).all()
    assert {"Theorem 4.3.1", "Lemma 4.3.2", "Corollary 4.7.7"} < set(table["statement"])


def test_the_critical_number_is_the_first_that_predicts_about_as_well():
    inputs = [1000, 700, 500, *np.exp(-0.1 * np.arange(40))]
    errors = [[0, e] for e in (0.5, 0.3, 0.18, 0.25, 0.1)]
    store = xr.Dataset(
        {
            "kept": ("reduced", [1, 2, 4, 8, 100]),
            "reduced_error": (("reduced", "split"), errors),
            "activations_eigenvalue": (("snapshot", "layer", "i"), [[inputs]]),
        },
        {"split": ["train", "test"], "train_sample": range(7)},
        {"n_parameters": 100, "n_inputs": 60},
    )
    row = critical_table(store).iloc[0]
    assert row["critical"] == 4 and row["critical_fraction"] == 0.04
    assert row["input_elbow"] == 3 and row["stiff_fraction"] == 3 / 60


@pytest.mark.slow  # test_figures.py draws them of made-up tables, and the smoke study of such ones
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", CURVATURE_FIGURES)
def test_figures(tables, name):
    apply_style()
    figure = CURVATURE_FIGURES[name](tables)
    figure.draw_without_rendering()
    assert figure.axes
    plt.close("all")


def test_of_many_samples_only_the_top_of_the_fisher_matrix_is_found(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(survey, "WHOLE", 100)
    monkeypatch.setattr(survey, "DENSE", 0)
    monkeypatch.setattr(over_training, "WHOLE", 100)
    monkeypatch.setattr(over_training, "_DENSITY", {"steps": 10, "probes": 2})
    store = look(trained, "perceptron", tmp_path / "few.zarr")
    assert store.sizes["fisher_index"] == 8
    assert "jacobian_eigenvalue" not in store and "kept" not in store
    whole = look(trained, "perceptron", tmp_path / "again.zarr", samples=33)
    assert whole.sizes["fisher_index"] > 60
    found = tabulate([tmp_path / "few.zarr"], tmp_path / "tables")
    assert found["reduction"].empty and found["reduction_embedding"].empty
    with pytest.raises(LeftOut):
        CURVATURE_FIGURES["reduction"](found)


def diverged(source, target, seeds):
    """A copy of a predictions store in which some seeds diverged."""

    def build(partial):
        shutil.copytree(source, partial)
        zarr.open_array(partial / "diverged_step", mode="r+")[seeds] = 3

    publish(target, build)


def test_the_first_seed_that_did_not_diverge_is_looked_at(trained, found, tmp_path):
    diverged(trained / "perceptron.zarr", trained / "one.zarr", [0])
    store = look(trained, "one", tmp_path / "one.zarr")
    assert store.attrs["seed"] == 1
    other = open_dataset(found / "perceptron.zarr")["fisher_eigenvalue"].values
    assert not np.allclose(store["fisher_eigenvalue"].values[0, :5], other[0, :5])


def test_where_all_seeds_diverged_there_is_nothing_to_tell(trained, tmp_path):
    diverged(trained / "perceptron.zarr", trained / "all.zarr", [0, 1])
    store = look(trained, "all", tmp_path / "all.zarr")
    assert not store.data_vars
    found = tabulate([tmp_path / "all.zarr"], tmp_path / "tables")
    for name, columns in spectra.TABLES.items():
        assert list(found[name]) == columns and found[name].empty
    for draw in CURVATURE_FIGURES.values():
        with pytest.raises(LeftOut):
            draw(found)


def test_other_data_are_refused(trained, tiny_dataset, tmp_path):
    import dataclasses

    other = dataclasses.replace(tiny_dataset, test_labels=(tiny_dataset.test_labels + 1) % 3)
    for path in trained.glob("perceptron.*"):
        link = tmp_path / path.name
        link.symlink_to(path)
    other.save(tmp_path / "data.zarr")
    with pytest.raises(StoreError, match="perceptron.zarr: trained on other data than those in"):
        look(tmp_path, "perceptron", tmp_path / "none.zarr")
    assert not (tmp_path / "none.zarr").exists()


def test_two_runs_agree(trained, found, tmp_path, monkeypatch):
    torch.manual_seed(5)
    monkeypatch.setattr(survey, "DENSE", 0)
    store = look(trained, "perceptron", tmp_path / "again.zarr")
    first = open_dataset(found / "perceptron.zarr")
    for name in store.data_vars:
        np.testing.assert_allclose(store[name].values, first[name].values, rtol=1e-6, atol=1e-9)
    assert isinstance(pd.Series(store["layer"].values)[0], str)


def test_random_labels_are_those_trained_to(tiny_dataset):
    _, labels = curvature.chosen(tiny_dataset, "train", noise=0.5)
    _, few = curvature.chosen(tiny_dataset, "train", count=20, noise=0.5)
    assert (few == labels[::3]).all()
    wrong = (labels.numpy() != tiny_dataset.train_labels).mean()
    assert 0.2 < wrong < 0.45
