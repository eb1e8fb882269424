"""Monitoring on few samples, and which samples they are."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from hyperribbon.embedding.bases import (
    SampleBasis,
    agreement,
    chosen_samples,
    monitor,
    sample_table,
)
from hyperribbon.errors import DataError
from hyperribbon.probability import progress
from hyperribbon.probability.scores import loss_and_error

LABELS = np.arange(12) % 3


@pytest.fixture
def learning(random_models):
    """Models on their way to the truth, each sample at its own pace."""

    def make(seed: int, m: int = 20) -> np.ndarray:
        pace = np.random.default_rng(0).uniform(0.3, 1, size=12)
        s = np.linspace(0, 0.9, m)[:, None, None] * pace[:, None]
        known = np.eye(3)[LABELS]
        return (1 - s) * random_models(seed, m, 12, 3, 5) + s * known

    return make


def test_all_samples_with_equal_weights_are_monitored_exactly(learning):
    P = learning(0)
    basis = SampleBasis(12, weighted=False).fit(P)
    found = monitor(basis, P, LABELS)
    loss, error = loss_and_error(P, LABELS)
    np.testing.assert_allclose(found["progress"], progress(P, LABELS), atol=3e-7)
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-12)
    np.testing.assert_allclose(found["error"], error, atol=1e-12)


def test_weights_count_samples_several_times(learning):
    copies = np.repeat(np.arange(12), [1, 3, 2] * 4)
    P, labels = learning(1)[:, copies], LABELS[copies]
    basis = SampleBasis(12).fit(P)
    assert basis.misfit_ < 1e-9
    found = monitor(basis, P, labels)
    loss, error = loss_and_error(P, labels)
    np.testing.assert_allclose(found["progress"], progress(P, labels), atol=1e-6)
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-7)
    np.testing.assert_allclose(found["error"], error, atol=1e-7)


def test_predictions_of_the_basis_alone_are_enough(learning):
    P = learning(2)
    basis = SampleBasis(4).fit(P)
    few = monitor(basis, basis.transform(P), LABELS[basis.indices_])
    np.testing.assert_array_equal(few, monitor(basis, P, LABELS))


def test_a_prior_is_that_of_progress(learning):
    P, prior = learning(3), [0.5, 0.3, 0.2]
    basis = SampleBasis(12, weighted=False).fit(P)
    found = monitor(basis, P, LABELS, prior=prior)
    np.testing.assert_allclose(found["progress"], progress(P, LABELS, prior=prior), atol=3e-7)


def test_agreement_is_the_correlation_over_models(learning):
    P, new = learning(4), learning(5, 15)
    basis = SampleBasis(3).fit(P)
    table = agreement(basis, new, LABELS).set_index("quantity")
    few, (loss, error) = monitor(basis, new, LABELS), loss_and_error(new, LABELS)
    for quantity, true in {"progress": progress(new, LABELS), "loss": loss, "error": error}.items():
        row, found = table.loc[quantity], few[quantity]
        assert row["pearson"] == pytest.approx(pearsonr(true, found)[0])
        assert row["spearman"] == pytest.approx(spearmanr(true, found.round(9))[0])
        assert row["pearson_low"] <= row["pearson"] <= row["pearson_high"] <= 1
        assert row["mean_difference"] == pytest.approx((found - true).mean())
        assert row["rmsd"] == pytest.approx(np.sqrt(((found - true) ** 2).mean()))
    assert table.loc["loss", ["samples", "all_samples", "models", "cost_cut"]].tolist() == [
        3,
        12,
        15,
        4,
    ]
    assert table.loc["progress", "pearson"] > 0.9


def test_agreement_draws_trainings(learning):
    basis = SampleBasis(2).fit(learning(0))
    trainings = [learning(6, 5), learning(7, 9)]
    several = agreement(basis, trainings, LABELS)
    given = agreement(basis, np.concatenate(trainings), LABELS, groups=[0] * 5 + [1] * 9)
    assert several.equals(given)
    alone = agreement(basis, np.concatenate(trainings), LABELS)
    assert not alone["pearson_low"].equals(given["pearson_low"])


def test_models_with_one_value_have_no_correlation(learning):
    basis, P = SampleBasis(2).fit(learning(0)), np.repeat(learning(0)[-1:], 4, axis=0)
    assert agreement(basis, P, LABELS)["pearson"].isna().all()


def test_table_of_samples():
    P = np.array([[[0.7, 0.2, 0.1], [0.2, 0.5, 0.3]], [[0.5, 0.1, 0.4], [0.6, 0.4, 0.0]]])
    table = sample_table(P, [0, 0])
    np.testing.assert_allclose(table["difficulty"], -np.log([[0.7, 0.2], [0.5, 0.6]]).mean(0))
    np.testing.assert_allclose(table["margin"], [0.3, -0.05])
    assert table["error"].tolist() == [0, 0.5]
    assert table["rank"].tolist() == [0, 1]
    loss, error = loss_and_error(P, np.array([0, 0]))
    assert table["difficulty"].mean() == pytest.approx(loss.mean())
    assert table["error"].mean() == pytest.approx(error.mean())


def test_table_of_the_chosen(learning):
    P = learning(0)
    basis = SampleBasis(5).fit(P)
    table = chosen_samples(basis, list(P.reshape(4, 5, 12, 3)), LABELS)
    assert table["sample"].tolist() == basis.indices_.tolist()
    assert table["weight"].tolist() == basis.weights_.tolist()
    whole = sample_table(P, LABELS).iloc[basis.indices_].reset_index(drop=True)
    np.testing.assert_allclose(table.drop(columns="weight"), whole, rtol=1e-12)


BAD = {
    "labels of another number": (
        lambda basis, P: monitor(basis, P, LABELS[:7]),
        "labels: 7, expected one per sample, 3",
    ),
    "labels that are no classes": (
        lambda basis, P: monitor(basis, P, LABELS + 1),
        "labels: from 1 to 3, expected 0 to 2",
    ),
    "labels for agreement": (
        lambda basis, P: agreement(basis, P, LABELS[:7]),
        "labels: 7, expected one per sample, 12",
    ),
    "few samples for agreement": (
        lambda basis, P: agreement(basis, P[:, :3], LABELS[:3]),
        "P: shape (20, 3, 3), expected all 12 samples",
    ),
    "groups": (
        lambda basis, P: agreement(basis, P, LABELS, groups=[1, 2]),
        "groups: 2, expected one per model, 20",
    ),
    "other samples": (lambda basis, P: monitor(basis, P[:, :5], LABELS), "P: shape (20, 5, 3)"),
    "table of other samples": (
        lambda basis, P: chosen_samples(basis, P[:, :5], LABELS[:5]),
        "P: shape (20, 5, 3), expected all 12 samples",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(learning, case):
    function, words = BAD[case]
    P = learning(0)
    with pytest.raises(DataError) as caught:
        function(SampleBasis(3).fit(P), P)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
