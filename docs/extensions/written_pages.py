"""Write the pages that follow from the code, before Sphinx reads any."""

import shutil
from pathlib import Path

import api_pages
import claims_page
import figures_page
from links import PAGES, others, relinked
from sphinx.ext.autodoc.mock import mock


def write(app) -> None:
    """Write `docs/generated` anew."""
    docs = Path(app.srcdir)
    generated = docs / "generated"
    shutil.rmtree(generated, ignore_errors=True)
    generated.mkdir()
    for source, name in PAGES.items():
        text = (docs.parent / source).read_text()
        (generated / f"{name}.md").write_text(relinked(text, docs.parent / source, docs))
    (generated / "examples").mkdir()
    for notebook in (docs.parent / "examples").glob("*.ipynb"):
        text = relinked(notebook.read_text(), notebook, docs)
        (generated / "examples" / notebook.name).write_text(text)
    with mock(app.config.autodoc_mock_imports):
        api_pages.write(generated)
    figures_page.write(generated, docs / "gallery", docs.parent / "results")
    claims_page.write(generated, docs, docs / "claims")


def _source_read(app, name: str, content: list[str]) -> None:
    """Relink a page of `docs/` itself, which is written for readers of the repository."""
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md" and not name.startswith("generated/"):
        content[0] = relinked(content[0], path, Path(app.srcdir))
    if name == "index":
        content[0] += others(content[0], Path(app.srcdir))


def setup(app) -> dict:
    """Connect to Sphinx."""
    app.connect("builder-inited", write)
    app.connect("source-read", _source_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
