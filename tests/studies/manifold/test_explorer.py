"""The page to turn and point at, from small tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.style import COLOURS
from hyperribbon.studies.manifold.explorer import explorer

KEYS = ["split", "configuration", "network", "optimiser", "augmentation", "seed", "checkpoint",
        "step", "epoch"]  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """Two trainings of five checkpoints; no number is there twice."""
    who = pd.DataFrame({"configuration": ["A-1", "B-2"], "network": ["A", "B</script>"]})
    who = who.assign(optimiser="SGD", augmentation="none", seed=[0, 1])
    models = pd.DataFrame({"split": ["train", "test"]}).merge(who, how="cross")
    models = models.merge(pd.DataFrame({"checkpoint": range(5)}), how="cross")
    models["step"] = models["epoch"] = models["checkpoint"]
    values = ["loss", "error", "progress", "distance_to_truth", "pc1", "pc2", "pc3"]
    models[values] = np.random.default_rng(0).random((20, 7)).round(5) + 1
    models.loc[0, "distance_to_truth"] = np.nan
    ends = pd.DataFrame({"alpha": [0.0, 1.0], "pc1": 0.0, "pc2": 0.1, "pc3": 0.2})
    stress = pd.DataFrame({"dimension": [1, 2, 3], "explained_stress": [0.7, 0.8, 0.9]})
    stress["kind"] = ["space-like", "time-like", "space-like"]
    split = models[["split"]].drop_duplicates()
    return {
        "models": models,
        "geodesic": split.merge(ends, how="cross"),
        "explained_stress": split.merge(stress, how="cross"),
    }


@pytest.fixture(scope="module")
def sampled(tables):
    """Every other checkpoint in another metric."""
    table = tables["models"].query("checkpoint % 2 == 0")[[*KEYS, "pc1", "pc2", "pc3"]]
    geodesic = table.assign(metric="geodesic", pc1=table["pc1"] + 5)
    return pd.concat([table.assign(metric="bhattacharyya"), geodesic])


def data_of(page: str) -> dict:
    (found,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page)
    return json.loads(found)


def options_of(page: str, name: str) -> list[str]:
    (found,) = re.findall(rf'<select id="{name}">(.*?)</select>', page)
    return re.findall(r'value="(\w+)"', found)


def test_every_column_can_be_chosen(tables, sampled):
    page = explorer({**tables, "metric_embedding": sampled})
    assert options_of(page, "split") == ["train", "test"]
    assert options_of(page, "metric") == ["bhattacharyya", "geodesic"]
    assert options_of(page, "colour") == [
        "network", "optimiser", "augmentation", "seed",
        "epoch", "loss", "error", "progress", "distance_to_truth",
    ]  # fmt: skip
    data = data_of(page)
    assert data["categories"]["network"]["names"] == ["A", "B</script>"]
    assert data["categories"]["network"]["colours"] == COLOURS[:2]
    assert data["values"]["loss"]["label"] == "loss, nats"
    assert data["values"]["distance_to_truth"]["of"]["train"][0] is None
    assert data["axes"]["test"] == ["PC1", "PC2 (time-like)", "PC3"]


def test_numbers_are_in_the_page_once(tables, sampled):
    page = explorer({**tables, "metric_embedding": sampled})
    data = page[page.index('<script id="data"') :]
    models = tables["models"]
    for name in ("loss", "error", "progress", "pc1", "pc3"):
        for value in models.loc[models["checkpoint"] == 1, name]:
            assert data.count(f"{value:.5g}") == 1
    assert list(data_of(page)["values"]["epoch"]["of"]) == ["train"]  # the same on both


def test_sampled_models_are_found_among_all(tables, sampled):
    shuffled = sampled.sample(frac=1, random_state=0)
    data = data_of(explorer({**tables, "metric_embedding": shuffled}))
    models = tables["models"].query("split == 'test'")
    found = data["embeddings"]["geodesic"]
    rows = found["rows"].get("test", found["rows"]["train"])
    expected = models["pc1"].to_numpy()[rows] + 5
    np.testing.assert_allclose(found["points"]["test"][0], expected, rtol=1e-4)


@pytest.mark.parametrize("rows", [None, 0])
def test_without_other_metrics_there_is_one(tables, sampled, rows):
    more = {} if rows is None else {"metric_embedding": sampled.iloc[:rows]}
    assert options_of(explorer({**tables, **more}), "metric") == ["bhattacharyya"]
