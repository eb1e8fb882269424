"""The steps of the part, on recordings."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.embedding.bases import SAMPLE_METHODS, SampleBasis
from hyperribbon.embedding.bases.finding import METHODS
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.reporting.style import LeftOut
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.studies.bases import figures, model_bases, sample_bases, tangent_bases
from hyperribbon.studies.bases.divisions import divisions, some_checkpoints
from hyperribbon.studies.bases.part import PART

NAMES = [name for step in PART.steps[:3] for name in step.tables]


@pytest.fixture(scope="module")
def models(recorded):
    return Models(list(map(store_path, recorded)))


def test_some_checkpoints_of_every_training_include_its_ends(models):
    rows = some_checkpoints(models, 3)
    chosen = models.table.iloc[rows]
    by_training = chosen.groupby(["configuration", "seed"])["checkpoint"].agg(list)
    assert by_training.tolist() == [[0, 2, 5]] * 4
    assert len(some_checkpoints(models, 99)) == len(models)


def test_no_training_is_on_both_sides_of_a_division(models):
    table = models.table
    found = list(divisions(table, models.configurations, 3))
    kinds = [division.held_out for division in found]
    # Recordings do not say how many parameters their networks have.
    assert kinds == ["none", *["trainings"] * 3, *["seeds"] * 2, *["networks"] * 2]
    trainings = table["configuration"] + table["seed"].astype(str)
    for division in found[1:]:
        assert not set(trainings[division.fitted]) & set(trainings[division.judged])
        assert (division.fitted | division.judged).all()
    halves = {tuple(division.fitted) for division in found[1:4]}
    assert len(halves) > 1
    size_of = models.configurations["network"].map({"A": 10, "B": 20})
    sized = models.configurations.assign(parameters=size_of)
    *_, last = divisions(table, sized, 1)
    assert last.held_out == "larger networks" and last.piece == "A"
    assert set(table.loc[last.judged, "network"]) == {"B"}


def test_there_is_a_row_for_everything_that_is_compared(tables):
    assert set(tables) == set(NAMES)
    of_models = tables["model_bases"].query("held_out == 'trainings' and split == 'test'")
    counts = of_models.groupby("method").size()
    assert set(counts.index) == {*METHODS, "InPCA"}
    assert counts["free"] == 2 * 2 and counts["subset"] == 3 * 2 * 2  # draws, sizes, mixtures
    of_samples = tables["sample_bases"].query("held_out == 'trainings' and split == 'test'")
    assert set(of_samples["method"]) == set(SAMPLE_METHODS)
    assert set(of_samples["size"]) == {4, 8}
    monitored = tables["monitoring"].query("split == 'train'")
    assert (monitored["cost_cut"] == 24 / monitored["size"]).all()
    assert set(monitored["quantity"]) == {"progress", "loss", "error"}
    tangents = tables["tangent_bases"]
    assert set(tangents["basis"]) == {"tangents", "four points", "InPCA"}
    for name in ("model_bases", "sample_bases", "tangent_bases"):
        assert (tables[name]["explained_pairwise_distance"] <= 1).all()


def test_what_is_kept_is_kept_of_trainings_that_were_not_fitted(tables, models):
    rows = some_checkpoints(models, 4)
    table = models.table.iloc[rows].reset_index(drop=True)
    half = next(d for d in divisions(table, models.configurations, 2) if d.piece == "1")
    fitted, judged = (models.selections("test", rows[s]) for s in (half.fitted, half.judged))
    expected = SampleBasis(4, random_state=1).fit(fitted).score(judged, pairwise_distance(judged))
    found = tables["sample_bases"].query(
        "split == 'test' and held_out == 'trainings' and piece == '1' and method == 'greedy'"
        " and weighted and size == 4"
    )
    assert found["explained_pairwise_distance"].item() == pytest.approx(expected, abs=1e-6)


def test_basis_models_and_samples_are_listed_in_the_order_of_choice(tables):
    chosen = tables["basis_models"]
    for _, rows in chosen.groupby(["split", "method"]):
        assert rows["order"].tolist() == [1, 2, 3]
        assert rows["weight"].sum() == pytest.approx(1)
    samples = tables["basis_samples"]
    assert samples.groupby("split").size().to_dict() == {"test": 8, "train": 8}
    assert samples["picture"].isna().all()  # recordings have no images
    assert samples["rank"].between(0, 1).all()
    assert isinstance(tables["monitoring"], pd.DataFrame) and np.isfinite(samples["weight"]).all()


def test_of_one_training_none_is_held_out(recorded, section, tmp_path):
    found = {}
    for module, step in zip((model_bases, sample_bases, tangent_bases), PART.steps, strict=False):
        paths = [tmp_path / f"{name}.csv" for name in step.tables]
        module.main(predictions=recorded[:1], bases=section, threads=1, output=tuple(paths))
        found |= {path.stem: pd.read_csv(path) for path in paths}
    for name in ("model_bases", "sample_bases", "tangent_bases"):
        assert set(found[name]["held_out"]) == {"none"}
    assert found["monitoring"].empty and len(found["basis_samples"]) == 2 * 8
    with pytest.raises(LeftOut, match="fewer than four trainings"):
        figures.monitoring(found, split="test")
