"""Claims on bases: what is put into tables is what is measured of them."""

import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.reporting.verdicts import NOT_COMPARABLE, NOT_REPRODUCED, REPRODUCED
from hyperribbon.studies.bases import claims as bases
from hyperribbon.studies.bases.claims import CLAIMS


def made(explained, inpca=0.9, larger=0.8):
    """A table of a subset of models and of InPCA, in two pieces."""
    rows = []
    for piece, shift in (("0", 0.0), ("1", 0.01)):
        for size, value in explained.items():
            of_piece = {"split": "test", "held_out": "trainings", "piece": piece, "fitted": 100,
                        "size": size}  # fmt: skip
            rows.append({**of_piece, "method": "subset", "mixture": "probability",
                         "explained_pairwise_distance": value + shift})  # fmt: skip
            rows.append({**of_piece, "method": "InPCA", "mixture": None,
                         "explained_pairwise_distance": inpca})  # fmt: skip
    last = {"held_out": "larger networks", "piece": "A", "explained_pairwise_distance": larger}
    rows.append({**rows[-2], **last})
    return {"model_bases": pd.DataFrame(rows)}


def test_the_share_of_models_that_is_needed():
    ours = bases.share_of_models_needed(made({2: 0.7, 5: 0.96}))
    assert ours.value == pytest.approx(0.05) and "subset, 5 models" in ours.note
    with pytest.raises(NotHere, match=r"up to 5 models keeps 95% .* \(at most 74%, subset\)"):
        bases.share_of_models_needed(made({2: 0.6, 5: 0.74}))


def test_mixtures_are_compared_with_inpca_piece_by_piece():
    ours = bases.mixtures_less_inpca(made({2: 0.7, 5: 0.8}))
    assert ours.value == pytest.approx(-0.095)
    assert (ours.low, ours.high) == pytest.approx((-0.1, -0.09))


def test_small_networks_are_compared_with_random_halves():
    measure = bases.larger_less_halves("model_bases", bases.SUBSET)
    assert measure(made({5: 0.8}, larger=0.7)).value == pytest.approx(-0.105)


def test_all_claims_on_real_tables_have_a_verdict(tables):
    found = judge(CLAIMS, tables, "study", "mnist5k")
    assert len(found) == len(CLAIMS)
    assert set(found["verdict"]) <= {REPRODUCED, NOT_REPRODUCED, NOT_COMPARABLE}
    compared = found[found["verdict"] != NOT_COMPARABLE]
    assert len(compared) >= 8 and compared["ours"].notna().all()


def test_other_studies_are_told_what_it_takes():
    found = judge(CLAIMS, {}, "study", "mnist5k")
    assert set(found["verdict"]) == {NOT_COMPARABLE}
    assert found["note"].str.contains("config/bases.yaml").sum() >= 10
