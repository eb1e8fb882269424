"""A finished study, opened as one object and from the command line."""

import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import hyperribbon as hr
from hyperribbon.analysis import geometry
from hyperribbon.cli import main
from hyperribbon.errors import StoreError

pytestmark = pytest.mark.workflow


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def results(finished):
    (found,) = (finished / "results").glob("*/study.json")
    return found.parent


def test_what_is_stored_is_read_and_not_computed(results, monkeypatch):
    def not_again(*_, **__):
        raise AssertionError("computed again")

    for name in ("pairwise_distance", "progress", "compare_trajectories", "InPCA"):
        monkeypatch.setattr(geometry, name, not_again)
    study = hr.open_study(results)
    models = pd.read_csv(results / "tables" / "models.csv")
    for split in ("train", "test"):
        of_split = models[models["split"] == split]
        embedded = study.embed(split)
        np.testing.assert_allclose(embedded["pc2"], of_split["pc2"], rtol=1e-12)
        np.testing.assert_allclose(study.progress(split), of_split["progress"], rtol=1e-12)
        assert study.distances(split).shape == (len(of_split),) * 2
    assert set(study.tables) >= {path.stem for path in (results / "tables").glob("*.csv")}
    assert "verdict" in study.claims
    assert study.images("train").shape[0] == study.predictions().sizes["sample"]


def test_what_is_computed_agrees_with_what_is_stored(results):
    stored, computed = hr.open_study(results), hr.Study.from_runs(results / "predictions")
    keys = ["split", "configuration", "seed", "checkpoint"]
    ours, theirs = (
        study.tables["models"].sort_values(keys).reset_index(drop=True)
        for study in (stored, computed)
    )
    columns = ["loss", "error", "progress", "distance_to_ignorance", "distance_to_truth"]
    np.testing.assert_allclose(ours[columns], theirs[columns], atol=1e-6)
    assert ours["away"].tolist() == theirs["away"].tolist()


def test_a_study_and_its_parts_can_be_mixed(results, tmp_path):
    page = tmp_path / "both.html"
    words = ["explore", str(results), str(results / "predictions"), "--no-open", "-o", str(page)]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    alone = CliRunner().invoke(main, ["explore", str(results), "--no-open", "-o", str(page)])
    assert alone.output.split("trainings")[1].split(",")[0] in result.output
    verified = CliRunner().invoke(main, ["verify", str(results)])
    assert verified.exit_code == 0, verified.output


def test_another_prior_is_computed(results):
    study = hr.open_study(results, prior="frequencies")
    assert len(study.tables["models"]) == 2 * len(study)
    assert study.progress().between(0, 1).all()


def test_an_interrupted_study_shows_what_is_there(changeable):
    (found,) = (changeable / "results").glob("*/study.json")
    for kind in ("distance", "embedding", "progress", "trajectories", "tables"):
        shutil.rmtree(found.parent / kind)
    study = hr.open_study(found.parent)
    assert study.tables["models"]["progress"].between(0, 1).all()
    for path in (found.parent / "predictions").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(StoreError, match="no training is finished yet"):
        hr.open_study(found.parent)
