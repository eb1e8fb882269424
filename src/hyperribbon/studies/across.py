"""Several studies by the paths of their results: opened side by side, and their claims as text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import pandas as pd

from hyperribbon.analysis.across.comparison import StudyComparison, compare_studies
from hyperribbon.analysis.study import Study, find_stores
from hyperribbon.bars import bar_over
from hyperribbon.errors import DataError, StoreError
from hyperribbon.reporting.side_by_side import check_claims, claims_side_by_side, count_verdicts
from hyperribbon.storage.manifest import file_sha256
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.opened import CLAIMS, STUDY, NoPredictions, is_study, open_study

DIGITS = 16  # of a hash that are shown
MARKS = r"\`*_[]|$~"  # what Markdown may read as something else


def compare_paths(paths: Sequence[str | Path]) -> StudyComparison:
    """Put studies and recordings side by side, by their paths.

    Parameters
    ----------
    paths : sequence of path
        Each is one study: the folder of its results, a folder of recordings, or one recording.
        Studies are named by their folders.

    Raises
    ------
    StoreError
        If a path finds nothing, or a store is damaged.
    DataError
        If there are fewer than two studies, one is given twice, or two have the same name.
    """
    named = _named(paths)
    opened = bar_over(named.items(), "studies", total=len(named))
    return compare_studies({name: _open(path) for name, path in opened})


def claims_as_markdown(paths: Sequence[str | Path], command: Sequence[str]) -> str:
    """The verdicts of several studies as a document in Markdown.

    Equal studies give equal text.

    Parameters
    ----------
    paths : sequence of path
        Folders of results of studies.
    command : sequence of str
        The command that makes the document, which says how to make it again.

    Returns
    -------
    str
        The command, the studies with hashes of their configurations and claims, and a table with
        one row per claim and one column per study.

    Raises
    ------
    StoreError
        If a path is not a study with claims.
    DataError
        If one is given twice, two have the same name, or a table is of another version.
    """
    named = _named(paths)
    claims = {name: _claims(path) for name, path in named.items()}
    shown = shlex.join(command)
    return "\n".join(
        [
            "# Claims by study",
            "",
            f"Made from each study's `{CLAIMS}`; do not change it by hand. To make it again:",
            "",
            *_code(shown),
            "",
            f"The hashes are the first {DIGITS} digits of the SHA-256 of the study's "
            f"configuration, `{STUDY}`, and of `{CLAIMS}`. In brackets: 95% intervals.",
            "",
            *_table_of_studies(named, claims),
            "",
            *_table_of_claims(claims),
            "",
        ]
    )


def _named(paths: Sequence[str | Path]) -> dict[str, Path]:
    """Paths by the names of their folders."""
    found: dict[str, Path] = {}
    for given in paths:
        path = Path(given).expanduser()
        twice = [str(other) for other in found.values() if other.resolve() == path.resolve()]
        if twice:
            raise DataError(f"{given}: given twice, first as {twice[0]}; expected other studies")
        name = path.absolute().name.removesuffix(".zarr")
        if name in found:
            raise DataError(
                f"{given}: named {name}, as {found[name]} is; expected other names: link one of "
                "the folders under another name"
            )
        found[name] = path
    return found


def _open(path: Path) -> Study | pd.DataFrame:
    """A study or recordings; the claims alone of a study without predictions."""
    if not is_study(path):
        return Study.from_runs(find_stores(path))
    try:
        return open_study(path)
    except NoPredictions as error:
        if not (path / CLAIMS).exists():
            raise StoreError(f"{error}, and there is no {CLAIMS}; nothing to compare") from None
        return _claims(path)


def _claims(path: Path) -> pd.DataFrame:
    if not is_study(path):
        raise StoreError(f"{path}: no study is there; expected the folder of its results")
    file = path / CLAIMS
    if not file.exists():
        raise StoreError(f"{file}: not there yet; `hyperribbon run` makes it at the end")
    table = read_tables([file])[file.stem]
    check_claims(table, str(file))
    return table


def _table_of_studies(named: Mapping[str, Path], claims: Mapping[str, pd.DataFrame]) -> list[str]:
    counts = count_verdicts(claims)
    rows = []
    for name, path in named.items():
        section = json.loads((path / STUDY).read_text(encoding="utf-8")).get("data") or {}
        hashes = (f"`{file_sha256(path / file)[:DIGITS]}`" for file in (STUDY, CLAIMS))
        numbers = map(str, counts.loc[name])
        rows.append([_plain(name), _plain(section.get("name", "")), *hashes, *numbers])
    head = ["study", "data", f"`{STUDY}`", f"`{CLAIMS}`", *map(_plain, counts)]
    return _table(head, rows)


def _table_of_claims(claims: Mapping[str, pd.DataFrame]) -> list[str]:
    found = claims_side_by_side(claims)
    rows = [
        [_plain(claim), _plain(source), *(_cell(row[name]) for name in claims)]
        for (claim, source), row in found.iterrows()
    ]
    return _table(["claim", "source", *map(_plain, claims)], rows)


def _cell(judged: pd.Series) -> str:
    """Verdict, value, interval and note of one study; empty where it does not judge the claim."""
    if not judged["verdict"]:
        return ""
    value, interval, note = (_plain(judged[name]) for name in ("value", "interval", "note"))
    words = f"{value} ({interval})" if interval else value
    about = "; ".join(filter(None, [words, note]))
    return f"**{_plain(judged['verdict'])}**" + (f": {about}" if about else "")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _code(text: str) -> list[str]:
    return ["```", text, "```"]


def _plain(text: object) -> str:
    r"""A text as Markdown shows it literally, on one line.

    >>> _plain("a|b <i> *c*")
    'a\\|b &lt;i&gt; \\*c\\*'
    """
    words = " ".join(str(text).split())
    return escape("".join(f"\\{c}" if c in MARKS else c for c in words), quote=False)
