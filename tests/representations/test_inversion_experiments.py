"""Experiments on the inversion, on few digits: sets and distances are what they are called."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LinearRegression

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.representations import inversion_experiments as experiments
from hyperribbon.representations import straggler_experiments as of_stragglers
from hyperribbon.representations.inversion_in_predictions import first_turn, predictions_table

SETTINGS = experiments.InversionSettings(
    learning_rate=1.0, epochs=60, runs=3, fewer_runs=2, width=6, subsamples=(100,), watched=100
)


@pytest.fixture(scope="module")
def images():
    digits = load_digits()
    x, classes = digits.images[:, None], digits.target
    return of_stragglers.as_images(x[:300], classes[:300], x[300:500], classes[300:500])


@pytest.fixture(scope="module")
def base(images):
    condition = experiments.usual(images, SETTINGS)
    found = experiments.run_condition(condition, images, SETTINGS, 3, record=100)
    assert found.inversions[0].inverts.all()
    return found


def test_images_are_standardised_by_the_training_images(images):
    x = images.x.numpy()
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    varying = x.std(axis=0) > 0
    np.testing.assert_allclose(x.std(axis=0)[varying], 1, atol=1e-5)
    assert 30 < varying.sum() < 64
    assert np.isfinite(images.test_x.numpy()).all() and images.shape == (1, 8, 8)


def test_a_linear_classifier_by_least_squares_is_that_of_another_library(images):
    wrong, share = of_stragglers.linear_errors(images, images.parity)
    x, y = images.x.numpy().astype(float), images.parity
    expected = (LinearRegression().fit(x, 2 * y - 1).predict(x) > 0) != (y > 0)
    assert (wrong != expected).mean() < 0.01
    assert share == wrong.mean()


def test_conditions_differ_from_the_usual_in_one_respect(images):
    usual = experiments.usual(images, SETTINGS)
    found = list(experiments.conditions(images, SETTINGS))
    assert len({(condition.kind, condition.name) for condition in found}) == len(found)
    for condition in found:
        changed = [
            condition.widths != usual.widths,
            condition.labels is not usual.labels and (condition.labels != usual.labels).any(),
            condition.kind == "optimiser",
        ]
        assert sum(map(bool, changed)) == 1, condition.about
    for task in experiments.groupings(images, SETTINGS):
        first = [int(digit) for digit in task.name]
        assert len(first) == 5
        np.testing.assert_array_equal(task.labels == 0, np.isin(images.classes, first))


def test_removed_sets_are_as_many_and_from_where_their_names_say(base, images):
    sets = dict(of_stragglers.removals(base, images, seed=0))
    own = base.stragglers()
    sizes = own.sum(axis=1)
    assert not sets["nothing"].any()
    np.testing.assert_array_equal(sets["stragglers"], own)
    np.testing.assert_array_equal(sets["random, as many"].sum(axis=1), sizes)
    for name in ("t*/4", "t*/2"):
        whole, some = sets[f"misclassified at {name}"], sets[f"as many of them at {name}"]
        assert not (some & ~whole).any()
        np.testing.assert_array_equal(some.sum(axis=1), np.minimum(sizes, whole.sum(axis=1)))
    wrong = base.training.wrong(300)
    for run, at in enumerate(base.inversions[0].record):
        later = sets["misclassified at 2 t*"][run]
        np.testing.assert_array_equal(later, wrong[run, min(2 * at, wrong.shape[1] - 1)])


def test_without_nothing_a_run_is_what_it_was(base, images):
    found, counts = of_stragglers.run_removals(base, images, SETTINGS)
    nothing = found[0]
    assert nothing.condition.name == "nothing"
    np.testing.assert_allclose(nothing.training.radii, base.training.radii[:2], atol=1e-4)
    np.testing.assert_allclose(nothing.test_errors, base.test_errors[:2], atol=0.011)
    assert counts.query("condition == 'nothing'")["removed"].eq(0).all()
    assert len(counts) == 2 * len(found)


def test_conservation_at_a_training_error_is_of_the_first_sets_with_no_more(base, images):
    table = of_stragglers.conservation_table(base, [], images)
    rows = table[table["compared"] == "runs"]
    assert (rows["error"].diff().dropna() > 0).all()
    level = rows.iloc[5]
    wrong = base.training.wrong(300)
    sets = [of_run[errors <= level["error"]][0] for of_run, errors in zip(
        wrong, base.training.errors, strict=True
    )]  # fmt: skip
    z = of_stragglers.conservation(np.stack(sets)).z[np.triu_indices(3, 1)]
    assert level["z"] == pytest.approx(z.mean())
    assert set(table["compared"]) == {"runs", "stragglers", "linear least squares"}


def test_the_manifold_of_predictions_has_distances_speed_and_spread(base):
    table, turns = predictions_table(base)
    runs = table[table["model"] == "run"]
    assert len(runs) == 3 * 61 and table["model"].tolist()[-2:] == ["ignorance", "truth"]
    P = base.training.predictions
    D = pairwise_distance(P[:, 7])
    at = runs[runs["step"] == 7].set_index("run")
    np.testing.assert_allclose(at["spread"], D.sum(axis=1) / 2, rtol=1e-5)
    step = pairwise_distance(P[0, 7:9])[0, 1]
    assert at.loc[0, "speed"] == pytest.approx(step, rel=1e-4)
    of_truth = P[0, 7, np.arange(100), base.condition.labels[:100]]
    wrong = base.training.wrong(300)[0, base.inversions[0].record[0], :100]
    expected = -np.log(of_truth[wrong]).mean() / 2
    assert at.loc[0, "to_truth_stragglers"] == pytest.approx(expected, rel=1e-5)
    sums = turns[turns["quantity"] == "radius_sum"]
    np.testing.assert_allclose(sums["ratio"], 1, atol=0.01)


def test_a_curve_turns_first_up_or_down():
    t = np.linspace(0, 3 * np.pi, 200)
    assert abs(t[first_turn(np.cos(t))] - np.pi) < 0.1
    assert abs(t[first_turn(-np.cos(t))] - np.pi) < 0.1
    assert first_turn(t) == -1


def test_subsamples_are_drawn_for_each_run(images):
    [found] = experiments.run_subsamples(images, SETTINGS)
    labels = [runs.condition.labels for runs in found]
    assert [len(some) for some in labels] == [100, 100]
    assert (labels[0] != labels[1]).any()
    whole = experiments.joined(found)
    assert whole.training.radii.shape[0] == 2
    torch.testing.assert_close(
        torch.from_numpy(whole.training.losses[1]), torch.from_numpy(found[1].training.losses[0])
    )
