"""Figures and claims of users: drawn, judged, left out, or refused in one line."""

import re
import runpy
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from docutils.core import publish_parts
from jinja2 import Environment

import hyperribbon as hr
from hyperribbon.analysis.explorer import page_data
from hyperribbon.errors import DataError
from hyperribbon.networks import build_network
from hyperribbon.pairwise.metrics import METRICS, label_of
from hyperribbon.reporting.claims import NotHere, Ours, judge
from hyperribbon.reporting.style import LeftOut
from hyperribbon.reporting.verdicts import CONTRADICTED, NOT_COMPARABLE, REPRODUCED, UNDECIDED
from hyperribbon.studies.manifold.figures.dimensionality import metric_embedding, metrics
from hyperribbon.studies.parts import captions, figure_function, figure_named
from hyperribbon.studies.plugins.claims import CLAIMS
from hyperribbon.studies.plugins.figures import OWN
from hyperribbon.studies.report import claims as claims_step

DOCS = Path(__file__).parents[2] / "docs" / "plugins.md"
MODELS = {"models": pd.DataFrame({"loss": [1.0, 2.0]}), "tubes": pd.DataFrame()}
FIGURE = {"needs": ["models"], "caption": "Words."}
CLAIM = {"source": "me", "rule": "at least", "published": 1.0, "needs": ["models"]}


def mine(tables):
    figure, axes = plt.subplots()
    axes.plot(tables["models"]["loss"])
    return figure


def test_a_figure_is_drawn_by_its_name_from_the_tables_that_it_needs(style):
    assert hr.register_figure(**FIGURE)(mine) is mine
    assert figure_named("mine").category == OWN
    (line,) = figure_function("mine")(MODELS).axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [1, 2])

    @hr.register_figure(**FIGURE, splits=True, category="Progress")
    def both(tables, split):
        assert list(tables) == ["models"]
        axes = plt.subplots()[1]
        axes.set_title(split)
        return axes

    assert figure_named("both_train") is figure_named("both_test")
    assert figure_function("both_test")(MODELS).axes[0].get_title() == "test"


def test_a_figure_is_left_out_of_a_study_without_its_table():
    hr.register_figure(needs=["models", "spectra"], caption="Words.")(mine)
    with pytest.raises(LeftOut, match="This study has no table spectra"):
        figure_function("mine")(MODELS)

    @hr.register_figure(**FIGURE)
    def reasoned(tables):
        raise LeftOut("There is one seed only.")

    with pytest.raises(LeftOut, match="one seed only"):
        figure_function("reasoned")(MODELS)


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (lambda tables: 3, "returned int, expected a figure of matplotlib, or axes"),
        (lambda tables: tables["models"]["los"], r"KeyError: 'los' \(.*test_plugins.py:\d+\)$"),
        (lambda tables: tables["tubes"], r"KeyError: 'tubes' .*\); needs has only models$"),
        (lambda tables: 1 / 0, "ZeroDivisionError: "),
    ],
)
def test_a_function_that_fails_is_one_line(function, wrong):
    function.__name__ = "mine"
    hr.register_figure(**FIGURE)(function)
    with pytest.raises(DataError, match=f"^figure = 'mine': {wrong}") as refused:
        figure_function("mine")(MODELS)
    assert "\n" not in str(refused.value)
    if "returned" not in wrong:
        hr.register_claim("Words.", **CLAIM)(function)
        with pytest.raises(DataError, match=f"^claim = 'mine': {wrong}"):
            CLAIMS["mine"].measure(MODELS)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"category": "Progres"}, "category = 'Progres', expected one of 'Predictions', .*'Your"),
        ({"caption": " "}, "caption = ' ', expected a sentence"),
        ({"needs": "models"}, "needs = 'models', expected a list"),
        ({"needs": []}, "needs = .*, expected a list"),
        ({"needs": ["model"]}, "needs = 'model', expected some of .*, models, .* mean models"),
        ({"needs": [3]}, "needs = 3, expected some of "),
    ],
)
def test_what_is_no_figure_is_not_registered(given, wrong):
    with pytest.raises(DataError, match=f"^figure = 'mine': {wrong}"):
        hr.register_figure(**{**FIGURE, **given})(mine)
    with pytest.raises(DataError, match="^figure = 'mine': expected one of"):
        figure_named("mine")


