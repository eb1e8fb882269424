"""Studies by their paths, side by side, and their claims as Markdown."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hyperribbon.errors import DataError, StoreError
from hyperribbon.recording.predictions import record_predictions
from hyperribbon.reporting.side_by_side import NEEDED
from hyperribbon.reporting.verdicts import VERDICTS
from hyperribbon.storage.manifest import file_sha256
from hyperribbon.studies.across import claims_as_markdown, compare_paths

ROOT = Path(__file__).parents[2]

LABELS = np.arange(60) % 3
COMMAND = ["hyperribbon", "claims", "results/a", "results/b", "-o", "docs/my claims.md"]


@pytest.fixture
def results(tmp_path, random_models, monkeypatch):
    """Two studies, of which one has predictions and both have claims; and recordings."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for k, name in enumerate("ab"):
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        (folder / "study.json").write_text(json.dumps({"study": name, "data": {"name": "digits"}}))
        rows = [
            (f"a | <b> {k}", "Fig. *1*", 0.5, 0.4, 0.6, VERDICTS[k], "a_note"),
            ("second", "Fig. 2", None, None, None, VERDICTS[-1], "needs more"),
        ]
        pd.DataFrame(rows, columns=NEEDED).to_csv(folder / "claims.csv", index=False)
    for name in ("a", "runs"):
        place = tmp_path / ("results/a/predictions" if name == "a" else "runs")
        P = random_models(len(name), 4, 60, 3)
        record_predictions(place / "net.zarr", P, LABELS, network="Net", test_predictions=P,
                           test_labels=LABELS)  # fmt: skip
    return tmp_path / "results"


def test_studies_recordings_and_claims_are_put_side_by_side(results):
    compared = compare_paths([results / "a", results / "b", results.parent / "runs"])
    assert compared.names == ("a", "b", "runs")
    assert [picture.names for picture in compared.pictures] == [("a", "runs")]
    assert compared.about[0].startswith("a and runs share 60 train samples (all of them)")
    assert compared.about[-2:] == [
        "b has no predictions; only its claims are compared.",
        "runs has no claims.",
    ]


@pytest.mark.parametrize(
    ("paths", "error", "message"),
    [
        (["results/a", "results/../results/a"], DataError, "given twice, first as"),
        (["results/a", "other/a"], DataError, "named a, as"),
        (["results/a", "nowhere"], StoreError, "nowhere: no recorded stores there"),
        (["results/a", "results"], StoreError, "results: no recorded stores there"),
        (["results/a", "results/empty"], StoreError, "no claims.csv; nothing to compare"),
        (["results/a"], DataError, "studies: 1, expected two or more"),
    ],
)
def test_a_slip_in_the_paths_is_one_line(results, monkeypatch, paths, error, message):
    monkeypatch.chdir(results.parent)
    shutil.copytree("results/a", "other/a")
    (results / "empty").mkdir()
    (results / "empty" / "study.json").write_text('{"study": "empty"}')
    with pytest.raises(error, match=re.escape(message)) as found:
        compare_paths(paths)
    assert "\n" not in str(found.value)


def test_a_link_gives_another_name(results):
    shutil.copytree(results / "a", results.parent / "before" / "a")
    link = results.parent / "a-before"
    link.symlink_to(results.parent / "before" / "a")
    assert compare_paths([results / "a", link]).names == ("a", "a-before")


def test_the_document_names_command_studies_and_all_claims(results):
    text = claims_as_markdown([results / "a", results / "b"], COMMAND)
    assert "\n```\nhyperribbon claims results/a results/b -o 'docs/my claims.md'\n```\n" in text
    for name in "ab":
        hashes = [file_sha256(results / name / file) for file in ("study.json", "claims.csv")]
        shown = " | ".join(f"`{sha256[:16]}`" for sha256 in hashes)
        assert f"| {name} | digits | {shown} |" in text
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(lines) == 2 + 2 + 2 + 3
    assert (
        rf"| a \| &lt;b&gt; 0 | Fig. \*1\* | **{VERDICTS[0]}**: 0.5 (0.4 to 0.6); a\_note |  |"
    ) in lines
    both = f"**{VERDICTS[-1]}**: needs more"
    assert f"| second | Fig. 2 | {both} | {both} |" in lines


def test_equal_studies_give_equal_bytes_and_a_change_shows(results):
    paths = [results / "a", results / "b"]
    first = claims_as_markdown(paths, COMMAND)
    assert claims_as_markdown(paths, COMMAND) == first
    study = results / "b" / "study.json"
    study.write_text(study.read_text().replace("digits", "digits "))
    changed = claims_as_markdown(paths, COMMAND)
    assert changed != first
    study.write_text(study.read_text().replace("digits ", "digits"))
    assert claims_as_markdown(paths, COMMAND) == first


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("runs", "runs: no study is there"),
        ("results/empty", "claims.csv: not there yet; `hyperribbon run` makes it"),
        ("results/old", "claims.csv: verdict 'proven', expected one of"),
    ],
)
def test_what_has_no_claims_is_refused(results, monkeypatch, path, message):
    monkeypatch.chdir(results.parent)
    for name in ("empty", "old"):
        shutil.copytree("results/b", results / name)
    (results / "empty" / "claims.csv").unlink()
    table = pd.read_csv(results / "old" / "claims.csv")
    table.assign(verdict="proven").to_csv(results / "old" / "claims.csv", index=False)
    with pytest.raises((StoreError, DataError), match=re.escape(message)):
        claims_as_markdown(["results/a", path], COMMAND)


def test_the_table_in_the_documentation_is_of_the_claims_beside_it(monkeypatch):
    """CONTRIBUTING.md says how to write it again."""
    monkeypatch.chdir(ROOT)
    studies = sorted(str(path) for path in Path("docs/claims").iterdir())
    assert studies
    document = "docs/claims_by_study.md"
    command = ["hyperribbon", "claims", *studies, "-o", document]
    assert Path(document).read_text(encoding="utf-8") == claims_as_markdown(studies, command)
