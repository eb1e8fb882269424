"""The page to turn and point at, from small tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from hyperribbon.analysis.apart import Apart
from hyperribbon.analysis.explorer import SetsApart, explorer
from hyperribbon.reporting.style import COLOURS

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


def apart_of(tables, images=None):
    """Made-up samples that set apart the ten models of each split."""
    rng = np.random.default_rng(1)
    apart = Apart(
        rng.integers(0, 6, (10, 2)),
        rng.integers(0, 3, (10, 2)),
        rng.random((10, 2)),
        rng.random(10),
    )
    labels = np.arange(6) % 3
    return {s: SetsApart(apart, labels, ["a", "<i>b", "c"], images) for s in ("train", "test")}


def options_of(page: str, name: str) -> list[str]:
    return list(data_of(page)["choices"][name])


def test_every_column_can_be_chosen(tables, sampled):
    page = explorer({**tables, "metric_embedding": sampled})
    assert all(f'<select id="{name}">' in page for name in ("split", "metric", "colour"))
    assert options_of(page, "split") == ["train", "test"]
    assert options_of(page, "metric") == ["bhattacharyya", "geodesic"]
    assert options_of(page, "colour") == [
        "network", "seed",  # all have the same optimiser and augmentation
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
    data = data[: data.index("</script>")]
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


def figures_of(page: str, javascript) -> dict[tuple, dict]:
    """Traces and layout by split, metric and colour."""
    found = javascript(
        f"""((data) => {{
          const found = [], {{ split: splits, metric: metrics, colour: colours }} = data.choices;
          for (const split in splits) for (const metric in metrics) for (const colour in colours)
            found.push([split, metric, colour, explorerFigure(data, {{ split, metric, colour }})]);
          return found;
        }})({json.dumps(data_of(page))})""",
        "explorer_figure.js",
    )
    return {tuple(chosen): figure for *chosen, figure in found}


def test_the_figure_of_every_choice_has_all_its_points(tables, sampled, javascript):
    page = explorer({**tables, "metric_embedding": sampled})
    figures = figures_of(page, javascript)
    assert len(figures) == 2 * 2 * 7
    for (split, metric, colour), figure in figures.items():
        of = (
            tables["models"] if metric == "bhattacharyya" else sampled.query("metric == 'geodesic'")
        )
        points = of.query("split == @split")
        traces = [trace for trace in figure["traces"] if "seed" in trace["hovertemplate"]]
        for k, axis in enumerate("xyz", start=1):
            shown = np.concatenate([trace[axis] for trace in traces])
            np.testing.assert_allclose(shown, points[f"pc{k}"], rtol=1e-4)
        others = [trace["name"] for trace in figure["traces"] if trace not in traces]
        ends = ["geodesic", "ignorance", "truth"]
        assert others == (ends if metric == "bhattacharyya" else [])
        assert f"{split} predictions: {len(points)}" in figure["layout"]["title"]["text"]
        if colour in ("network", "seed"):
            assert len(traces) == 2
        else:
            assert len(traces[0]["marker"]["color"]) == len(points)


def test_a_name_with_a_tag_in_it_is_shown_as_it_is(tables, javascript):
    page = explorer(tables)
    assert page.count("</script>") == 3  # those of the page itself
    figure = figures_of(page, javascript)["test", "bhattacharyya", "network"]
    assert [trace["name"] for trace in figure["traces"][:2]] == ["A", "B&lt;/script>"]


def test_epochs_are_coloured_by_their_logarithms_and_zero_has_a_place(javascript):
    found = javascript("logarithmic([0, 1, 10, null, 100], [0, 100])", "explorer_figure.js")
    half = np.log10(0.5)
    assert found["color"] == [pytest.approx(half), 0, 1, None, 2]
    assert found["bar"]["ticktext"] == ["0", "1", "10", "100"]
    assert found["bar"]["tickvals"] == [pytest.approx(half), 0, 1, 2]
    assert (found["cmin"], found["cmax"]) == (pytest.approx(half), 2)


def test_plotly_is_in_the_page_compressed(tables, javascript):
    page = explorer(tables)
    (packed,) = re.findall(r'<script id="plotly" type="text/plain">(.*?)</script>', page)
    assert len(page) < 2.5e6
    assert javascript(f"unpacked({json.dumps(packed)})", "interactive.js") == get_plotlyjs()


def test_nothing_is_loaded(tables):
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", explorer(tables))


def test_recordings_may_have_one_split_no_labels_and_no_epochs(tables, javascript):
    models = tables["models"].query("split == 'train'")
    bare = models.drop(columns=["loss", "error", "progress", "distance_to_truth"])
    bare = bare.assign(epoch=np.nan)
    stress = tables["explained_stress"].query("split == 'train' and dimension < 3")
    page = explorer({"models": bare.drop(columns="pc3"), "explained_stress": stress})
    assert options_of(page, "split") == ["train"]
    assert options_of(page, "colour") == ["network", "seed", "step"]
    figures = figures_of(page, javascript)
    (trace,) = figures["train", "bhattacharyya", "step"]["traces"]
    assert trace["z"] == [0] * 10
    assert "step %{customdata[2]:d}" in trace["hovertemplate"]
    assert "loss" not in trace["hovertemplate"]


@pytest.mark.parametrize("images", [None, np.zeros((6, 1, 4, 4), np.uint8)])
def test_every_model_has_the_samples_that_set_it_apart(tables, javascript, images):
    sets = apart_of(tables, images)
    page = explorer(tables, sets)
    data = json.dumps(data_of(page))
    cards = javascript(f"apartCards({data}, 'test', 7)", "explorer_apart.js")
    apart = sets["test"].apart
    assert [card["sample"] for card in cards] == apart.sample[7].tolist()
    names = ["a", "<i>b", "c"]
    assert [card["predicted"] for card in cards] == [names[c] for c in apart.predicted[7]]
    assert [card["label"] for card in cards] == [names[k % 3] for k in apart.sample[7]]
    assert [card["share"] for card in cards] == np.round(100 * apart.share[7], 1).tolist()
    assert all(("picture" in card) == (images is not None) for card in cards)
    title = javascript(f"apartTitle({data}, 'test', 7)", "explorer_apart.js")
    assert title.startswith(f"{apart.distance[7]:.3g} nats from the geodesic")
    assert "<i>b" not in page


def test_a_point_knows_its_row(tables, javascript):
    figures = figures_of(explorer(tables), javascript)
    traces = figures["test", "bhattacharyya", "seed"]["traces"]
    rows = [about[6] for trace in traces[:2] for about in trace["customdata"]]
    assert rows == list(range(10))