@pytest.mark.parametrize(
    ("name", "splits", "wrong"),
    [
        ("metrics", False, "is built in"),
        ("near_train", False, "near_train is a file of the figure near"),
        ("<lambda>", False, "expected a name of letters"),
    ],
)
def test_the_name_of_a_figure_is_not_taken(name, splits, wrong):
    def function(tables):
        raise AssertionError

    function.__name__ = name
    with pytest.raises(DataError, match=f"^figure = '{name}': .*{wrong}"):
        hr.register_figure(**FIGURE, splits=splits)(function)


@pytest.mark.parametrize(
    "words", ["*a* b_ ``c`` |d|_ \\e", "<b>&amp;\"'", "[1]_ :f:`g`", "{{ 7 * 7 }} {% x", "$h$ {# i"]
)
def test_a_caption_is_shown_as_it_is(words):
    hr.register_figure(needs=["models"], caption=f"{words}\n    and more")(mine)
    text = Environment().from_string(dict(captions())["figures/mine.rst"]).render()
    settings = {"halt_level": 2, "report_level": 2}
    html = publish_parts(text, writer="html", settings_overrides=settings)["html_body"]
    shown = re.sub("<[^>]*>", "", html).strip()
    for entity, character in (("lt", "<"), ("gt", ">"), ("quot", '"'), ("#64", "@"), ("amp", "&")):
        shown = shown.replace(f"&{entity};", character)
    assert shown == f"{words} and more"


@pytest.mark.parametrize(
    ("rule", "published", "value", "verdict"),
    [
        ("at least", 1.0, (1.5, 1.2, 1.7), REPRODUCED),
        ("at least", 1.0, (0.5, 0.4, 0.6), CONTRADICTED),
        ("at least", 1.0, (0.5, 0.4, 1.2), UNDECIDED),
        ("at most", 1.0, np.float64(1.5), UNDECIDED),  # a number alone
        ("within 0.25", 1.0, (1.2, 1.2, 1.2), REPRODUCED),
        ("within 0.1", 1.0, (1.2, 1.2, 1.2), CONTRADICTED),
        ("positive", np.nan, Ours(1.0, 0.5, 1.5), REPRODUCED),
        ("negative", np.nan, (-1, -2, 3), UNDECIDED),
        ("positive", np.nan, np.nan, NOT_COMPARABLE),
    ],
)
def test_a_claim_is_judged_by_its_rule(rule, published, value, verdict):
    @hr.register_claim("Words.", source="me", rule=rule, published=published, needs=["models"])
    def claimed(tables):
        return value

    (row,) = judge([CLAIMS.find("claimed")], MODELS, "s", "d").itertuples()
    assert (row.claim, row.source, row.verdict) == ("Words.", "me", verdict)


