"""All claims, the page of verdicts, and what it says of chance."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import COLUMNS, Claim, Ours
from hyperribbon.reporting.rules import POSITIVE, Rule, at_least
from hyperribbon.reporting.verdicts import NOT_COMPARABLE
from hyperribbon.studies.parts import PARTS
from hyperribbon.studies.report import claims


@pytest.mark.parametrize(
    "part", [part for part in PARTS if part.claims], ids=lambda part: part.name
)
def test_every_claim_of_every_part_has_a_rule_and_what_it_compares_with(part):
    found = claims.claims_of(part)
    assert found
    assert len({claim.text + claim.source for claim in found}) == len(found)
    for claim in found:
        assert isinstance(claim.rule, Rule), claim.text
        assert not np.isnan(claim.rule.region(claim.published)).any(), claim.text
        assert claim.text and claim.source


@pytest.fixture
def page(monkeypatch, tmp_path):
    """Function that judges claims as the only ones, and returns their table and the page."""

    def judged(*found):
        monkeypatch.setattr(claims, "claims_of", lambda part: found)
        (tmp_path / "models.csv").write_text("a\n1\n")
        output = (tmp_path / "claims.csv", tmp_path / "claims.html")
        claims.main([tmp_path / "models.csv"], "a study", ["manifold"], "mnist", output)
        return pd.read_csv(output[0]), output[1].read_text()

    return judged


def claim(text, ours, rule=POSITIVE, published=np.nan):
    return Claim(text, "Fig. 1", rule, lambda tables: ours, published)


def test_the_page_has_rules_numbers_and_verdicts(page):
    table, html = page(
        claim("One <b>.", Ours(0.51234, 0.25, 0.75, "a note", "4 configurations", "9 models")),
        claim("Two.", Ours(0.9, 0.6, 0.7), at_least(0.05), 0.8),
        claim("Three.", Ours(1.0)),
    )
    assert list(table) == COLUMNS
    assert table["verdict"].tolist() == ["reproduced", "contradicted", "undecided"]
    for words in (
        "One &lt;b&gt;.", "at least the published value less 0.05", "0.25 to 0.75", "0.512",
        "4 configurations", "9 models", "a note", "reproduced if the whole interval is",
        "Verdicts: 1 reproduced, 1 contradicted, 1 undecided, 0 not comparable here",
    ):  # fmt: skip
        assert words in html


@pytest.mark.parametrize(("intervals", "words"), [(40, "1.0"), (4, "0.1"), (0, "0.0")])
def test_how_many_would_be_contradicted_by_chance_is_said(page, intervals, words):
    """One of 40 intervals misses on one side; exact values, and those without interval, do not."""
    drawn = [claim(f"Claim {k}.", Ours(0.5, 0.2, 0.8)) for k in range(intervals)]
    table, html = page(*drawn, claim("Exact.", Ours(1.0, 1.0, 1.0)), claim("One.", Ours(1.0)))
    assert f"{intervals} by intervals that were drawn" in html
    assert f"{words} would be contradicted by chance" in html
    assert (table["verdict"] != NOT_COMPARABLE).all()
