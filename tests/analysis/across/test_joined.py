"""Models of several studies as one family."""

import numpy as np
import pytest

from hyperribbon.analysis.across.joined import JoinedModels, Member, evenly_along_trainings
from hyperribbon.analysis.study import Study
from hyperribbon.probability.scores import loss_and_error


@pytest.fixture
def two(make_study):
    return [
        make_study({"train": np.arange(60)}).geometry().models,
        make_study({"train": np.arange(30, 90)}, seed=1, steps=4).geometry().models,
    ]


@pytest.fixture
def joined(two):
    first, other = two
    rows = np.array([0, 5, 6, 9]), np.arange(8)
    samples = {"train": np.arange(30, 60)}, {"train": np.arange(30)}
    return JoinedModels([
        Member("a", first, rows[0], samples[0]), Member("b", other, rows[1], samples[1])
    ])  # fmt: skip


def test_models_are_those_of_the_studies_on_the_shared_samples(joined, two):
    parts = [part[:] for part in joined.trajectories("train")]
    assert [part.shape for part in parts] == [(2, 30, 3), (2, 30, 3), (4, 30, 3), (4, 30, 3)]
    one, other = (list(models.trajectories("train")) for models in two)
    np.testing.assert_array_equal(parts[0], np.asarray(one[0])[[0, 5], 30:])
    np.testing.assert_array_equal(parts[1], np.asarray(one[1])[[0, 3], 30:])
    np.testing.assert_array_equal(parts[3], np.asarray(other[1])[:, :30])
    assert joined.labels("train").tolist() == two[0].labels("train")[30:].tolist()


def test_the_table_says_which_study_and_scores_shared_samples(joined, two):
    table = joined.table
    assert table["study"].tolist() == ["a"] * 4 + ["b"] * 8
    assert table["configuration"].iloc[[0, 3, -1]].tolist() == ["a: Net", "a: Other", "b: Other"]
    assert table["checkpoint"].tolist()[:4] == [0, 5, 0, 3]
    P = np.concatenate([part[:] for part in joined.trajectories("train")])
    loss, error = loss_and_error(P, joined.labels("train"))
    np.testing.assert_allclose(table["train_loss"], loss)
    np.testing.assert_allclose(table["train_error"], error)
    keys = joined.training_keys()
    assert keys["configuration"].tolist() == ["a: Net", "a: Other", "b: Net", "b: Other"]
    assert joined.configurations["study"].tolist() == ["a", "a", "b", "b"]


def test_it_is_a_family_like_any_other(joined):
    study = Study(joined, "a + b")
    assert len(study) == 12
    assert study.embed()["pc1"].notna().all()
    models = study.tables["models"]
    assert models["study"].tolist() == joined.table["study"].tolist()
    assert models["progress"].between(0, 1).all()
    assert study.tables["trajectories"]["study"].tolist() == ["a", "a", "b", "b"]


def test_trainings_without_a_model_are_left_out(two):
    member = Member("a", two[0], np.array([7, 8]), {"train": None})
    joined = JoinedModels([member])
    assert joined.training_keys()["configuration"].tolist() == ["a: Other"]
    assert len(list(joined.trajectories("train"))) == 1


@pytest.mark.parametrize("most", [4, 5, 7, 11, 12, 40])
def test_models_are_evenly_spaced_along_trainings(two, most):
    rows = evenly_along_trainings(two[0], most)
    assert len(rows) <= most
    assert (np.diff(rows) > 0).all()
    assert {0, 5, 6, 11} <= set(rows.tolist())
    if most >= 12:
        assert len(rows) == 12


def test_of_too_many_trainings_some_are_left_out(two):
    assert evenly_along_trainings(two[0], 3).tolist() == [0, 4, 8]
