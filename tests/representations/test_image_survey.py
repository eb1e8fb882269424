"""Pairs and triples of images, and surveys of paths and planes whose answer is known."""

import numpy as np
import pytest
import torch
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations import image_tables
from hyperribbon.representations.image_survey import (
    choose_pairs,
    choose_triples,
    classifier,
    plane_axes,
    survey_paths,
    survey_plane,
)
from hyperribbon.representations.paths import plane_through, straight_paths


@given(
    labels=st.lists(st.integers(0, 3), min_size=8, max_size=30),
    count=st.integers(1, 10),
    seed=st.integers(0, 5),
)
def test_pairs_are_of_different_classes_then_of_the_same_and_no_pair_twice(labels, count, seed):
    classes = np.array(labels)
    try:
        pairs = choose_pairs(classes, count, seed)
    except DataError as error:
        assert "expected at most" in str(error)
        return
    assert len(pairs.start) == 2 * count
    assert ((classes[pairs.start] == classes[pairs.stop]) == pairs.same).all()
    assert len({frozenset(pair) for pair in zip(pairs.start, pairs.stop, strict=True)}) == 2 * count


def test_of_one_class_there_are_no_pairs_of_different_ones():
    with pytest.raises(DataError, match="pairs: 1, expected at most 0"):
        choose_pairs([1, 1, 1], 1)


def test_triples_are_of_three_classes():
    labels = np.arange(12) % 4
    triples = choose_triples(labels, 5)
    assert all(len(set(labels[row])) == 3 for row in triples)
    assert choose_triples([0, 1], 0).shape == (0, 3)
    with pytest.raises(DataError, match="fewer than three classes"):
        choose_triples([0, 1], 1)


def stretched(x):
    """Features whose volume element is exp(x_0)."""
    return torch.stack([x[:, 0].exp(), x[:, 1]], dim=1) * 2**0.5


def test_paths_have_the_volume_of_their_points_and_cross_where_the_class_changes():
    paths = straight_paths([[0.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 1.0]], 5)
    found = survey_paths(stretched, lambda x: (x[:, 0] > 0.6).astype(int), paths)
    np.testing.assert_allclose(found.log_volume, paths[..., 0], atol=1e-12)
    assert found.rank.tolist() == [[2] * 5] * 2
    np.testing.assert_allclose(found.crossings.position, [0.6], atol=1e-6)
    assert found.predicted[0].tolist() == [0, 0, 0, 1, 1]


def test_a_plane_in_flat_space_is_flat_and_a_sphere_curved():
    corners = np.array([[0.1, 0.0, 0.0], [0.0, 0.2, 0.0], [-0.1, -0.1, 0.0]])
    plane = plane_through(corners)
    classify = lambda x: (x[:, 0] > 0).astype(int)  # noqa: E731
    flat = survey_plane(lambda x: x * 3**0.5, classify, plane, 6)
    np.testing.assert_allclose(flat.log_volume, 0, atol=1e-12)
    np.testing.assert_allclose(flat.ricci, 0, atol=1e-10)
    radius = lambda x: (4 - x[:, 0] ** 2 - x[:, 1] ** 2).sqrt()  # noqa: E731
    sphere = survey_plane(
        lambda x: torch.stack([x[:, 0], x[:, 1], radius(x)], dim=1) * 3**0.5, classify, plane, 6
    )
    np.testing.assert_allclose(sphere.ricci, 2 / 4, atol=1e-9)  # of a sphere of radius 2
    x, y = plane_axes(plane, 6)
    assert x[0] < plane.corners[:, 0].min() and y[-1] > plane.corners[:, 1].max()


def test_a_classifier_takes_flat_inputs():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)).double()
    x = np.random.default_rng(0).standard_normal((600, 4))
    expected = network(torch.from_numpy(x).reshape(-1, 1, 2, 2)).argmax(dim=1)
    np.testing.assert_array_equal(classifier(network, (1, 2, 2))(x), expected)


@pytest.fixture
def survey():
    """One training, two snapshots, one kind, three paths of five points."""
    log = np.zeros((1, 2, 1, 3, 5))
    log[0, 1, 0, 0] = [0, 1, 4, 1, 2]  # 3 above the line in the middle
    log[0, 0, 0, 0] = [0, 0, 1, 0, 0]
    rank = np.full(log.shape, 2)
    rank[0, 1, 0, 2, 3] = 1
    crossing = {"training": [0], "snapshot": [1], "kind": [0], "path": [0], "position": [0.5],
                "before": [0], "after": [1]}  # fmt: skip
    variables = {
        "log_volume": (("training", "snapshot", "kind", "path", "position"), log),
        "rank": (("training", "snapshot", "kind", "path", "position"), rank),
    }
    variables |= {f"crossing_{k}": ("crossing", np.array(v)) for k, v in crossing.items()}
    coordinates = {
        "seed": ("training", [7]), "step": ("snapshot", [0, 10]), "epoch": ("snapshot", [0.0, 1.0]),
        "kind": np.array(["straight"], dtype=object), "same": ("path", [0, 1, 1]),
        "label_start": ("path", [0, 1, 2]), "label_stop": ("path", [1, 1, 2]),
    }  # fmt: skip
    return xr.Dataset(variables, coordinates)


def test_contrasts_are_above_the_line_between_the_ends_and_of_one_rank(survey):
    found = image_tables.contrast_table(survey).set_index(["epoch", "path"])
    row = found.loc[(1.0, 0)]
    assert (row["contrast"], row["change"], row["peak"], row["crossings"]) == (3, 2, 0.5, 1)
    assert row["pair"] == "different classes" and row["excess"] == 2
    assert np.isnan(found.loc[(0.0, 0), "change"]) and found.loc[(0.0, 0), "contrast"] == 1
    assert found.loc[(1.0, 1), ["contrast", "crossings", "position"]].tolist() == [0, 0, 0.5]
    assert np.isnan(found.loc[(1.0, 2), "contrast"])
    assert found.loc[(1.0, 2), ["smallest_rank", "largest_rank"]].tolist() == [1, 2]
    crossings = image_tables.crossing_table(survey)
    assert crossings[["position", "contrast"]].to_numpy().tolist() == [[0.5, 3.0]]


def test_means_say_how_many_paths_were_left_out(survey):
    table = image_tables.contrast_table(survey).assign(network="N")
    found = image_tables.contrast_means(table, ["network"])
    found = found[(found["statistic"] == "contrast") & (found["epoch"] == 1)].set_index("pair")
    assert found.loc["same class", ["mean", "paths", "left_out"]].tolist() == [0, 1, 1]
    assert found.loc["different classes", ["mean", "positive"]].tolist() == [3, 1]
