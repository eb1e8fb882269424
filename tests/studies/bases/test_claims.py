"""Claims on bases: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.reporting.verdicts import (
    CONTRADICTED,
    NOT_COMPARABLE,
    REPRODUCED,
    UNDECIDED,
    VERDICTS,
)
from hyperribbon.studies.bases import claims as bases
from hyperribbon.studies.bases.claims import CLAIMS


def made(explained, inpca=0.9, larger=0.8):
    """A table of a subset of models and of InPCA, in two pieces."""
    rows = []
    for piece, shift in (("0", 0.0), ("1", 0.01)):
        for size, value in explained.items():
            of_piece = {"split": "test", "held_out": "trainings", "piece": piece, "fitted": 100,
                        "judged": 90, "size": size}  # fmt: skip
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
    assert ours.drawn == "no interval: 2 pieces that all agree" and ours.sample == "2 pieces"
    with pytest.raises(NotHere, match=r"up to 5 models keeps 95% .* \(at most 74%, subset\)"):
        bases.share_of_models_needed(made({2: 0.6, 5: 0.74}))


def test_mixtures_are_compared_with_inpca_piece_by_piece():
    ours = bases.mixtures_less_inpca(made({2: 0.7, 5: 0.8}))
    assert ours.value == pytest.approx(-0.095)
    assert ours.low < -0.1 < -0.09 < ours.high


def best(*explained):
    """Verdict on what the best basis keeps, of pieces in which it keeps so much."""
    rows = [("test", "trainings", str(k), 100, 5, "subset", "probability", value)
            for k, value in enumerate(explained)]  # fmt: skip
    columns = ["split", "held_out", "piece", "fitted", "size", "method", "mixture"]
    table = pd.DataFrame(rows, columns=[*columns, "explained_pairwise_distance"])
    claims = [claim for claim in CLAIMS if "between trainings held out (best" in claim.text]
    return judge(claims, {"model_bases": table}, "study", "mnist5k")["verdict"].tolist()


def test_few_pieces_tell_little():
    assert best(0.95, 0.93) == [UNDECIDED]
    assert best(0.95, 0.94, 0.93, 0.95, 0.94) == [REPRODUCED]
    assert best(0.8, 0.82, 0.81, 0.8, 0.8) == [CONTRADICTED]
    assert best(0.95) == [UNDECIDED]


def test_small_networks_are_compared_with_random_halves():
    measure = bases.larger_less_halves("model_bases", bases.SUBSET)
    ours = measure(made({5: 0.8}, larger=0.7))
    assert ours.value == pytest.approx(-0.105) and np.isnan(ours.low)
    assert ours.drawn.startswith("no interval: one division") and ours.sample == "90 models"


@pytest.mark.parametrize("networks", [1, 4])
def test_cosines_are_drawn_by_network(networks):
    rows = [(f"net{k}", step, 0.95 + 0.01 * k - 0.2 * step) for k in range(networks)
            for step in range(3)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["network", "checkpoint", "cosine"])
    first = bases.kernel_cosine(at_end=False)({"kernel_tangents": table})
    last = bases.kernel_cosine(at_end=True)({"kernel_tangents": table})
    assert first.value == pytest.approx(last.value + 0.4)
    assert np.isnan(first.low) == (networks == 1) and first.sample.startswith(f"{networks} network")


@pytest.mark.slow
def test_all_claims_on_real_tables_have_a_verdict(tables):
    found = judge(CLAIMS, tables, "study", "mnist5k")
    assert len(found) == len(CLAIMS)
    assert set(found["verdict"]) <= set(VERDICTS)
    compared = found[found["verdict"] != NOT_COMPARABLE]
    assert len(compared) >= 8 and compared["ours"].notna().all()
    assert (compared["drawn"] != "").all() and (compared["sample"] != "").all()


def test_other_studies_are_told_what_it_takes():
    found = judge(CLAIMS, {}, "study", "mnist5k")
    assert set(found["verdict"]) == {NOT_COMPARABLE}
    assert found["note"].str.contains("config/bases.yaml").sum() >= 10
