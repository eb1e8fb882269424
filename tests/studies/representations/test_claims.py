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
    assert claims.less_than_turned("xor")(tables).value == pytest.approx(-0.55)
    assert claims.lasts("xor")(tables).value == pytest.approx(5 / 9)
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
    assert claims.goes_with_accuracy("xor", standard=True)(tables).value == pytest.approx(1)
    few = {"plane_magnification": table.iloc[2:], "plane_trainings": trained}
    with pytest.raises(NotHere, match="five trainings"):
        claims.goes_with_accuracy("xor", standard=False)(few)


def contrasts(**changes):
    rows = pd.DataFrame({"path": range(4), "pair": ["different classes"] * 2 + ["same class"] * 2})
    rows = rows.assign(family="shallow", configuration="A", step=10, kind="straight", crossings=1,
                       position=0.5, peak=[0.4, 0.8, 0.5, 0.5], contrast=[3.0, 5.0, 1.0, 2.0],
                       change=[2.0, 4.0, 0.0, 1.0])  # fmt: skip
    return {"image_contrasts": rows.assign(**changes)}


def test_contrasts_are_means_over_paths_of_constant_rank():
    measure = claims.contrast("shallow", "contrast", "different classes")
    assert measure(contrasts()).value == pytest.approx(4)
    found = measure(contrasts(contrast=[3.0, np.nan, 1.0, 2.0]))
    assert found.value == 3 and "1 of them left out" in found.note
    assert claims.more_than_same_class("shallow", "straight")(contrasts()).value == pytest.approx(
        2.5
    )
    assert claims.peak_at_boundary("shallow")(contrasts()).value == pytest.approx(0.2)
    for measure in (claims.peak_at_boundary("deep"), claims.contrast("deep", "change", "a")):
        with pytest.raises(NotHere, match="needs a deep network"):
            measure(contrasts())
    with pytest.raises(NotHere, match="of both kinds"):
        claims.more_than_same_class("shallow", "straight")(contrasts(pair="same class"))


def test_every_claim_is_judged_of_small_studies_and_of_none(of_planes, of_widths, of_images):
    verdicts = judge(claims.CLAIMS, {**of_planes, **of_widths, **of_images}, "small", "tiny")
    assert set(verdicts["verdict"]) <= set(VERDICTS)
    here = verdicts[~verdicts["claim"].str.contains("deep")]
    assert (here["verdict"] != NOT_COMPARABLE).sum() > 15
    nothing = judge(claims.CLAIMS, {}, "none", "none")
    assert (nothing["verdict"] == NOT_COMPARABLE).all()
    assert nothing["note"].str.contains("config/representations.yaml").all()
