"""The page's JavaScript, as far as it needs no browser."""

import json

import numpy as np
import pytest

STATE = ("interactive.js", "scene.js", "chart.js", "watch_state.js")
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
    """Everything that is asked of the scripts, in one run of node."""
    more = REPLY | {
        "version": 2, "first": 3,
        "models": {"training": [1], "step": [20], "point": [[2, 2, 2]]},
    }  # fmt: skip
    models = {name: column[1:] for name, column in REPLY["models"].items()}
    fresh = REPLY | {"version": 3, "generation": 6, "models": models}
    views = [{"yaw": 0, "pitch": 0}, {"yaw": 0.7, "pitch": -0.4}]
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
          rotations: {json.dumps(views)}.map(rotation),
          extent: extent([[0, 0, 0], null, [2, 4, 4]]),
          point: extent([[1, 1, 1]]).radius,
          projected: projector(extent([[0, 0, 0], [2, 4, 4]]), {{ yaw: 0, pitch: 0, zoom: 1 }},
            400, 300)([1, 2, 2]),
          nearest: [[10, 10], [13, 10], [50, 50]].map(([x, y]) =>
            nearest([[10, 10, 0], null, [14, 10, 5], [14, 10, 1]], x, y)),
          edges: boxEdges(extent([[0, 0, 0], [2, 4, 4]])).length,
          ticks: [ticks(0, 1), ticks(0, 1234), ticks(0.1, 0.13), ticks(3, 3)],
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


def test_views_are_rotations(found):
    for rows in found["rotations"]:
        R = np.array(rows)
        np.testing.assert_allclose(R @ R.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(
        found["rotations"][0], [[1, 0, 0], [0, 0, 1], [0, -1, 0]], atol=1e-12
    )
    assert found["extent"] == {"centre": [1, 2, 2], "half": [1, 2, 2], "radius": 3}
    assert found["point"] > 0
    assert found["projected"][:2] == [200, 150]
    assert found["edges"] == 12


def test_the_point_in_front_is_pointed_at(found):
    assert found["nearest"] == [0, 2, -1]


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
