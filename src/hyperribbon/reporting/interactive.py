"""Interactive, self-contained pages."""

import json

from plotly.offline import get_plotlyjs

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>hyperribbon: {title}</title>
<style>
body {{ margin: 0; font: 14px sans-serif; display: flex; flex-direction: column; height: 100vh; }}
form {{ padding: 8px 12px; display: flex; flex-wrap: wrap; gap: 4px 16px; }}
#explorer {{ flex: 1; min-height: 0; }}
</style>
</head>
<body>
<form autocomplete="off">
{form}
</form>
<div id="explorer"></div>
<script>{plotly}</script>
<script id="data" type="application/json">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def interactive_page(title: str, form: str, data: dict, script: str) -> str:
    """HTML of a page that loads nothing from the network.

    Parameters
    ----------
    title : of the page
    form : HTML of what there is to choose
    data : as JSON can hold it, which the script finds as the text of the element ``data``
    script : JavaScript that draws into the element ``explorer``, by plotly
    """
    # A name with a tag in it could end the script; in JSON, this is the same.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return _PAGE.format(title=title, form=form, plotly=get_plotlyjs(), data=text, script=script)
