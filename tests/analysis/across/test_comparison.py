"""Studies side by side, and the page that shows them."""

import json
import re
from html import unescape

import numpy as np
import pandas as pd
import pytest

import hyperribbon as hr
from hyperribbon.analysis.across import explained
from hyperribbon.analysis.across.explained import MEASURES
from hyperribbon.analysis.across.figure import explained_figure
from hyperribbon.analysis.across.page import explained_in_words
from hyperribbon.analysis.study import Study
from hyperribbon.errors import DataError
from hyperribbon.reporting.verdicts import VERDICTS

MARKUP = "<i>b</i>"


def claims(*rows) -> pd.DataFrame:
    columns = ["claim", "source", "ours", "low", "high", "verdict", "note"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def compared(make_study):
    """Two studies that share samples, one that shares none, and one without predictions."""
    models = make_study({"train": np.arange(80)}).geometry().models
    table = claims(("low < high", "Eq. 1", 0.5, 0.4, 0.6, VERDICTS[0], None))
    first = Study(models, tables={"claims": lambda: table})
    other = make_study({"train": np.arange(20, 100)}, seed=1)
    apart = make_study({"train": np.arange(300, 400)}, seed=2, networks=("One",))
    alone = claims((f"{MARKUP} < c", "Eq. 2", np.nan, np.nan, np.nan, VERDICTS[-1], "no <b>"))
    return hr.compare_studies({"a": first, MARKUP: other, "c": apart, "d": alone})


def test_it_says_what_is_compared(compared):
    assert compared.names == ("a", MARKUP, "c", "d")
    assert [picture.names for picture in compared.pictures] == [("a", MARKUP), ("c",)]
    assert compared.about[-3:] == [
        f"{MARKUP} has no claims.",
        "c has no claims.",
        "d has no predictions; only its claims are compared.",
    ]
    assert compared.verdicts.to_dict("index")["d"][VERDICTS[-1]] == 1
    assert compared.claims["study"].tolist() == ["a", "d"]


def test_null_models_are_beside_every_explained_share(compared):
    table = compared.explained
    counts = table[table["dimension"] == 1].groupby(["study", "kind"]).size()
    together = f"a + {MARKUP}"
    assert set(table["study"]) == {"a", MARKUP, together, "c"}
    for study in ("a", MARKUP, together, "c"):
        of = counts[study].to_dict()
        assert of == {"observed": 1, "shuffled by training": 3, "shuffled by model": 3}
    observed = table[table["kind"] == "observed"]
    for _, part in observed.groupby("study"):
        stress = part["explained_stress"].to_numpy()
        assert (np.diff(stress) > -1e-9).all()
        assert stress[-1] == pytest.approx(1)
    assert observed.groupby("study")["models"].first()[together] == 24
    assert set(observed[observed["study"] != "c"]["samples"]) == {60}


def test_explained_shares_are_those_of_the_embedding(compared):
    """As many models are taken as there are: the same numbers as those of the picture."""
    study = compared.pictures[0].study
    theirs = study.tables["explained_stress"]
    ours = compared.explained.query("study == @study.name and kind == 'observed'")
    for measure in MEASURES:
        np.testing.assert_allclose(ours[measure].iloc[:5], theirs[measure].iloc[:5], rtol=1e-6)


def test_trainings_alike_share_more_than_shuffled_ones(make_study):
    alike = make_study({"train": np.arange(60)}).predictions().values[:6]
    labels = np.arange(60) % 3
    studies = {
        name: Study.from_arrays({f"{name}{k}": alike for k in range(3)}, labels) for name in "ab"
    }
    table = hr.compare_studies(studies).explained.query("study == 'a + b' and dimension == 5")
    means = table.groupby("kind")["explained_stress"].mean()
    assert means["observed"] == pytest.approx(1)
    assert means["shuffled by model"] < 0.98
    assert means["shuffled by training"] < 0.98


def test_models_without_labels_have_no_null_model(predictions, make_study):
    one, other = (Study.from_arrays({"n": P}) for P in predictions["train"].values())
    table = hr.compare_studies({"one": one, "other": other}).explained
    assert set(table["kind"]) == {"observed"}


def test_few_models_are_enough_to_compare(compared, monkeypatch):
    monkeypatch.setattr(explained, "MODELS", 6)
    table = explained.explained_by_dimension(compared.pictures[:1])
    assert set(table["models"]) == {6}


@pytest.fixture(scope="module")
def written(compared, tmp_path_factory):
    return compared.write(tmp_path_factory.mktemp("page") / "both.html")


def pages_within(page: str) -> list[str]:
    return [unescape(inside) for inside in re.findall(r'srcdoc="(.*?)"></iframe>', page, re.S)]


def test_the_page_has_everything_and_loads_nothing(written, compared):
    page = written[0].read_text(encoding="utf-8")
    inside = pages_within(page)
    assert len(inside) == 2
    for text in (page, *inside):
        assert not re.search(r"<(script|link)[^>]+(src|href)=", text)
        assert not re.search(
            r'(src|href)="(?!data:)', re.sub(r'srcdoc=".*?"', "", text, flags=re.S)
        )
    assert len(page) < 4e6
    for heading in ("What is compared", "What the first dimensions explain", "Claims by study"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count('<img alt="') == 2
    outside = re.sub(r'srcdoc=".*?"', "", page, flags=re.S)
    assert MARKUP not in outside
    assert "&lt;i&gt;b&lt;/i&gt;" in outside
    assert "no &lt;b&gt;" in outside


def test_models_are_coloured_by_study_first(written):
    inside = pages_within(written[0].read_text(encoding="utf-8"))[0]
    (text,) = re.findall(r'<script id="data" type="application/json">(.*?)</script>', inside)
    data = json.loads(text)
    assert list(data["choices"]["colour"])[:2] == ["study", "network"]
    assert data["categories"]["study"]["names"] == ["a", MARKUP]
    assert (data["categories"]["study"]["codes"]["train"]) == [0] * 12 + [1] * 12


def test_tables_are_beside_the_page(written, compared):
    assert [path.name for path in written] == ["both.html", "both_explained.csv", "both_claims.csv"]
    assert len(pd.read_csv(written[1])) == len(compared.explained)
    assert pd.read_csv(written[2])["study"].tolist() == ["a", "d"]


def test_every_share_in_words_has_null_models_below_it(compared):
    table = explained_in_words(compared.explained, "explained_stress")
    kinds = ["observed", "null: shuffled by training", "null: shuffled by model"]
    assert table["kind"].tolist() == kinds * 4
    of_a = table.query("study == 'a'")["d = 2"]
    assert re.fullmatch(r"\d+\.\d% \(\d+\.\d to \d+\.\d\)", of_a.iloc[0])
    assert re.fullmatch(r"\d+\.\d%", of_a.iloc[1])
    pairwise = explained_in_words(compared.explained, "explained_pairwise_distance")
    assert re.fullmatch(r"\d+\.\d%", pairwise["d = 2"].iloc[0])


def test_the_figure_has_a_line_for_every_study_and_null_model(compared):
    import matplotlib.pyplot as plt

    part = compared.explained.query("picture != 'c'")
    figure = explained_figure(part)
    for axes in figure.axes:
        assert len(axes.lines) == 3 * 3  # two studies and both; observed and two null models
    shown = figure.axes[0].lines[0].get_ydata()
    expected = part.query("study == 'a' and kind == 'observed'")["explained_stress"]
    np.testing.assert_allclose(shown, expected)
    plt.close(figure)


def test_claims_alone_can_be_compared(tmp_path):
    table = claims(("1 < 2", "Eq. 1", 0.5, 0.4, 0.6, VERDICTS[0], None))
    compared = hr.compare_studies({"a": table, "b": table})
    assert compared.pictures == []
    assert [path.name for path in compared.write(tmp_path / "x.html")] == ["x.html", "x_claims.csv"]


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        ({"a": claims()}, "studies: 1, expected two or more to compare"),
        ({"a": claims(), "b": 3}, "studies: b is a int, expected a Study or its claims"),
        ({"a": claims(), "b": pd.DataFrame()}, "b: no column claim, expected a study's table"),
        (
            {"a": claims(), "b": claims(("c", "s", 1, 1, 1, "perhaps", ""))},
            "b: verdict 'perhaps', expected one of reproduced",
        ),
    ],
)
def test_what_cannot_be_compared(studies, message):
    with pytest.raises(DataError, match=re.escape(message)):
        hr.compare_studies(studies)


def test_a_page_has_its_suffix(compared, tmp_path):
    with pytest.raises(DataError, match=r"ending in \.html"):
        compared.write(tmp_path / "page.txt")
