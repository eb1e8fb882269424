"""The step `regression`, on the real table, with small networks."""

import pytest

from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.regression import regression
from hyperribbon.studies.regression.config import RegressionConfig

CONFIG = RegressionConfig(networks=[[6], [1]], epochs=20, seeds=2)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("regression")
    output = [folder / "regression_spectra.csv", folder / "regression_sloppiness.csv"]
    regression.main(CONFIG, (output[0], output[1]))
    return read_tables(output)


def test_every_training_has_a_spectrum_at_each_moment(tables):
    found = tables["regression_sloppiness"]
    assert found.columns.tolist() == regression.OF_SLOPPINESS
    fisher = found[found["matrix"] == "fisher"]
    counts = fisher.groupby(["data", "network"])["moment"].value_counts()
    assert (counts == CONFIG.seeds).all()
    assert len(counts) == 9  # two networks on boston, the first one on random data; three moments
    assert fisher.groupby("network")["parameters"].first().to_dict() == {"1": 16, "6": 91}
    assert fisher["slope"].between(fisher["low"], fisher["high"]).all()
    errors = fisher.pivot_table(index=["data", "network", "seed"], columns="moment", values="error")
    assert (errors["end"] < errors["initialisation"]).all()


def test_spectra_are_whole(tables):
    """Of each Fisher matrix, as many eigenvalues as weights, of which those up to 80 are shown."""
    spectra, found = tables["regression_spectra"], tables["regression_sloppiness"]
    assert spectra.columns.tolist() == regression.OF_SPECTRA
    keys = ["data", "network", "seed", "moment"]
    fisher = found[found["matrix"] == "fisher"].set_index(keys)
    parts = spectra[spectra["matrix"] == "fisher"].groupby(keys)
    assert len(parts) == len(fisher)
    for key, part in parts:
        assert part["eigenvalue"].is_monotonic_decreasing
        row = fisher.loc[key]
        assert part["index"].max() == row["parameters"] == row["eigenvalues"]
        assert part["eigenvalue"].iloc[0] == row["largest"]
        if len(part) == row["eigenvalues"]:
            assert part["eigenvalue"].sum() == pytest.approx(row["trace"])


def test_the_inputs_are_standardised_and_random_ones_have_about_equal_eigenvalues(tables):
    spectra = tables["regression_spectra"]
    inputs = spectra[spectra["matrix"] == "input"].groupby("data")["eigenvalue"]
    assert inputs.get_group("boston").sum() == pytest.approx(13)
    ratio = inputs.max() / inputs.min()
    assert ratio["random"] < 2.5
    assert ratio["boston"] > 50
