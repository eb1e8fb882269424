"""The page's JavaScript, as far as it needs no browser."""

import json

import numpy as np
import pytest

STATE = ("view.js", "scene.js", "interactive.js", "chart.js", "watch_state.js", "watch_scene.js")
REPLY = {
    "version": 1,
    "generation": 5,
    "first": 0,
    "trainings": [{"name": "a", "finished": False, "diverged": None},
                  {"name": "b", "finished": True, "diverged": None}],
    "models": {"training": [0, 1, 0], "step": [20, 10, 10], "point": [[0, 0, 0], [1, 1, 1], None]},
    "problems": [], "events": [], "samples": 1000, "split": "test", "waiting": 0,
    "axes": ["space-like", "space-like", "time-like"], "explained_stress": 0.9512, "references": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def found(javascript):
    """What all tests ask of the scripts; a single process of Node.js answers."""
    more = REPLY | {
        "version": 2, "first": 3,
        "models": {"training": [1], "step": [20], "point": [[2, 2, 2]]},
    }  # fmt: skip
    models = {name: column[1:] for name, column in REPLY["models"].items()}
    fresh = REPLY | {"version": 3, "generation": 6, "models": models}
    return javascript(
        f"""(() => {{
        const reply = {json.dumps(REPLY)}, more = {json.dumps(more)}, fresh = {json.dumps(fresh)};
        const one = merged(noState(), reply), two = merged(one, more), three = merged(two, fresh);
        return {{
          asked: [asks(noState()), asks(one), asks(two)],
          steps: [one.models.step, two.models.step, three.models.step],
          rows: rowsByTraining(two),
          summaries: [summary(two), summary(noState()), caption(two), caption(noState())],
          before: placesBefore(three, two),
          between: between([[0, 0, 0], null], [[2, 4, 6], [1, 1, 1]], 0.5),
          colours: coloursOf(["x", "y", "x"]),
          many: new Set(coloursOf(Array.from({{ length: 40 }}, (_, k) => k))).size,
          hues: [0, 1 / 3, 2 / 3].map((h) => hue(h, 0.5)),
          scene: watchScene([[0, 0, 0], [1, 2, 4], null, [2, 2, 2], [9, 9, 9]],
            [{{ rows: [0, 1], colour: "#0072B2" }}, {{ rows: [2, 3], colour: "#E69F00" }}],
            [[0, 0, 0], [1, 1, 1], [2, 0, 0]]),
          empty_scene: watchScene([], [], null),
          ticks: [ticks(0, 1, 5), ticks(0, 1234, 5), ticks(0.1, 0.13, 5), ticks(3, 3)],
          powers: [powers(1, 1000), powers(1e-6, 1e6), powers(2.1, 3), powers(0.05, 3)],
          log: axisOf([0, 1, 100], {{ log: true }}).at(0),
          logs: [1, 10, 100].map(axisOf([1, 100, null], {{ log: true }}).at),
          linear: axisOf([0.2, 0.4], {{ from: 0, to: 1 }}).ticks,
          empty: axisOf([null, NaN]).ticks,
          short: [0, 0.5, 12345, 2500000, 0.00001, 1e10].map(shortNumber),
        }};
        }})()""",
        *STATE,
    )


def test_replies_are_merged_and_only_what_is_new_is_asked_for(found):
    assert found["asked"] == [
        "state?version=-1&generation=-1&first=0",
        "state?version=1&generation=5&first=3",
        "state?version=2&generation=5&first=4",
    ]
    assert found["steps"] == [[20, 10, 10], [20, 10, 10, 20], [10, 10]]
    assert found["rows"] == [[2, 0], [1, 3]]


def test_sentences(found):
    assert found["summaries"] == [
        "2 trainings, 4 checkpoints, 1,000 test samples",
        "Nothing is recorded yet in …",
        "Explained stress of three dimensions: 95.1%. Embedded: 3; the others are placed.",
        "The picture begins with the second checkpoint.",
    ]
    assert found["short"] == ["0", "0.5", "12.3k", "2.5M", "1e-5", "10G"]


def test_models_move_from_where_they_were(found):
    assert found["before"] == [[1, 1, 1], None]
    assert found["between"] == [[1, 2, 3], [1, 1, 1]]


def test_colours(found):
    assert found["colours"][0] == found["colours"][2] != found["colours"][1]
    assert found["many"] == 40

    assert found["hues"] == ["#d92626", "#26d926", "#2626d9"]


def test_the_scene_has_what_is_shown_and_the_last_of_each_training_is_larger(found):
    scene = found["scene"]
    assert (scene["n"], scene["models"]) == (8, 5)
    low, high = np.transpose(scene["ranges"])
    points = low + (np.reshape(scene["place"], (-1, 3)) + 1) / 2 * (high - low)
    shown = np.reshape(scene["look"], (-1, 2))
    assert shown.tolist() == [[0, 1], [0, 1], [0, 0], [0, 1], [0, 0], [1, 1], [0, 1], [2, 1]]
    expected = [[0, 0, 0], [1, 2, 4], [2, 2, 2], [0, 0, 0], [1, 1, 1], [2, 0, 0]]
    np.testing.assert_allclose(points[shown[:, 1] > 0], expected, atol=1e-6)
    assert high.max() < 5  # nobody shows the model at 9
    assert scene["pairs"] == [0, 1, 5, 6, 6, 7]
    assert (scene["joined"], scene["others"]) == (2, 4)
    assert np.flatnonzero(np.reshape(scene["time"], (-1, 2))[:, 1] > 0).tolist() == [1, 3]
    assert np.reshape(scene["colour"], (-1, 4))[[0, 3, 5], :3].tolist() == [
        [0, 0x72, 0xB2], [0xE6, 0x9F, 0], [0, 0, 0],
    ]  # fmt: skip
    assert found["empty_scene"]["n"] == 0


def test_axes(found):
    assert found["ticks"] == [
        [0, 0.2, 0.4, 0.6, 0.8, 1], [0, 500, 1000], [0.1, 0.11, 0.12, 0.13], [3],
    ]  # fmt: skip
    assert found["powers"] == [
        [1, 10, 100, 1000],
        [1e-6, 1e-3, 1, 1000, 1e6],
        [2.1, 3],
        [0.05, 0.1, 0.2, 0.5, 1, 2],
    ]
    assert found["log"] == 0
    np.testing.assert_allclose(found["logs"], [0, 0.5, 1])
    assert found["linear"] == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert found["empty"] == [0, 0.2, 0.4, 0.6, 0.8, 1]
