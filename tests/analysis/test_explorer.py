"""The page to turn and point at, from small tables."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from hyperribbon.analysis.explorer import explorer
from hyperribbon.reporting.style import COLOURS

KEYS = ["split", "configuration", "network", "optimiser", "augmentation", "seed", "checkpoint",
        "step", "epoch"]  # fmt: skip


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


def scenes_of(page: str, javascript, **more) -> dict[tuple, dict]:
    """Scenes by split, metric and colour, with arrays as lists."""
    found = javascript(
        f"""((data) => {{
          const found = [], {{ split: splits, metric: metrics, colour: colours }} = data.choices;
          for (const split in splits) for (const metric in metrics) for (const colour in colours) {{
            const choice = {{ split, metric, colour, clock: timeOf(data), ...{json.dumps(more)} }};
            const scene = explorerScene(data, choice);
            const about = (k) => aboutPoint(data, scene, split, k);
            scene.about = Array.from({{ length: scene.n }}, (_, k) => about(k));
            found.push([split, metric, colour, scene]);
          }}
          return found;
        }})({json.dumps(data_of(page))})""",
        "view.js", "scene.js", "explorer_scene.js",
    )  # fmt: skip
    return {tuple(chosen): scene for *chosen, scene in found}


def places_of(scene: dict) -> np.ndarray:
    """Coordinates of a scene's points, out of their cube; (n, 3)."""
    low, high = np.transpose(scene["ranges"])
    return low + (np.reshape(scene["place"], (-1, 3)) + 1) / 2 * (high - low)


