"""The interactive phase diagram: what is in the page, and that what it computes is right."""

import itertools
import json
import re

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from hyperribbon.linear import phase_diagram, ribbon_dimension, trajectory_covariance
from hyperribbon.linear.phase import true_weights
from hyperribbon.studies.linear.explorer import linear_explorer


@pytest.fixture(scope="module")
def page():
    settings = {"n": 12, "draws": 3, "random_state": 4}
    found = phase_diagram([0.1, 0.5], [1, 10, 100], [0.5, 5.0], **settings)
    tables = {"linear_phase": found.to_dataframe().reset_index()}
    return found, linear_explorer(tables, true_weights(3, 12, 4))


def data_of(html):
    return json.loads(re.search(r'type="application/json">(.*?)</script>', html, re.S)[1])


def test_the_diagram_is_in_the_page_and_nothing_is_loaded(page):
    found, html = page
    data = data_of(html)
    np.testing.assert_allclose(data["dimension"], found["dimension"].values, atol=1e-3)
    assert [len(data[name]) for name in ("ratios", "slopes", "steps")] == [2, 2, 3]
    assert np.array(data["true"]).shape == (3, 12)
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", html)
    assert all(f'id="{name}"' in html for name in ("slope", "steps", "ratio", "explorer"))


def test_plotly_is_in_the_page_compressed(page, javascript):
    (packed,) = re.findall(r'<script id="plotly" type="text/plain">(.*?)</script>', page[1])
    assert len(page[1]) < 2.5e6
    assert javascript(f"unpacked({json.dumps(packed)})", "interactive.js") == get_plotlyjs()


def test_of_many_samples_the_page_has_fewer_draws(page):
    found, _ = page
    tables = {"linear_phase": found.to_dataframe().reset_index()}
    assert len(data_of(linear_explorer(tables, np.zeros((10, 100))))["true"]) == 10
    assert len(data_of(linear_explorer(tables, np.zeros((10, 400))))["true"]) == 1


def test_what_the_page_computes_is_what_the_library_does(javascript):
    n, ratio = 20, 3.0
    true = true_weights(1, n, 0)[0]
    cases = list(itertools.product([0.02, 0.3, 1.0], [1, 7, 10**4, 10**12]))
    found = javascript(
        f"""{json.dumps(cases)}.map(([slope, steps]) => {{
          const P = covariance(slope, steps, {ratio}, {json.dumps(true.tolist())});
          const values = eigenvalues(P.total);
          return {{ ...P, values, dimension: dimensionOf(values, 0.95) }};
        }})""",
        "linear_covariance.js",
    )
    for (slope, steps), page in zip(cases, found, strict=True):
        K = np.exp(-slope * np.arange(n))
        P = trajectory_covariance(K, ratio * np.sqrt(K) * true, step_size=1.0, steps=steps)
        near = {"rtol": 1e-9, "atol": 1e-13 * np.abs(P.total).max()}
        np.testing.assert_allclose(page["total"], P.total, **near)
        np.testing.assert_allclose(page["targets"], P.targets - P.second, **near)
        initialisation = -np.sort(-P.initialisation)
        np.testing.assert_allclose(page["initialisation"], initialisation, rtol=1e-12)
        values = np.linalg.eigvalsh(P.total)[::-1]
        np.testing.assert_allclose(page["values"], values, atol=1e-12 * values[0])
        assert page["dimension"] == ribbon_dimension(P.total)


def test_eigenvalues_of_matrices_that_are_split_or_repeat_are_found(javascript):
    rng = np.random.default_rng(0)
    G = rng.normal(size=(6, 2))
    matrices = [np.eye(3), np.diag([3.0, 0.0, 1.0]), G @ G.T, np.zeros((4, 4)), np.ones((1, 1))]
    given = json.dumps([matrix.tolist() for matrix in matrices])
    for matrix, found in zip(
        matrices, javascript(f"{given}.map(eigenvalues)", "linear_covariance.js"), strict=True
    ):
        np.testing.assert_allclose(found, np.linalg.eigvalsh(matrix)[::-1], atol=1e-12)


def test_the_figure_shows_the_point_that_is_chosen(page, javascript):
    data = data_of(page[1])
    found = javascript(
        f"""((data) => linearFigure(data, {{ slope: 0.5, steps: 10, ratio: 4 }},
            linearSurfaces(data), places(1200)))({json.dumps(data)})""",
        "linear_covariance.js",
        "linear_explorer_figure.js",
    )
    traces = found["traces"]
    (heatmap,) = [trace for trace in traces if trace.get("type") == "heatmap"]
    nearest = np.array(data["dimension"])[1]  # of the ratios 0.5 and 5
    np.testing.assert_allclose(heatmap["text"], nearest.T)
    (point,) = [trace for trace in traces if trace.get("type") == "scatter3d"]
    assert [point["x"][0], point["y"][0]] == [0.5, 1.0]
    true = true_weights(3, 12, 4)
    K = np.exp(-0.5 * np.arange(12))
    P = [trajectory_covariance(K, 4 * np.sqrt(K) * w, step_size=1.0, steps=10) for w in true]
    mean = np.mean([ribbon_dimension(of.total) for of in P])
    assert found["words"] == f"{float(f'{mean:.3g}'):g} dimensions, mean of 3 draws"


def test_pictures_are_apart_on_any_page_and_one_below_the_other_on_a_phone(javascript):
    widths = "[360, 400, 699, 700, 1200, 2000]"
    found = javascript(f"{widths}.map(places)", "linear_explorer_figure.js")
    names = "map", "scene", "spectrum"
    for at in found:
        for one, other in itertools.combinations(names, 2):
            apart = [
                at[one][axis][1] <= at[other][axis][0] or at[other][axis][1] <= at[one][axis][0]
                for axis in "xy"
            ]
            assert any(apart), (one, other)
        assert at["bar"]["x"] > at["map"]["x"][1]
    for phone in found[:3]:
        assert phone["height"] > 1000
        assert all(phone[name]["x"][1] - phone[name]["x"][0] >= 0.8 for name in names)
