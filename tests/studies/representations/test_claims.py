"""Claims on representations: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.reporting.verdicts import NOT_COMPARABLE, VERDICTS
from hyperribbon.studies.representations import claims


def magnification(values, boundary="network", variant="standard", epoch=10):
    rows = pd.DataFrame({"seed": range(len(values)), "change_without_radius": values})
    return rows.assign(
        task="xor", variant=variant, varied="nothing", boundary=boundary, epoch=epoch
    )


def test_correlations_are_means_over_seeds_at_the_end():
    table = pd.concat([magnification([-0.9, -0.9], epoch=3), magnification([-0.4, -0.6]),
                       magnification([0.1, 0.0], "turned")])  # fmt: skip
    tables = {"plane_magnification": table}
    found = claims.near_boundary("xor", "change_without_radius")(tables)
    assert found.value == pytest.approx(-0.5)
    assert found.low <= -0.5 <= found.high
    assert found.drawn == "2 seeds drawn with replacement"
    assert claims.less_than_turned("xor")(tables).value == pytest.approx(-0.55)
    lasting = claims.lasts("xor")(tables)
    assert lasting.value == pytest.approx(5 / 9) and lasting.low < 0.5 < lasting.high
    assert lasting.note == "-0.5; -0.9 at epoch 3"
    with pytest.raises(NotHere, match="needs the variant relu"):
        claims.near_boundary("xor", "change_without_radius", "relu")(tables)
    with pytest.raises(NotHere, match=r"representations\.planes\.sinusoid"):
        claims.near_boundary("sinusoid", "change_without_radius")(tables)


def test_what_never_expands_has_nothing_that_lasts():
    with pytest.raises(NotHere, match="at no moment"):
        claims.lasts("xor")({"plane_magnification": magnification([0.2, 0.3])})


def test_magnification_goes_with_accuracy_if_it_is_larger_where_accuracy_is():
    table = magnification([-0.1, -0.2, -0.3, -0.4, -0.5, np.nan])
    trained = table[["task", "variant", "seed", "epoch"]].assign(
        accuracy=[0.5, 0.6, 0.7, 0.8, 0.9, 0.1], train_accuracy=1.0, loss=0.0
    )
    tables = {"plane_magnification": table, "plane_trainings": trained}
    ours = claims.goes_with_accuracy("xor", standard=True)(tables)
    assert ours.value == pytest.approx(1) and 0 < ours.low < 1
    assert "5 independent seeds" in ours.drawn
    variants = pd.concat([table.assign(variant=f"{k}", seed=table["seed"]) for k in range(4)])
    accuracies = pd.concat([trained.assign(variant=f"{k}", accuracy=0.9 - 0.1 * k)
                            for k in range(4)])  # fmt: skip
    variants["change_without_radius"] += [0.1 * int(k) for k in variants["variant"]]
    ours = claims.goes_with_accuracy("xor", standard=False)(
        {"plane_magnification": variants, "plane_trainings": accuracies}
    )
    assert ours.drawn == "4 variants drawn with replacement" and 0.3 < ours.value < 0.9
    assert ours.sample == "4 variants, 20 trainings"
    few = {"plane_magnification": table.iloc[2:], "plane_trainings": trained}
    with pytest.raises(NotHere, match="five trainings"):
        claims.goes_with_accuracy("xor", standard=False)(few)


@pytest.mark.parametrize(
    ("factors", "verdict"),
    [((0.9, 1.1, 1.0), "reproduced"), ((1.0, 2.0, 6.0), "undecided"), ((5, 6, 7), "contradicted")],
)
def test_conditions_are_compared_seed_by_seed_on_a_logarithmic_scale(factors, verdict):
    rows = [("xor", "standard", seed, epoch, epoch * np.log10(factor) + seed, 0.0)
            for seed, factor in enumerate(factors) for epoch in (0, 1)]  # fmt: skip
    columns = ["task", "variant", "seed", "epoch", "log_condition", "singular"]
    tables = {"plane_trainings": pd.DataFrame(rows, columns=columns)}
    some = [claim for claim in claims.CLAIMS if "degenerate metric, XOR" in claim.text]
    found = judge(some, tables, "study", "xor")
    assert found["verdict"].tolist() == [verdict]
    assert found["ours"].iloc[0] == pytest.approx(np.prod(factors) ** (1 / 3))


@pytest.mark.parametrize(
    ("slope", "error", "verdict"),
    [(-1.02, 0.01, "reproduced"), (-1.02, 0.05, "undecided"), (-0.5, 0.05, "contradicted")],
)
def test_rates_have_the_interval_of_a_line_through_few_widths(slope, error, verdict):
    rates = pd.DataFrame(
        {"activation": ["erf"], "quantity": "asymmetry", "slope": slope, "error": error}
    )
    deviations = pd.DataFrame({"activation": "erf", "width": [10, 20, 40, 80]})
    tables = {"width_rates": rates, "width_deviations": deviations}
    found = judge([claims.CLAIMS[0]], tables, "study", "none")
    assert found["verdict"].tolist() == [verdict]
    half = found["high"].iloc[0] - slope  # Student's quantile of two degrees of freedom
    assert half == pytest.approx(4.303 * error, rel=1e-3)


def contrasts(**changes):
    rows = pd.DataFrame({"path": range(4), "pair": ["different classes"] * 2 + ["same class"] * 2})
    rows = rows.assign(family="shallow", configuration="A", step=10, kind="straight", crossings=1,
                       position=0.5, peak=[0.4, 0.8, 0.5, 0.5], contrast=[3.0, 5.0, 1.0, 2.0],
                       change=[2.0, 4.0, 0.0, 1.0])  # fmt: skip
    return {"image_contrasts": rows.assign(**changes)}


def test_contrasts_are_means_over_paths_of_constant_rank():
    measure = claims.contrast("shallow", "contrast", "different classes")
    ours = measure(contrasts())
    assert ours.value == pytest.approx(4) and ours.drawn == "2 paths drawn with replacement"
    found = measure(contrasts(contrast=[3.0, np.nan, 1.0, 2.0]))
    assert found.value == 3 and "1 of them left out" in found.note
    assert claims.more_than_same_class("shallow", "straight")(contrasts()).value == pytest.approx(
        2.5
    )
    peak = claims.peak_at_boundary("shallow")(contrasts())
    assert peak.value == pytest.approx(0.2) and peak.low < 0.2 < peak.high
    for measure in (claims.peak_at_boundary("deep"), claims.contrast("deep", "change", "a")):
        with pytest.raises(NotHere, match="needs a deep network"):
            measure(contrasts())
    with pytest.raises(NotHere, match="of both kinds"):
        claims.more_than_same_class("shallow", "straight")(contrasts(pair="same class"))


@pytest.mark.slow
def test_every_claim_is_judged_of_small_studies_and_of_none(of_planes, of_widths, of_images):
    verdicts = judge(claims.CLAIMS, {**of_planes, **of_widths, **of_images}, "small", "tiny")
    assert set(verdicts["verdict"]) <= set(VERDICTS)
    here = verdicts[~verdicts["claim"].str.contains("deep")]
    compared = here[here["verdict"] != NOT_COMPARABLE]
    assert len(compared) > 15
    assert (compared["drawn"] != "").all() and (compared["sample"] != "").all()
    nothing = judge(claims.CLAIMS, {}, "none", "none")
    assert (nothing["verdict"] == NOT_COMPARABLE).all()
    assert nothing["note"].str.contains("config/representations.yaml").all()
