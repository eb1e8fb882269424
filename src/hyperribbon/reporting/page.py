"""Self-contained pages of the report: tables under headings."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from string import Template

import pandas as pd

from hyperribbon.reporting.pages import asset
from hyperribbon.storage.files import written_whole


def write_page(path: Path, title: str, sections: Mapping[str, str | pd.DataFrame]) -> None:
    """Write a page, completely or not at all."""
    with written_whole(path) as partial:
        partial.write_text(page(title, sections), encoding="utf-8")


def page(title: str, sections: Mapping[str, str | pd.DataFrame]) -> str:
    """HTML of sections by heading; each is a sentence or a table.

    Examples
    --------
    >>> "<p>None &amp; none.</p>" in page("Title", {"Heading": "None & none."})
    True
    """
    parts = []
    for heading, content in sections.items():
        parts.append(f"<h2>{escape(heading)}</h2>")
        if isinstance(content, str):
            parts.append(f"<p>{escape(content)}</p>")
        else:
            number = "{:.4g}".format
            parts.append(content.to_html(index=False, na_rep="", border=0, float_format=number))
    return Template(asset("page.html")).substitute(
        title=escape(title), style=asset("page.css"), body="\n".join(parts)
    )
