"""Claims on certificates: what is put into tables is what is measured of them."""

import numpy as np
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.reporting.verdicts import (
    CONTRADICTED,
    NOT_COMPARABLE,
    REPRODUCED,
    UNDECIDED,
)
from hyperribbon.studies.certificates import claims as certificates
from hyperribbon.studies.certificates.claims import CLAIMS


def verdicts(tables, data="mnist"):
    return judge(CLAIMS, tables, "study", data).set_index("claim")


def row_of(found, words):
    [name] = [name for name in found.index if words in name]
    return found.loc[name]


def test_numbers_of_the_text_are_compared_on_mnist_only(made):
    found = verdicts(made())
    analytic = row_of(found, "analytic bound (Method 1)")
    assert analytic["ours"] == pytest.approx(0.405) and analytic["verdict"] == CONTRADICTED
    assert 0.35 < analytic["low"] < 0.4 < analytic["high"] and analytic["margin"] == 0.03
    assert analytic["drawn"] == "2 trainings drawn with replacement"
    alone = row_of(verdicts(made(seeds=1)), "analytic bound (Method 1)")
    assert alone["verdict"] == UNDECIDED and alone["drawn"] == "no interval: one training"
    assert row_of(found, "p(n, epsilon)")["verdict"] == REPRODUCED
    assert row_of(found, "1 / c(n")["ours"] == pytest.approx(2500)
    assert row_of(found, "epsilon |w")["ours"] == pytest.approx(8500)
    other = verdicts(made(), "mnist5k")
    published = found["published"].notna() & (found["source"] != certificates.OWN)
    published &= found["source"] != "Theorem 4.7.1"
    assert published.sum() == 8
    assert set(other[published]["verdict"]) == {NOT_COMPARABLE}


def test_methods_are_compared_training_by_training(made):
    tables = made()
    ours = certificates.tighter("fisher_prior", "baseline")(tables)
    assert ours.value == pytest.approx(0.1) and "4 of 4" in ours.note
    assert 0.09 < ours.low < 0.1 < ours.high
    assert certificates.tighter("baseline", "fisher")(tables).value == pytest.approx(-0.02)
    # A training without one of both does not count.
    table = tables["certificates"]
    gone = (table["method"] == "fisher") & (table["seed"] == 1)
    assert (
        "2 of 2" in certificates.tighter("fisher", "analytic")({"certificates": table[~gone]}).note
    )
    with pytest.raises(NotHere, match="needs the methods stiff and analytic"):
        certificates.tighter("stiff", "analytic")(made(["analytic"]))


def test_the_worst_method_decides_whether_sloppy_directions_are_spread(made):
    tables = made()
    table = tables["certificates"]
    table.loc[table["method"] == "hessian", "correlation"] = [0.1, 0.3, 0.1, 0.3]
    ours = certificates.spread_of("fisher", "hessian")(tables)
    assert ours.value == pytest.approx(0.2) and "fisher -0.90, hessian 0.20" in ours.note
    assert ours.low < 0.1 < 0.3 < ours.high and ours.drawn.startswith("largest of 2, each: 4")
    table["correlation"] = np.nan
    with pytest.raises(NotHere, match="needs one of the methods baseline"):
        certificates.spread_of("baseline")(tables)


def test_a_bound_that_is_exceeded_is_found(made):
    tables = made()
    nearest = certificates.nearest_bound(tables)
    assert nearest.value == nearest.low == nearest.high == pytest.approx(0.25)
    assert nearest.drawn.startswith("exact: a theorem")
    table = tables["certificates"]
    table.loc[3, "posterior_test_error"] = 2 * table.loc[3, "bound"]
    assert certificates.nearest_bound(tables).value == pytest.approx(2)
    assert "3, Hessian basis" in certificates.nearest_bound(tables).note
    assert row_of(verdicts(tables), "All bounds hold")["verdict"] == CONTRADICTED


@pytest.mark.parametrize(
    ("strengths", "verdict"),
    [((6700, 6800, 6900), REPRODUCED), ((8000, 8100, 8250), UNDECIDED),
     ((1900, 2000, 2100), CONTRADICTED)],
)  # fmt: skip
def test_printed_numbers_are_compared_within_a_factor(strengths, verdict, made):
    tables = made(["analytic"], seeds=3)
    table = tables["certificates"]
    table.loc[table["network"] == "FC-600-2", "strength"] = strengths
    assert row_of(verdicts(tables), "strength s(n")["verdict"] == verdict


@pytest.mark.parametrize("methods", [[], ["analytic"], ["baseline", "fisher"]], ids=len)
def test_all_are_judged_in_any_study(methods, made):
    found = verdicts(made(methods))
    assert len(found) == len(CLAIMS) and found["verdict"].notna().all()
    compared = found[found["verdict"] != NOT_COMPARABLE]
    assert (compared["drawn"] != "").all() and (compared["sample"] != "").all()


def test_names_of_methods_are_those_of_the_library_and_of_the_configuration():
    from hyperribbon.pac_bayes import METHODS
    from hyperribbon.studies.certificates.config import TRAINED, CertificatesConfig
    from hyperribbon.studies.certificates.names import METHODS as NAMED

    known = CertificatesConfig.model_fields["methods"].default
    assert set(NAMED) == set(known) == {*METHODS, TRAINED}
