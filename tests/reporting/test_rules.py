"""Rules: which intervals they call reproduced, contradicted and undecided."""

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.reporting import rules
from hyperribbon.reporting.verdicts import CONTRADICTED, REPRODUCED, UNDECIDED

PUBLISHED = 0.7
RULES = [
    rules.about(0.05), rules.at_least(), rules.at_least(0.05), rules.at_most(), rules.at_most(0.1),
    rules.within_factor(2), rules.between(0.1, 0.5), rules.outside(0.5, 2), rules.not_worse(0.05),
    rules.POSITIVE, rules.NEGATIVE, rules.ALIKE, rules.AT_MOST_TWICE, rules.SIGNIFICANT,
]  # fmt: skip
numbers = st.floats(-3, 3)
rule = st.sampled_from(RULES)


@pytest.mark.parametrize(
    ("rule", "low", "high", "verdict"),
    [
        (rules.at_least(), 0.7, 0.9, REPRODUCED),
        (rules.at_least(), 0.69, 0.9, UNDECIDED),  # its upper end alone does not count
        (rules.at_least(), 0.5, 0.69, CONTRADICTED),
        (rules.at_least(0.05), 0.66, 0.9, REPRODUCED),
        (rules.at_most(), 0.1, 0.7, REPRODUCED),
        (rules.at_most(), 0.71, 0.8, CONTRADICTED),
        (rules.at_most(0.1), 0.71, 0.79, REPRODUCED),
        (rules.about(0.05), 0.66, 0.74, REPRODUCED),
        (rules.about(0.05), 0.6, 0.8, UNDECIDED),
        (rules.about(0.05), 0.76, 0.8, CONTRADICTED),
        (rules.within_factor(2), 0.36, 1.3, REPRODUCED),
        (rules.within_factor(2), 1.5, 1.6, CONTRADICTED),
        (rules.between(0.1, 0.5), 0.1, 0.5, REPRODUCED),
        (rules.between(0.1, 0.5), 0.4, 0.6, UNDECIDED),
        (rules.outside(0.5, 2), 2.1, 3.0, REPRODUCED),
        (rules.outside(0.5, 2), 0.6, 1.9, CONTRADICTED),
        (rules.outside(0.5, 2), 0.1, 3.0, UNDECIDED),
        (rules.not_worse(0.05), -0.04, 0.2, REPRODUCED),
        (rules.not_worse(0.05), -0.2, -0.06, CONTRADICTED),
        (rules.POSITIVE, 0.01, 1.0, REPRODUCED),
        (rules.POSITIVE, 0.0, 1.0, UNDECIDED),
        (rules.POSITIVE, -1.0, 0.0, CONTRADICTED),
        (rules.NEGATIVE, -1.0, -0.01, REPRODUCED),
        (rules.NEGATIVE, 0.0, 0.0, CONTRADICTED),
        (rules.ALIKE, 0.5, 2.0, REPRODUCED),
        (rules.AT_MOST_TWICE, 2.1, 4.0, CONTRADICTED),
        (rules.SIGNIFICANT, 0.0, 0.04, REPRODUCED),
        (rules.SIGNIFICANT, 0.01, 0.06, UNDECIDED),
        (rules.SIGNIFICANT, 0.3, 0.5, UNDECIDED),  # no sign that there is no effect
    ],
)
def test_the_whole_interval_decides(rule, low, high, verdict):
    assert rule.verdict(low, high, PUBLISHED) == verdict


@given(rule, st.lists(numbers, min_size=4, max_size=4).map(sorted))
@example(rules.POSITIVE, [0.0, 0.0, 0.0, 1.0])
def test_a_wider_interval_never_decides_more(rule, ends):
    inner, outer = ends[1:3], ends[::3]
    wide = rule.verdict(*outer, PUBLISHED)
    if wide != UNDECIDED:
        assert rule.verdict(*inner, PUBLISHED) == wide


@given(rule, *[numbers] * 4)
def test_intervals_with_a_value_in_common_are_never_judged_opposite(rule, a, b, c, d):
    (a, b), (c, d) = sorted((a, b)), sorted((c, d))
    assume(max(a, c) <= min(b, d))
    verdicts = {rule.verdict(a, b, PUBLISHED), rule.verdict(c, d, PUBLISHED)}
    assert verdicts != {REPRODUCED, CONTRADICTED}


@given(rule, numbers)
def test_an_exact_value_is_decided_unless_the_rule_is_one_way(rule, value):
    verdict = rule.verdict(value, value, PUBLISHED)
    least, largest = rule.region(PUBLISHED)
    inside = (least <= value <= largest) != rule.outside
    other = UNDECIDED if rule.one_way else CONTRADICTED
    assert verdict == (REPRODUCED if inside else other)


@given(numbers, st.floats(0.001, 1), *[numbers] * 2)
def test_a_margin_only_ever_helps(published, margin, a, b):
    low, high = sorted((a, b))
    for wide, narrow in (
        (rules.at_least(margin), rules.at_least()),
        (rules.at_most(margin), rules.at_most()),
        (rules.about(2 * margin), rules.about(margin)),
    ):
        if narrow.verdict(low, high, published) == REPRODUCED:
            assert wide.verdict(low, high, published) == REPRODUCED
        if wide.verdict(low, high, published) == CONTRADICTED:
            assert narrow.verdict(low, high, published) == CONTRADICTED


def test_a_name_says_the_limits():
    assert rules.about(0.05).name == "within 0.05 of the published value"
    assert rules.at_least(0.05).name == "at least the published value less 0.05"
    assert rules.at_most().name == "at most the published value"
    assert rules.between(0.1, 0.5).name == "from 0.1 to 0.5"
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert not rule.margin > 0 or f"{rule.margin:g}" in rule.name


def test_rules_of_plugins_go_by_name():
    assert rules.rule_named("at least") == rules.AT_LEAST
    assert rules.rule_named("within 0.1").verdict(0.65, 0.75, PUBLISHED) == REPRODUCED
    for words in ("more", "within", "within much", "within -1", "within inf", None, 3):
        with pytest.raises(DataError, match="expected one of at least, at most, positive, neg"):
            rules.rule_named(words)
