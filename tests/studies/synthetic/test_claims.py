"""Claims on synthetic data: what is put into tables is what is measured of them."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.synthetic import measures as synthetic
from hyperribbon.studies.synthetic.claims import CLAIMS


def table(**values):
    return pd.DataFrame(itertools.product(*values.values()), columns=list(values))


def with_stress(found, stress):
    """Explained stress, a function of a row, and an interval about it."""
    value = found.apply(stress, axis=1)
    found = found.assign(explained_stress=value, low=value - 0.01, high=value + 0.01)
    return found.assign(models=100, groups=5)


def stress_tables(**less):
    """Ten dimensions explain 0.99, less what is said by c on either split."""
    found = table(decay=[0.001, 0.1, 0.5], split=["train", "test"], dimension=[3, 10])
    return {
        "synthetic_stress": with_stress(
            found, lambda r: 0.99 - less.get(r["split"], {}).get(r["decay"], 0.0)
        )
    }


def test_of_all_c_the_least_stress_counts():
    tables = stress_tables(train={0.1: 0.2}, test={0.5: 0.3})
    found = synthetic.least_stress("train", 10)(tables)
    assert found[:3] == pytest.approx((0.79, 0.78, 0.80))
    assert "c = 0.1: 0.790, c = 0.5: 0.990" in found.note
    assert found.drawn == "least of 3, each: 5 configurations drawn with replacement"
    assert found.sample == "each: 5 configurations, 100 models"
    assert synthetic.least_stress("test", 10)(tables).value == pytest.approx(0.69)
    differ = synthetic.splits_differ(tables)
    width = 0.01 * 2**0.5
    assert differ[:3] == pytest.approx((0.3, 0.3 - width, 0.3 + width))
    assert "both as if drawn independently" in differ.drawn
    same = synthetic.splits_differ(stress_tables())
    assert same[:3] == pytest.approx((0, 0, width))
    one = stress_tables()
    one["synthetic_stress"].loc[:, ["low", "high"]] = np.nan
    alone = synthetic.least_stress("train", 10)(one)
    assert np.isnan(alone.low) and "no interval: 1 configuration" in alone.drawn
    assert synthetic.sloppy_less_isotropic(tables).value == pytest.approx(0)
    lower = synthetic.sloppy_less_isotropic(stress_tables(train={0.5: 0.04}))
    assert lower[:3] == pytest.approx((-0.04, -0.04 - 0.01 * 2**0.5, -0.04 + 0.01 * 2**0.5))


def test_separation_is_compared_at_the_end_in_parts_of_that_of_seeds():
    found = table(split=["train"], factor=["network"], decay=[0.001, 0.5], checkpoint=[0, 1])
    found = found.assign(between=[9, 6, 9, 4.0], within=[1, 2, 1, 4.0], settings=4)
    found = found.assign(low=[8, 2.7, 8, 0.6], high=[10, 3.2, 10, 1.3])
    tables = {"synthetic_separation": found}
    ours = synthetic.isotropic_separates_more("network")(tables)
    assert ours.value == 3 - 1
    assert (ours.low, ours.high) == pytest.approx((2 - 0.3 * 2**0.5, 2 + np.hypot(0.2, 0.4)))
    assert "4 settings of the other factors drawn" in ours.drawn
    with pytest.raises(NotHere, match="separation with split train, factor optimiser"):
        synthetic.isotropic_separates_more("optimiser")(tables)
    with pytest.raises(NotHere, match="two seeds"):
        synthetic.isotropic_separates_more("network")(
            {"synthetic_separation": found.assign(within=0.0)}
        )


def test_only_the_spread_late_in_training_counts():
    found = table(
        split=["train"], decay=[0.5], network=["A"], batch_size=[20],
        optimiser=["SGD", "Nesterov-wd"], fraction=[0.1, 1.0], seed=[0, 1],
    )  # fmt: skip
    late, nesterov = found["fraction"] == 1, found["optimiser"] != "SGD"
    found["pc1"] = found["seed"] * np.where(late, np.where(nesterov, 3.0, 2.0), 1000.0)
    found = found.assign(pc2=0.0, pc3=0.0, checkpoint=late.astype(int))
    spread = synthetic.nesterov_spreads({"synthetic_embedding": found})
    assert spread.value == pytest.approx(np.log(1.5)) and "1.50 times" in spread.note
    assert np.isnan(spread.low) and spread.drawn == "no interval: one network and batch size"
    other = found.assign(network="B", pc1=found["pc1"] * np.where(nesterov, 2, 1))
    two = synthetic.nesterov_spreads({"synthetic_embedding": pd.concat([found, other])})
    assert two.low < two.value < two.high and two.value > spread.value
    with pytest.raises(NotHere, match="Nesterov"):
        synthetic.nesterov_spreads({"synthetic_embedding": found[~nesterov]})


def test_stress_from_corners():
    found = table(decay=[0.001, 0.5], corners=[1, 10], dimension=[3, 10])
    found = with_stress(
        found, lambda r: r["dimension"] / 20 + 0.1 * (r["decay"] == 0.5) - r["corners"] / 100
    )
    tables = {"synthetic_corners_stress": found}
    assert synthetic.least_corner_stress(3)(tables).value == pytest.approx(0.15 - 0.1)
    for corners in (1, 10):
        more = synthetic.corners_sloppy_less_isotropic(corners, 10)(tables)
        assert more.value == pytest.approx(0.1)
        assert more.low > 0
    with pytest.raises(NotHere, match="corners 5"):
        synthetic.corners_sloppy_less_isotropic(5, 3)(tables)


def test_stress_of_slices_is_that_of_the_first_corner():
    found = table(
        decay=[0.5], corners=[1, 2], when=["start", "0.6% of training"], index=range(1, 11)
    )
    found = with_stress(
        found, lambda r: 0.9 - 0.4 * (r["when"] == "start") + 0.1 * (r["corners"] == 2)
    )
    tables = {"synthetic_slices": found}
    start = synthetic.slice_stress(0.5, start=True)(tables)
    assert start[:3] == pytest.approx((0.5, 0.49, 0.51))
    assert start.drawn == "5 starts drawn with replacement" and start.note == "at start"
    assert synthetic.slice_stress(0.5, start=False)(tables).value == pytest.approx(0.9)
    with pytest.raises(NotHere, match="at the start"):
        synthetic.slice_stress(0.5, start=False)(
            {"synthetic_slices": found[found["when"] == "start"]}
        )
    with pytest.raises(NotHere, match="fewer than 10 models"):
        synthetic.slice_stress(0.5, start=True)({"synthetic_slices": found.assign(models=9)})


def students(error):
    found = table(
        teacher_width=[20, 50], student_width=[10, 50, 500], decay=[0.001, 0.1, 0.5], seed=[0, 1]
    )
    found = found.assign(train_error=0.0, test_error=error(found))
    return {"synthetic_students": found}


def test_only_students_that_interpolate_are_compared():
    tables = students(lambda t: 0.6 - t["decay"] - t["student_width"] / 10_000)
    found = tables["synthetic_students"]
    all_fit = synthetic.interpolating(tables)
    assert all_fit.value == 1 and all_fit.low == pytest.approx(1 - 0.0974, abs=1e-3)
    assert "36 of 36 students" in all_fit.drawn
    assert synthetic.sloppiest_students(tables).value == pytest.approx(-0.499)
    assert synthetic.widest_students(tables).value == pytest.approx(-0.049)
    small = synthetic.small_student_of_sloppier_data(tables)
    assert small.value == pytest.approx(0.45 - 0.099) and "2 seeds that all agree" in small.drawn
    assert "of 2 small ones, 2 interpolate" in small.note
    narrow = found["student_width"] == 10
    found.loc[narrow, ["train_error", "test_error"]] = 0.1, 99.0
    assert synthetic.interpolating(tables).value == pytest.approx(2 / 3)
    wider = synthetic.widest_students(tables)
    assert wider.value == pytest.approx(-0.045)
    assert "6 pairs alike in teacher_width and decay" in wider.note
    assert synthetic.sloppiest_students(tables).value == pytest.approx(-0.499)
    one = {"synthetic_students": found[found["decay"] == 0.5]}
    with pytest.raises(NotHere, match="two c"):
        synthetic.sloppiest_students(one)


def test_the_decay_of_spectra_is_that_of_one_student_of_each_c():
    found = table(decay=[0.001, 0.1], matrix=["fisher"]).assign(slope=[-0.1, -0.3])
    faster = synthetic.decays_faster("fisher")
    measured = faster({"synthetic_student_sloppiness": found})
    assert measured.value == pytest.approx(0.2) and measured.note == "0.3000 less 0.1000"
    assert np.isnan(measured.low) and measured.drawn == "no interval: one student of each c"
    with pytest.raises(NotHere, match="no slope"):
        faster({"synthetic_student_sloppiness": found.assign(slope=np.nan)})


def test_the_critical_share_is_ranked_with_the_stiff_one():
    found = table(decay=[0.001, 0.01, 0.1, 0.5, 1.0], seed=[0, 1])
    stiff = np.repeat([0.9, 0.8, 0.2, 0.1, 0.05], 2)
    found = found.assign(stiff_fraction=stiff, critical_fraction=stiff + [0, 0.02] * 5)
    ours = synthetic.critical_with_stiff({"synthetic_student_critical": found})
    assert ours.value == pytest.approx(1) and 0 < ours.low < 0.9
    assert "0.21 (c = 0.1)" in ours.note and ours.sample == "5 data sets, 10 students"
    few = {"synthetic_student_critical": found[found["decay"] < 0.5]}
    assert np.isnan(synthetic.critical_with_stiff(few).low)
    with pytest.raises(NotHere, match="three c"):
        synthetic.critical_with_stiff({"synthetic_student_critical": found[found["decay"] < 0.1]})


def test_they_are_judged_whatever_other_trainings_there_are():
    claims = [c for c in CLAIMS if c.source == "Fig. 2.26a"]
    tables = stress_tables(test={0.5: 0.3})
    for other in ({}, {"rejoining": None}):
        found = judge(claims, tables | other, "study", "synthetic")
        assert found["verdict"].tolist() == ["reproduced", "contradicted"]
