"""Pages of the report: tables with headings, complete in themselves."""

from collections.abc import Mapping
from html import escape

import pandas as pd

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font-family: sans-serif; font-size: 14px; margin: 2em; color: #222 }}
table {{ border-collapse: collapse; margin-bottom: 2em }}
th, td {{ padding: 0.25em 0.8em; text-align: left; border-bottom: 1px solid #ddd;
          vertical-align: top }}
p {{ max-width: 50em }}
</style></head><body>
{body}
</body></html>
"""


def page(title: str, sections: Mapping[str, str | pd.DataFrame]) -> str:
    """HTML of sections by heading: a sentence, or a table.

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
    return _PAGE.format(title=escape(title), body="\n".join(parts))
