"""The report's first page: a picture of the study, the verdict on claims, and what was found."""

import base64
import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template

from hyperribbon.reporting.pages import asset
from hyperribbon.reporting.verdicts import CONTRADICTED, REPRODUCED, UNDECIDED, VERDICTS


def opening(results: Path, pages: Mapping[str, str]) -> str:
    """HTML of the first page, in lines of a length that docutils reads.

    The picture is the first figure on the list of those that were drawn.

    Parameters
    ----------
    results : folder of a study, with ``figures.json``, ``claims.csv`` and, of a study of models,
        ``tables/summary.csv``
    pages : words of the link to each page outside the report, by the name of its file

    Raises
    ------
    FileNotFoundError
        If the list of figures is not there.
    """
    drawn = json.loads((results / "figures.json").read_text())["drawn"]
    claims = _rows(results / "claims.csv")
    summary = results / "tables" / "summary.csv"
    return Template(asset("opening.html")).substitute(
        picture=_picture(results / "figures" / f"{drawn[0]}.png") if drawn else "",
        explorers="".join(
            f'<li><a href="{name}" target="_blank">{words}</a>: <code>{name}</code>, beside this '
            "file</li>"
            for name, words in pages.items()
            if (results / name).exists()
        ),
        counts=_counts(claims),
        findings=_table(["", "train", "test"], findings(_rows(summary))),
        judged=_table(
            ["claim", "published", "here", "95% interval", "verdict"],
            (
                [row["claim"], row["published"], _number(row["ours"]), _interval(row), verdict]
                for verdict in (CONTRADICTED, REPRODUCED, UNDECIDED)
                for row in claims
                if row["verdict"] == verdict
            ),
        ),
    )


def findings(summary: list[dict[str, str]]) -> list[list[str]]:
    """Rows of quantity and values on train and test; of what has no split, the first value only.

    >>> rows = [{"quantity": f"loss, {split}", "value": split} for split in ("train", "test")]
    >>> findings([{"quantity": "models", "value": "9"}, *rows])
    [['models', '9', ''], ['loss', 'train', 'test']]
    """
    found: dict[str, list[str]] = {}
    for row in summary:
        name, _, split = row["quantity"].rpartition(", ")
        if split == "test" and name in found:
            found[name][1] = row["value"]
        else:
            found[name if split == "train" else row["quantity"]] = [row["value"], ""]
    return [[name, *values] for name, values in found.items()]


def _rows(path: Path) -> list[dict[str, str]]:
    """Of a table; none if there is no such file, as of a study without models."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _number(text: str) -> str:
    return f"{float(text):.3g}" if text else ""


def _interval(row: Mapping[str, str]) -> str:
    ends = [_number(row[name]) for name in ("low", "high")]
    return " to ".join(ends) if all(ends) else ""


def _picture(path: Path) -> str:
    data = base64.encodebytes(path.read_bytes()).decode()
    return f'<img class="opening" alt="{path.stem}" src="data:image/png;base64,{data}">'


def _counts(claims: list[dict[str, str]]) -> str:
    counts = Counter(row["verdict"] for row in claims)
    return ", ".join(f"<strong>{counts[verdict]}</strong> {verdict}" for verdict in VERDICTS)


def _table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["".join(f"<td>{escape(text)}</td>" for text in row) for row in rows]
    if not lines:
        return ""
    names = "".join(f"<th>{name}</th>" for name in heading)
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"
