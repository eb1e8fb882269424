import numpy as np
import pytest

from hyperribbon.reporting.claims import (
    AT_LEAST,
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    Claim,
    NotHere,
    Ours,
    about,
    judge,
    not_worse,
)
from hyperribbon.studies.corners import claims as corners
from hyperribbon.studies.manifold.claims import chapter2
from hyperribbon.studies.synthetic import claims as synthetic


@pytest.mark.parametrize(
    ("rule", "ours", "published", "holds"),
    [
        (AT_LEAST, Ours(0.8), 0.76, True),
        (AT_LEAST, Ours(0.7, 0.6, 0.77), 0.76, True),
        (AT_LEAST, Ours(0.7, 0.6, 0.75), 0.76, False),
        (AT_MOST, Ours(0.06, 0.04, 0.08), 0.05, True),
        (AT_MOST, Ours(0.06), 0.05, False),
        (POSITIVE, Ours(0.1, 0.02, 0.2), np.nan, True),
        (POSITIVE, Ours(0.1, -0.02, 0.2), np.nan, False),
        (POSITIVE, Ours(0.1), np.nan, True),
        (NEGATIVE, Ours(-0.1, -0.2, 0.01), np.nan, False),
        (NEGATIVE, Ours(-0.1, -0.2, -0.01), np.nan, True),
        (about(0.05), Ours(0.9), 0.95, True),
        (about(0.05), Ours(0.8, 0.7, 0.96), 0.95, True),
        (about(0.05), Ours(0.8, 0.7, 0.9), 0.95, False),
        (not_worse(0.05), Ours(-0.04), np.nan, True),
        (not_worse(0.05), Ours(-0.06), np.nan, False),
    ],
)
def test_a_rule_does_what_it_says(rule, ours, published, holds):
    assert rule.holds(ours, published) == holds


def test_a_value_counts_only_for_the_data_that_it_was_published_for():
    def measure(tables):
        return Ours(tables["x"])

    def missing(tables):
        raise NotHere("needs two seeds")

    claims = [
        Claim("value", "Fig. 1", AT_LEAST, measure, 0.5, ("cifar10",)),
        Claim("statement", "Fig. 2", POSITIVE, measure),
        Claim("missing", "Fig. 3", POSITIVE, missing),
    ]
    for data, verdict in (("cifar10", "not reproduced"), ("mnist", "not comparable here")):
        found = judge(claims, {"x": 0.4}, "study", data).set_index("claim")
        assert found.loc["value", "verdict"] == verdict
        assert found.loc["value", "ours"] == 0.4  # told, whatever the verdict
        assert found.loc["statement", "verdict"] == "reproduced"
        assert found.loc["missing", "verdict"] == "not comparable here"
        assert found.loc["missing", "note"] == "needs two seeds"
        assert np.isnan(found.loc["missing", "ours"])
    assert found.loc["value", "note"] == "published for cifar10"


CLAIMS = [*chapter2.CLAIMS, *synthetic.CLAIMS]


def test_every_claim_says_what_where_and_by_which_rule():
    assert len({claim.text + claim.source for claim in CLAIMS}) == len(CLAIMS)
    for claim in CLAIMS:
        assert claim.source.startswith(("Fig", "Table", "section"))
        if claim.rule in (AT_LEAST, AT_MOST) or claim.rule.name.endswith("of the published value"):
            assert not np.isnan(claim.published)


def test_a_claim_says_itself_of_which_studies_it_is():
    def measure(tables):
        return Ours(1.0)

    claim = Claim("a", "Fig. 1", POSITIVE, measure)
    claims = [
        claim._replace(check=corners.without_corners),
        claim._replace(check=corners.with_corners),
    ]
    without = judge(claims, {}, "study", "data")
    assert without["verdict"].tolist() == ["reproduced", "not comparable here"]
    assert without["note"].tolist()[1].startswith("needs trainings to random labels")
    by_corners = judge(claims, {"rejoining": None}, "study", "data")
    assert by_corners["verdict"].tolist() == without["verdict"].tolist()[::-1]


def test_a_study_of_corners_judges_only_the_claims_about_these():
    others = [claim for claim in chapter2.CLAIMS if claim not in chapter2.CORNERS]
    assert {claim.check for claim in others} == {corners.without_corners}
    assert {claim.check for claim in chapter2.CORNERS} == {corners.with_corners}
