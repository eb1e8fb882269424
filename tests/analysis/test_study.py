"""A family of trainings as one object: from arrays and from recordings."""

import numpy as np
import pandas as pd
import pytest

import hyperribbon as hr
from hyperribbon.analysis import geometry
from hyperribbon.analysis.study import Study
from hyperribbon.embedding import InPCA
from hyperribbon.errors import DataError, OnePointWarning, StoreError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import progress
from hyperribbon.recording.predictions import record_predictions

LABELS = {"train": np.arange(24) % 3, "test": np.arange(12) % 3}


@pytest.fixture
def study(predictions):
    return Study.from_arrays(
        predictions["train"],
        LABELS["train"],
        test_predictions=predictions["test"],
        test_labels=LABELS["test"],
        class_names=["cat", "dog", "<b>ant"],
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_everything_is_what_the_functions_compute(study, predictions, split):
    P = np.concatenate(list(predictions[split].values()))
    D = pairwise_distance(P, floor=1e-30)
    np.testing.assert_array_equal(study.distances(split), D)
    inpca = InPCA(3, metric="precomputed").fit(D)
    found = study.embed(split)
    np.testing.assert_allclose(found[["pc1", "pc2", "pc3"]], inpca.embedding_, atol=1e-9)
    np.testing.assert_allclose(found.attrs["explained_stress"], inpca.explained_stress_)
    np.testing.assert_allclose(study.progress(split), progress(P, LABELS[split]))
    np.testing.assert_array_equal(study.predictions(split), P)
    assert study.predictions(split).sel({"class": "dog"}).shape == P.shape[:2]
    first, other = study.trajectories(split)
    np.testing.assert_array_equal(other, predictions[split]["Other"])
    assert first.attrs == {"configuration": "Net", "seed": 0}
    euclidean = pairwise_distance(P, metric="euclidean", floor=1e-30)
    np.testing.assert_array_equal(study.distances(split, "euclidean"), euclidean)
    more = study.embed(split, n_components=11)
    np.testing.assert_allclose(more["pc2"], found["pc2"], atol=1e-9)
    assert more.shape[1] == found.shape[1] + 8


def test_its_tables_are_those_of_a_study(study):
    assert {"models", "geodesic", "explained_stress", "tubes", "trajectories"} < set(study.tables)
    models = study.tables["models"]
    assert len(models) == 22
    assert models["progress"].between(0, 1).all()
    assert models.columns[0] == "split"
    assert study.tables["models"] is models
    assert study.tables["tubes"]["to_geodesic"].gt(0).all()
    with pytest.raises(DataError, match="table 'model': expected one of models, traj"):
        study.tables["model"]
    assert study.tables.get("model") is None
    with pytest.raises(DataError, match="claims: only `hyperribbon run` judges them"):
        _ = study.claims


def test_two_models_are_explained_by_their_samples(study):
    found = study.explain(0, 5)
    assert found.total == pytest.approx(float(study.distances()[0, 5]), rel=1e-5)
    assert found["class"].values.tolist() == ["cat", "dog", "<b>ant"]
    for wrong in (11, -12, "Net"):
        with pytest.raises(DataError, match="expected a position in models, 0 to 10"):
            study.explain(0, wrong)


def test_it_says_what_it_is(study):
    assert repr(study) == (
        "Study of 2 trainings: 11 models of 24 train and 12 test samples, 3 classes"
    )
    named = Study.from_arrays({"<i>x": np.full((2, 3), 1 / 3)}, np.arange(2))
    assert "&lt;i&gt;x" in named._repr_html_()
    assert "<i>" not in named._repr_html_()


def test_without_labels_there_are_distances_but_no_progress(predictions):
    study = Study.from_arrays(predictions["train"])
    assert {"models", "explained_stress"} <= set(study.tables)
    assert not {"geodesic", "tubes"} & set(study.tables)
    assert "progress" not in study.tables["models"]
    assert study.models["train_loss"].isna().all()
    with pytest.raises(DataError, match="progress: needs the labels of the train samples"):
        study.progress()
    with pytest.raises(DataError, match=r"split = 'test': expected train"):
        study.embed("test")


def test_seeds_and_single_models(predictions):
    P = predictions["train"]["Net"]
    study = Study.from_arrays({"seeds": P.reshape(2, 3, 24, 3), "one": P[5]}, LABELS["train"])
    assert study.models["seed"].tolist() == [0, 0, 0, 1, 1, 1, 0]
    np.testing.assert_array_equal(study.distances()[5], study.distances()[6])


def test_the_prior_moves_ignorance():
    labels = np.array([0] * 9 + [1] * 3)
    base_rates = np.tile([0.75, 0.25], (12, 1))
    P = {"net": np.stack([base_rates, 0.5 * base_rates + 0.5 * np.eye(2)[labels]])}
    assert Study.from_arrays(P, labels).progress()[0] > 0.1
    study = Study.from_arrays(P, labels, prior="frequencies")
    assert study.progress()[0] == 0
    models = study.tables["models"]
    assert models["distance_to_ignorance"][0] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("how", ["folder", "pattern", "list"])
def test_recordings_are_the_same_as_arrays(runs, study, how):
    given = {
        "folder": runs,
        "pattern": f"{runs}/*.zarr",
        "list": [runs / "Net.zarr", str(runs / "Other.zarr")],
    }
    recorded = hr.Study.from_runs(given[how])
    assert recorded.name == "runs"
    for split in ("train", "test"):
        np.testing.assert_array_equal(recorded.distances(split), study.distances(split))
    ours, theirs = recorded.tables["models"], study.tables["models"]
    names = ["progress", "loss", "error", "distance_to_truth", "pc1"]
    np.testing.assert_allclose(ours[names], theirs[names], atol=1e-6)


def test_train_samples_alone(predictions, tmp_path):
    path = tmp_path / "Net.zarr"
    record_predictions(path, predictions["train"]["Net"], LABELS["train"], network="Net")
    study = Study.from_runs(path)
    assert study.splits == ("train",)
    assert study.name == "Net"
    assert set(study.tables["models"]["split"]) == {"train"}


def test_what_was_computed_is_kept(runs, cache, monkeypatch):
    first = Study.from_runs(runs)
    expected = {name: first.tables[name] for name in ("explained_stress", "geodesic", "tubes")}
    assert list(cache.glob("*/*.npz"))

    def not_again(*_, **__):
        raise AssertionError("computed again")

    for name in ("pairwise_distance", "progress", "compare_trajectories"):
        monkeypatch.setattr(geometry, name, not_again)
    again = Study.from_runs(runs)
    for name, table in expected.items():
        pd.testing.assert_frame_equal(again.tables[name], table)
    monkeypatch.undo()


def test_what_was_kept_of_others_is_not_taken(runs, cache, predictions):
    before = Study.from_runs(runs).embed()
    for path in cache.glob("*/*.npz"):
        path.write_bytes(path.read_bytes()[:40])  # damaged
    pd.testing.assert_frame_equal(Study.from_runs(runs).embed(), before)
    other = Study.from_runs(runs / "Net.zarr").embed()
    assert len(other) == 6
    reverse = Study.from_runs([runs / "Other.zarr", runs / "Net.zarr"]).embed()
    assert reverse["network"][0] == "Other"
    np.testing.assert_allclose(reverse["pc1"][5:], before["pc1"][:6], atol=1e-9)


def test_a_cache_that_cannot_be_written_is_done_without(runs, cache):
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where a folder should be")
    assert len(Study.from_runs(runs).embed()) == 11


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nowhere", "nowhere: no recorded stores there; expected NAME.zarr"),
        ([], "no stores are given"),
        ("runs/*.nothing", "no recorded stores there"),
    ],
)
def test_runs_that_are_not_there(given, words):
    with pytest.raises(StoreError, match=words.replace("*", r"\*")):
        Study.from_runs(given)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"predictions": {}}, "train: dict, expected a mapping from names to predictions"),
        ({"predictions": np.ones((2, 3))}, "train: ndarray, expected a mapping"),
        ({"labels": np.arange(3)}, "labels: 3, expected one per sample, 24"),
        ({"labels": np.arange(24)}, "labels: from 0 to 23, expected 0 to 2"),
        ({"predictions": {"a": np.ones((2, 24, 3))}}, "train a: a row that sums to 3"),
        ({"test_labels": np.arange(3)}, "test_labels: given without test_predictions"),
        (
            {"test_predictions": {"Net": np.full((6, 12, 3), 1 / 3)}},
            r"test: trainings or checkpoints .*Net, seed 0 \(6\), expected Net.*; Other, seed 0",
        ),
        (
            {"predictions": {"a": np.full((24, 3), 1 / 3), "b": np.full((20, 3), 1 / 3)}},
            r"train b: shape \(1, 20, 3\), expected 24 samples and 3 classes",
        ),
    ],
)
def test_arrays_that_do_not_fit(predictions, options, words):
    with pytest.raises(DataError, match=words):
        Study.from_arrays(
            **{"predictions": predictions["train"], "labels": LABELS["train"]} | options
        )


def test_the_page_of_a_study(study, tmp_path):
    page = study.explore(tmp_path / "pages" / "explorer.html")
    text = page.read_text(encoding="utf-8")
    assert "&lt;b>ant" in text.replace("\\u003c", "&lt;")
    assert "<b>ant" not in text
    with pytest.raises(DataError, match=r"path = .*x.txt: expected the path of a page"):
        study.explore(tmp_path / "x.txt")


def test_models_that_never_move_are_one_point(tmp_path):
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=24)
    still = P + 1e-9 * rng.standard_normal((5, 24, 3))
    record_predictions(tmp_path / "still.zarr", still, LABELS["train"], network="Still")
    study = Study.from_runs(tmp_path / "still.zarr")
    with pytest.warns(OnePointWarning, match="all models .* coincide"):
        embedded = study.embed()
    assert not embedded[["pc1", "pc2", "pc3"]].to_numpy().any()
    assert np.isnan(embedded.attrs["explained_stress"]).all()
    assert len(study.tables["models"]) == 5
    assert study.explore(tmp_path / "page.html").exists()
