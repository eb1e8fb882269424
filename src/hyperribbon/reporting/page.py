"""Self-contained pages of the report: tables under headings."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from hyperribbon.errors import DataError
from hyperribbon.reporting.pages import asset
from hyperribbon.storage.files import written_whole


class Html(str):
    """HTML that goes into a page as it is."""


def write_page(path: Path, title: str, sections: Mapping[str, str | pd.DataFrame]) -> None:
    """Write a page, completely or not at all."""
    write_text(path, page(title, sections))


def write_text(path: Path, text: str) -> None:
    """Write a page or another text, completely or not at all, in a folder made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def page_path(path: str | Path) -> Path:
    """Path of a page to write; a DataError if it does not end in .html."""
    path = Path(path).expanduser()
    if path.suffix != ".html":
        raise DataError(f"path = {path}: expected the path of a page, ending in .html")
    return path


def page(title: str, sections: Mapping[str, str | pd.DataFrame]) -> str:
    """HTML of sections by heading; each is a sentence, a table or `Html`.

    Examples
    --------
    >>> "<p>None &amp; none.</p>" in page("Title", {"Heading": "None & none."})
    True
    """
    parts = []
    for heading, content in sections.items():
        parts.append(f"<h2>{escape(heading)}</h2>")
        if isinstance(content, Html):
            parts.append(content)
        elif isinstance(content, str):
            parts.append(f"<p>{escape(content)}</p>")
        else:
            parts.append(html_table(content))
    return Template(asset("page.html")).substitute(
        title=escape(title), style=asset("page.css"), body="\n".join(parts)
    )


def html_table(table: pd.DataFrame, *, index: bool = False) -> Html:
    """HTML of a table, which scrolls where it is wider than the page."""
    number = "{:.4g}".format
    found = table.to_html(index=index, na_rep="", border=0, float_format=number)
    return Html(f'<div class="wide">{found}</div>')