def test_the_scene_of_every_choice_has_all_its_points(tables, sampled, javascript):
    scenes = scenes_of(explorer({**tables, "metric_embedding": sampled}), javascript)
    assert len(scenes) == 2 * 2 * 7
    for (split, metric, colour), scene in scenes.items():
        of = (
            tables["models"] if metric == "bhattacharyya" else sampled.query("metric == 'geodesic'")
        )
        points = of.query("split == @split")[["pc1", "pc2", "pc3"]]
        n = scene["models"]
        assert n == len(points)
        ends = [[0.0, 0.1, 0.2]] * 2 if metric == "bhattacharyya" else np.zeros((0, 3))
        np.testing.assert_allclose(places_of(scene), np.concatenate([points, ends]), atol=1e-4)
        assert f"{split} predictions: {n}" in scene["title"]
        words = [about["lines"][0] for about in scene["about"][n:]]
        assert words == (["ignorance", "truth"] if metric == "bhattacharyya" else [])
        assert np.reshape(scene["look"], (-1, 2))[n:, 0].tolist() == [1, 2][: len(ends)]
        if colour in ("network", "seed"):
            assert [group["count"] for group in scene["groups"]] == [n // 2] * 2
            expected = [
                [int(of["colour"][k : k + 2], 16) for k in (1, 3, 5)] for of in scene["groups"]
            ]
            found = np.reshape(scene["colour"], (-1, 4))[:n, :3]
            assert np.unique(found, axis=0).tolist() == sorted(expected)
        else:
            assert scene["bar"]["label"] == data_of(explorer(tables))["values"][colour]["label"]


def test_lines_join_each_run_in_the_order_of_time(tables, javascript):
    shuffled = tables["models"].sample(frac=1, random_state=1)
    shuffled = shuffled.sort_values("split", ascending=False, kind="stable")
    scene = scenes_of(explorer({**tables, "models": shuffled}), javascript)[
        "train", "bhattacharyya", "seed"
    ]
    of = shuffled.query("split == 'train'")
    pairs = np.reshape(scene["pairs"], (-1, 2))[: scene["joined"] // 2]
    ends = [of.iloc[side][["configuration", "checkpoint"]].to_numpy() for side in pairs.T]
    assert (ends[0][:, 0] == ends[1][:, 0]).all()
    assert (ends[0][:, 1] + 1 == ends[1][:, 1]).all()
    assert len(pairs) == 2 * 4
    time = np.reshape(scene["time"], (-1, 2))[:10]
    np.testing.assert_array_equal(time[:, 0], of["epoch"])
    last = of["checkpoint"] == 4
    np.testing.assert_array_equal(time[~last, 1], of["epoch"][~last] + 1)
    assert (time[last, 1] > 1e29).all()
    assert scene["moments"] == [0, 1, 2, 3, 4]


def test_the_slider_may_follow_progress(tables, javascript):
    scenes = scenes_of(explorer(tables), javascript, clock="progress")
    scene = scenes["test", "bhattacharyya", "seed"]
    of = tables["models"].query("split == 'test'")["progress"]
    np.testing.assert_allclose(np.reshape(scene["time"], (-1, 2))[:10, 0], of, rtol=1e-4)
    assert len(scene["moments"]) == 101
    ends = [scene["moments"][0], scene["moments"][-1]]
    np.testing.assert_allclose(ends, [of.min(), of.max()], rtol=1e-4)


def test_hidden_groups_and_runs_that_a_text_does_not_match_are_not_shown(tables, javascript):
    data = json.dumps(data_of(explorer(tables)))
    shown = javascript(
        f"""((data) => {{
          const choice = {{ split: "train", metric: "bhattacharyya", clock: "epoch" }};
          const scene = explorerScene(data, {{ ...choice, colour: "network" }});
          const every = (values, size) => [...values].filter((_, k) => k % size === size - 1);
          const of = (hidden, find, run) => {{
            const shown = shownModels(scene, {{ hidden: new Set(hidden), find, run }});
            return [every(shown.look, 2), every(shown.colour, 4), shown.runs];
          }};
          return [of([], "", null), of([1], "", null), of([], "SEED a-1", null), of([], "", 1)];
        }})({data})""",
        "view.js", "scene.js", "explorer_scene.js",
    )  # fmt: skip
    everything, one, found, chosen = shown
    ends = [1, 1]  # of the geodesic
    assert everything == [[1] * 12, [255] * 12, 2]
    assert one == [[1] * 5 + [0] * 5 + ends, [255] * 12, 2]
    assert found == [[1] * 5 + [0] * 5 + ends, [255] * 12, 1]
    assert chosen[0] == [1] * 12
    assert chosen[1] == [28] * 5 + [255] * 7


def test_names_are_without_hashes_unless_they_differ_by_these(tables, javascript):
    names = {"A-1": "Net-SGD-0123abcd", "B-2": "Net-Adam-0123abce"}
    models = tables["models"].replace({"configuration": names})
    page = explorer({**tables, "models": models})
    assert data_of(page)["categories"]["configuration"]["names"] == ["Net-SGD", "Net-Adam"]
    scene = scenes_of(page, javascript)["train", "bhattacharyya", "seed"]
    assert [run["name"] for run in scene["runs"]] == ["Net-SGD seed 0", "Net-Adam seed 1"]
    alike = models.replace({"configuration": {"Net-Adam-0123abce": "Net-SGD-0123abce"}})
    data = data_of(explorer({**tables, "models": alike}))
    assert data["categories"]["configuration"]["names"] == ["Net-SGD-0123abcd", "Net-SGD-0123abce"]


def test_a_name_cannot_end_the_script(tables):
    assert explorer(tables).count("</script>") == 3  # those of the page itself


def test_epochs_are_coloured_by_their_logarithms_and_zero_has_a_place(javascript):
    shares, marks = javascript(
        """((of) => [[0, 1, 10, 100].map(of.share), of.ticks])
          (scaleOf([0, 1, 10, null, 100], [0, 100], true))""",
        "view.js", "scene.js", "explorer_scene.js",
    )  # fmt: skip
    low = np.log10(0.5)
    expected = (np.array([low, 0, 1, 2]) - low) / (2 - low)
    np.testing.assert_allclose(shares, expected)
    assert [words for _, words in marks] == ["0", "1", "10", "100"]
    np.testing.assert_allclose([share for share, _ in marks], expected)


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
    scene = scenes_of(page, javascript)["train", "bhattacharyya", "step"]
    np.testing.assert_allclose(places_of(scene)[:, 2], 0, atol=1e-9)
    assert scene["about"][1] == {"lines": ["A-1 seed 0", "step 1"], "row": 1}


@pytest.mark.parametrize("images", [None, np.zeros((6, 1, 4, 4), np.uint8)])
def test_every_model_has_the_samples_that_set_it_apart(tables, apart_of, javascript, images):
    sets = apart_of(images)
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


def test_a_point_knows_its_row_and_what_it_is(tables, javascript):
    scene = scenes_of(explorer(tables), javascript)["test", "bhattacharyya", "seed"]
    assert [about["row"] for about in scene["about"]] == [*range(10), -1, -1]
    of = tables["models"].query("split == 'test'").iloc[7]
    assert scene["about"][7]["lines"] == [
        "B-2 seed 1", "epoch 2", f"loss {of['loss']:#.4g} nats", f"error {of['error']:.2%}",
        f"progress {of['progress']:.3f}",
    ]  # fmt: skip
