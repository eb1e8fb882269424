"""The step `certify`, on tiny trainings: what its tables say is what the library certifies."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.config import FullyConnectedConfig
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.studies.certificates import certify, tables
from hyperribbon.studies.certificates.config import CertificatesConfig
from hyperribbon.training.job import train_configuration

METHODS = CertificatesConfig.model_fields["methods"].default


@pytest.fixture(scope="module")
def trained(tiny_dataset, tiny_configuration, tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    tiny_dataset.save(folder / "data.zarr")
    network = FullyConnectedConfig(architecture="fully_connected", widths=[8], batchnorm=False)
    configuration = tiny_configuration(network, epochs=20)
    train_configuration(configuration, tiny_dataset, folder / "work", folder / "plain.zarr")
    return folder


def certified(folder, method, **changes):
    """Tables of one method, by name."""
    section = {"networks": ["Net"], "methods": [method], "set_aside": 15, "epochs": 2,
               "batch_size": 15, "draws": 8, **changes}  # fmt: skip
    output = [folder / f"{name}-plain-{method}.csv" for name in certify.COLUMNS]
    certify.main(
        predictions=manifest_path(folder / "plain.zarr"),
        data=manifest_path(folder / "data.zarr"),
        certificates=CertificatesConfig(**section),
        output=output,
    )
    return {name: pd.read_csv(path) for name, path in zip(certify.COLUMNS, output, strict=True)}


@pytest.mark.parametrize("method", METHODS)
def test_every_seed_has_a_certificate(trained, method):
    found = certified(trained, method)
    for name, columns in certify.COLUMNS.items():
        assert list(found[name]) == columns
    rows, store = found["certificates"], open_dataset(trained / "plain.zarr")
    assert rows["seed"].tolist() == [0, 1] and set(rows["method"]) == {method}
    assert (rows["n_bounded"] == 45).all() and (rows["classes"] == 3).all()
    np.testing.assert_allclose(rows["test_error"], store["test_error"].values[:, -1])
    assert (rows["error"] <= rows["error_limit"]).all()
    assert (rows["error_limit"] <= rows["bound"]).all() and (rows["bound"] <= 1).all()
    scales = found["posterior_scales"]
    assert (scales.groupby("seed")["last"].max() == rows.set_index("seed")["parameters"]).all()
    curve = found["certificate_optimisation"]
    assert len(curve) == (0 if method == "analytic" else 4)


def test_of_the_analytic_posterior_all_sloppy_directions_are_spread(trained):
    rows = certified(trained, "analytic")["certificates"]
    assert rows["correlation"].to_numpy() == pytest.approx(-1, abs=0.05)


def test_tables_of_several_methods_are_put_together(trained, tmp_path):
    for method in ("analytic", "stiff"):
        certified(trained, method)
    parts = [trained / f"{name}-plain-{m}.csv" for name in certify.COLUMNS
             for m in ("analytic", "stiff")]  # fmt: skip
    output = [tmp_path / f"{name}.csv" for name in certify.COLUMNS]
    tables.main(parts, output)
    whole = pd.read_csv(tmp_path / "certificates.csv")
    assert whole["method"].tolist() == ["analytic"] * 2 + ["stiff"] * 2
