"""What pages with a turning picture compute: views, boxes, and what a hand does."""

import json

import numpy as np
import pytest

SIZE = (800, 500)
CUBE = [[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
VIEWS = [{}, {"yaw": 2.0, "pitch": -0.9}, {"yaw": -4.0, "pitch": 1.55}]


@pytest.fixture(scope="module")
def found(javascript):
    """What all tests ask of the scripts; a single process of Node.js answers."""
    return javascript(
        f"""(() => {{
        const [width, height] = {json.dumps(SIZE)}, of = {json.dumps(VIEWS)}.map(camera);
        const at = (from, point, w = width, h = height) =>
          projected(viewMatrix(from, w, h), point, w, h);
        const places = Float32Array.from([0, 0, 0, 0, 0, 0.5, 0.9, 0, 0]);
        const from = camera({{ yaw: 0, pitch: 0 }}), front = viewMatrix(from, width, height);
        const near = (x, y, there = () => true) =>
          nearest(front, places, there, [x, y], width, height, 12);
        const finger = (x, y, more) => ({{ clientX: x, clientY: y, buttons: 1, ...more }});
        const scene = {{ n: 1, place: new Float32Array(3), colour: new Uint8Array(4),
          time: new Float32Array(2), look: new Float32Array(2), pairs: new Uint32Array(0),
          others: 0, joined: 0, ranges: [[0, 1], [-1, 3], [0, 100]] }};
        const box = withBox(scene);
        return {{
          cubes: of.map((from) => {json.dumps(CUBE)}.map((point) => at(from, point))),
          narrow: {json.dumps(CUBE)}.map((point) => at(from, point, 200, 700)),
          eyes: of.map(towards),
          centre: at(of[1], [0, 0, 0]),
          shifted: at(camera({{ x: 0.5 }}), [0, 0, 0]),
          twice: [1, 2].map((zoom) => at(camera({{ yaw: 0, pitch: 0, zoom }}), [0, 0.5, 0])),
          near: [near(400, 250), near(400, 250, (i) => i !== 2), near(5, 5), near(NaN, 0)],
          cameras: [camera({{ yaw: "NaN", zoom: "1e9", pitch: "x" }}), camera({{ yaw: "7" }})],
          behind: of.map(behind),
          rims: of.map((from) => [0, 1, 2].map((axis) =>
            rim(axis, from, viewMatrix(from, width, height), width, height))),
          words: wordsOf(2, "PC3", [0, 100], from, front, width, height),
          faces: box.faces, lines: box.pairs.length, vertices: box.place.length / 3,
          dragged: [dragged(from, finger(0, 0), finger(10, 0), undefined, 500),
            dragged(from, finger(0, 0), finger(10, 0, {{ shiftKey: true }}), undefined, 500),
            dragged(from, finger(0, 0), finger(-10, 0), finger(10, 0), 500)],
          turned: [turnedBy(camera({{}})), turnedBy(camera({{ yaw: 2, zoom: 1.23456 }}))],
          ranges: [rangeOf([0, null, 100]), rangeOf([2, 2]), rangeOf([null])],
          ticks: [ticks(0, 1), ticks(-3, 4), ticks(5, 5), ticks(0.001, 0.0013)],
        }};
        }})()""",
        "view.js", "box.js", "hands.js",
    )  # fmt: skip


def test_the_cube_fits_into_the_window(found):
    for places in found["cubes"]:
        x, y, depth = np.transpose(places)
        assert (x > 0).all()
        assert (x < SIZE[0]).all()
        assert (y > 0).all()
        assert (y < SIZE[1]).all()
        assert (depth > 0).all()
    assert np.ptp(np.transpose(found["narrow"])[0]) < 200


def test_what_is_nearer_to_the_eye_is_less_deep(found):
    for places, eye in zip(found["cubes"], found["eyes"], strict=True):
        depth = np.transpose(places)[2]
        np.testing.assert_allclose(depth, 6 - np.array(CUBE) @ eye, atol=1e-12)


def test_views_are_shifted_and_zoomed(found):
    assert found["centre"] == pytest.approx([400, 250, 6])
    assert found["shifted"][0] > 450
    (x, *_), (further, *_) = found["twice"]
    assert further - 400 == pytest.approx(2 * (x - 400))


def test_the_point_in_front_is_found(found):
    assert found["near"] == [2, 0, -1, -1]


def test_cameras_have_limits(found):
    first, second = found["cameras"]
    assert (first["yaw"], first["pitch"], first["zoom"]) == (0.785, 0.49, 40)
    assert second["yaw"] == pytest.approx(7 - 2 * np.pi)


def test_the_faces_behind_are_drawn(found):
    for faces, eye in zip(found["behind"], found["eyes"], strict=True):
        outside = 6 * np.array(eye)
        for face in range(6):
            axis, side = face // 2, (-1, 1)[face % 2]
            assert (face in faces) == (side * outside[axis] <= 1)
    first = [start for start, _ in found["faces"]]
    assert first == sorted(first)
    assert sum(count for _, count in found["faces"]) == found["lines"] == found["vertices"] - 1


def test_words_are_at_the_rim(found):
    for signs in found["rims"]:
        assert all(sign in (-1, 1) for pair in signs for sign in pair)
    name, *marks = found["words"]
    assert name["words"] == "PC3"
    assert [mark["words"] for mark in marks] == ["0", "20", "40", "60", "80", "100"]
    heights = [mark["place"][1] for mark in marks]
    assert heights == sorted(heights, reverse=True)
    assert all(mark["place"][0] < 400 for mark in marks)


def test_hands(found):
    turned, shifted, pinched = found["dragged"]
    assert (turned["yaw"], turned["pitch"]) == (pytest.approx(-0.1), 0)
    assert shifted["yaw"] == 0
    assert shifted["x"] == pytest.approx(2 * 1.75 * 10 / 500)
    assert pinched["zoom"] == pytest.approx(2)
    assert found["turned"] == [[], [["yaw", 2], ["zoom", 1.235]]]


def test_ranges_and_ticks(found):
    assert found["ranges"] == [[-3, 103], [0.94, 3.06], [-1.06, 1.06]]
    assert found["ticks"] == [
        [0, 0.2, 0.4, 0.6, 0.8, 1], [-2, 0, 2, 4], [5],
        [0.001, 0.00105, 0.0011, 0.00115, 0.0012, 0.00125, 0.0013],
    ]  # fmt: skip
