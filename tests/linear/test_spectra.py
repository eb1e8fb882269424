"""The tables behind the figures of chapter 5, and the looseness of bounds."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.linear import trajectory_covariance
from hyperribbon.linear.phase import true_weights
from hyperribbon.linear.spectra import (
    BOUND_SLOPES,
    VARIANTS_STEPS,
    chapter_spectra,
    eigenvalues_of,
    sloppy,
    variant_spectra,
)
from hyperribbon.linear.tightness import RATIOS, SLOPES, STEPS, bounds_table


@pytest.fixture(scope="module")
def spectra():
    return chapter_spectra(30, 1)


def test_every_figure_has_its_lines(spectra):
    lines = spectra.groupby("figure")[["part", "slope", "steps"]].nunique()
    assert lines.loc["5.2", "part"] == 3
    assert lines.loc["5.4"].tolist() == [1, len(BOUND_SLOPES), 2]
    assert lines.loc["5.5", "part"] == 2
    assert (spectra["eigenvalue"] > 0).all()
    descending = spectra.groupby(["figure", "part", "slope", "steps"])["eigenvalue"]
    assert descending.apply(lambda values: (np.diff(values) <= 0).all()).all()


def test_eigenvalues_are_below_the_bounds_that_are_drawn(spectra):
    bounded = spectra.dropna(subset="bound")
    assert set(bounded["figure"]) == {"5.1", "5.4"}
    assert (bounded["eigenvalue"] <= bounded["bound"] * (1 + 1e-9)).all()


def test_a_line_is_of_the_closed_form(spectra):
    true = true_weights(1, 30, 1)[0]
    K = sloppy(30, 0.2)
    y = np.sqrt(2) * np.sqrt(K) * true
    P = trajectory_covariance(K, y, step_size=1.0, steps=50, sigma_w=np.sqrt(0.1)).first
    line = spectra[(spectra["figure"] == "5.2") & (spectra["part"] == "both")]
    np.testing.assert_allclose(line["eigenvalue"], eigenvalues_of(P)[: len(line)])


def test_another_seed_draws_other_weights(spectra):
    other = chapter_spectra(30, 2)
    assert not other["eigenvalue"].equals(spectra["eigenvalue"])
    pd.testing.assert_frame_equal(chapter_spectra(30, 1), spectra)


def test_variants_differ_and_networks_tell_what_moved():
    spectra, found = variant_spectra(12, 0.95, 0)
    assert found.groupby("variant")["steps"].apply(list).map(lambda T: T == VARIANTS_STEPS).all()
    assert set(spectra["part"]) == set(found["variant"])
    assert len(spectra.pivot_table(index="part", columns="index", values="eigenvalue")) == 5
    networks = found["variant"].str.startswith("two layers")
    assert found[networks][["kernel_change", "imbalance_change"]].notna().all(axis=None)
    assert found[~networks]["kernel_change"].isna().all()
    last = found[networks & (found["steps"] == VARIANTS_STEPS[-1])].set_index("variant")
    # Gradient descent in small steps nearly keeps the difference that gradient flow keeps.
    assert (last["imbalance_change"] < 0.2 * last["kernel_change"]).all()


def test_no_bound_is_violated_and_decay_is_told_of_the_first_lemma():
    found = bounds_table(25, 3, 0)
    assert found["violations"].sum() == 0
    assert (found["tightest"] <= 1 + 1e-9).all()
    assert len(found) == (4 + 2 * len(RATIOS)) * len(SLOPES) * len(STEPS)
    assert not found.duplicated(["bound", "slope", "steps", "ratio"]).any()
    told = found.dropna(subset="decay")
    assert set(told["bound"]) == {"Lemma 5.2.1"}
    assert (told["decay"] > told["decay_of_bound"]).mean() > 0.9


def test_a_bound_that_is_too_low_counts_as_violated(monkeypatch):
    bound = bounds_table.__globals__["targets_decay"]
    monkeypatch.setitem(bounds_table.__globals__, "targets_decay", lambda K: bound(K) * 1e-3)
    found = bounds_table(25, 2, 0).groupby("bound")["violations"].sum()
    assert found["Lemma 5.2.1"] > 0
    assert found.drop("Lemma 5.2.1").sum() == 0


@pytest.mark.parametrize("n", [10, 500])
def test_the_fewest_and_the_most_samples_have_tables(n, monkeypatch):
    monkeypatch.setitem(bounds_table.__globals__, "STEPS", [1, 10**8])
    monkeypatch.setitem(bounds_table.__globals__, "SLOPES", [0.05, 1.0])
    assert bounds_table(n, 1, 0)["violations"].sum() == 0
    assert chapter_spectra(n, 0)["figure"].nunique() == 4


def test_models_are_drawn_apart_from_the_truth(monkeypatch):
    """Of one stream of numbers, the first model would be the truth."""
    drawn = []
    sampled = chapter_spectra.__globals__["sampled_covariance"]

    def spy(*arguments, random_state, **settings):
        drawn.append(random_state.bit_generator.seed_seq.entropy)
        return sampled(*arguments, random_state=random_state, **settings)

    monkeypatch.setitem(chapter_spectra.__globals__, "sampled_covariance", spy)
    chapter_spectra(10, 7)
    assert drawn
    assert 7 not in drawn
