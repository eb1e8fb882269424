"""The snippets of docs/plotting.md run, and each leaves the picture below it.

Run as a program, from the root of the repository, it draws the pictures of the page anew.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import hyperribbon as hr
import hyperribbon.plot

DOCS = Path(__file__).parents[2] / "docs"
SNIPPETS = re.compile(r"```python\n(.*?)```\n(?:\n!\[[^\]]+\]\(([^)]+)\))?", re.DOTALL)
MOST = 60_000  # bytes of a picture


def run(page: str, draw) -> None:
    """Run the snippets one after the other, and draw the one figure of each that has a picture."""
    names: dict = {}
    for code, picture in SNIPPETS.findall(page):
        exec(compile(code, "docs/plotting.md", "exec"), names)
        assert len(plt.get_fignums()) == bool(picture), code
        if picture:
            draw(plt.gcf(), DOCS / picture)
            plt.close("all")


def test_snippets_run_and_have_their_pictures():
    if not hasattr(hr, "Study"):
        pytest.skip("without hr.Study")
    drawn = []

    def draw(figure, path):
        figure.draw_without_rendering()
        drawn.append(path)

    run((DOCS / "plotting.md").read_text(), draw)
    assert sorted(drawn) == sorted((DOCS / "plotting").iterdir())
    assert all(path.stat().st_size < MOST for path in drawn)


def test_every_picture_is_on_the_page():
    page = (DOCS / "plotting.md").read_text()
    assert all(f"hr.plot.{name}(" in page for name in hr.plot.__all__ if name != "InPCADisplay")
    assert "hr.InPCADisplay.from_predictions(" in page


if __name__ == "__main__":
    (DOCS / "plotting").mkdir(exist_ok=True)
    run((DOCS / "plotting.md").read_text(), lambda figure, path: figure.savefig(path, dpi=100))