def test_a_study_that_cannot_judge_a_claim_says_why(tmp_path):
    @hr.register_claim("One.", **{**CLAIM, "needs": ["spectra"]})
    def one(tables):
        raise AssertionError

    @hr.register_claim("Two <b>.", **CLAIM)
    def two(tables):
        raise NotHere("no network is called ViT")

    path = tmp_path / "models.csv"
    MODELS["models"].to_csv(path, index=False)
    output = (tmp_path / "claims.csv", tmp_path / "claims.html")
    claims_step.main([path], "s", [], "d", output, registered=("one", "two"))
    table = pd.read_csv(output[0])
    assert table["verdict"].tolist() == [NOT_COMPARABLE] * 2
    notes = ["This study has no table spectra.", "no network is called ViT"]
    assert table["note"].tolist() == notes
    page = output[1].read_text()
    assert claims_step.OWN.strip().split(" those")[0] in page
    assert "Two &lt;b&gt;." in page and "<b>" not in page
    with pytest.raises(DataError, match="^claim = 'three': expected one of one, two"):
        claims_step.main([path], "s", [], "d", output, registered=("three",))


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"rule": "more"}, "rule = 'more': expected one of at least, at most, positive, negative"),
        ({"rule": "within much"}, "rule = 'within much': expected one of"),
        ({"rule": "within -1"}, "rule = 'within -1': expected one of"),
        ({"rule": None}, "rule = None: expected one of"),
        ({"published": np.nan}, "published = nan, expected a number, with which the rule 'at lea"),
        ({"published": "0.9"}, "published = '0.9', expected a number"),
        ({"source": ""}, "source = '', expected words"),
        ({"needs": ["model"]}, "needs = 'model', expected some of"),
    ],
)
def test_what_is_no_claim_is_not_registered(given, wrong):
    with pytest.raises(DataError, match=f"^claim = 'mine': {wrong}"):
        hr.register_claim("Words.", **{**CLAIM, **given})(mine)
    assert "mine" not in CLAIMS


@pytest.mark.parametrize(
    "value",
    [None, "much", (1, 2), (1, 2, "x"), (2, 3, 1), [1, 2, 3], MODELS["models"]["loss"]],
)
def test_a_claim_that_measures_no_number_is_one_line(value):
    @hr.register_claim("Words.", **CLAIM)
    def claimed(tables):
        return value

    with pytest.raises(DataError, match=r"^claim = 'claimed': returned .*, expected a number, or"):
        CLAIMS["claimed"].measure(MODELS)


def test_a_registered_metric_is_in_the_figures_and_the_explorer(make_tables, style):
    def tv(p, q):
        return (p - q).abs().sum(-1)

    hr.register_metric("tv", tv, label="$a$ <b>")
    tables = make_tables()
    for name in ("metrics", "metric_embedding", "metric_geodesic"):
        own = tables[name].query("metric == 'geodesic'").assign(metric="tv")
        tables[name] = pd.concat([tables[name], own])
    figure = metrics(tables)
    figure.canvas.draw()
    labels = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert labels == [*(m.label for m in METRICS.values() if m.label and m.name != "tv"),
                      r"\$a\$ <b>"]  # fmt: skip
    looks = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == 5
    titles = [axes.get_title(loc="left") for axes in metric_embedding(tables, split="test").axes]
    assert [title.split("\n")[0] for title in titles] == [*labels, ""]
    assert label_of("tv") == "$a$ <b>"
    data = page_data(tables)
    assert data["metrics"]["tv"] == data["choices"]["metric"]["tv"] == "$a$ <b>"
    assert list(data["embeddings"]) == ["bhattacharyya", "symmetric_kl", "geodesic", "euclidean",
                                        "tv"]  # fmt: skip


def test_the_examples_of_the_documentation_run(tmp_path, make_tables, style):
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    plugins = [block for block in blocks if block.startswith(("import", "from"))]
    assert len(plugins) == 4
    for k, text in enumerate(plugins):
        (tmp_path / f"p{k}.py").write_text(text)
        runpy.run_path(str(tmp_path / f"p{k}.py"))
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=(6, 5))
    notebook = {"hr": hr, "P": P}
    for block in blocks:
        if block not in plugins:
            exec(block, notebook)
    assert notebook["D"].shape == (6, 6)
    build_network("softmax_regression", (1, 4, 4), 3, bias=False)
    tables = make_tables()
    figure_function("error_by_loss")(tables)
    models = tables["models"]
    models["error"] *= np.random.default_rng(0).uniform(0.9, 1, len(models))  # not all alike
    measured = CLAIMS["small_errors"].measure(tables)
    assert 0 < measured.low < measured.value < measured.high
    shipped = runpy.run_path(str(DOCS.parents[1] / "examples" / "plugins.py"))
    assert shipped["__doc__"]
