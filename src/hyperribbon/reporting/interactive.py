"""Interactive, self-contained pages."""

import base64
import gzip
import json
from collections.abc import Sequence
from html import escape
from string import Template

from plotly.offline import get_plotlyjs

from hyperribbon.reporting.pages import asset


def packed_plotly() -> str:
    """Plotly's script, in gzip and base64, as a page holds it: at under half its size."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()


def interactive_page(
    title: str,
    form: str,
    data: dict,
    scripts: Sequence[str],
    *,
    style: str = "",
    plotly: bool = True,
) -> str:
    """HTML of a page that loads nothing from the network.

    Parameters
    ----------
    title : of the page
    form : HTML of what there is to choose
    data : as JSON can hold it, which ``pageData()`` returns to the scripts
    scripts : JavaScript that draws into the element ``ELEMENT`` once ``withPlotly``, or ``orSay``
        where it does not need plotly, says so
    style : CSS of this page, after that of all
    plotly : whether the page holds plotly
    """
    # A name with a tag in it could end the script; in JSON, this is the same.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return Template(asset("interactive.html")).substitute(
        title=escape(title),
        style=asset("interactive.css") + style,
        form=form,
        plotly=packed_plotly() if plotly else "",
        data=text,
        script="\n".join([asset("interactive.js"), *scripts]),
    )
