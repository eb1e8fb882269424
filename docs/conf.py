"""How Sphinx builds the documentation: `make docs`. Nothing comes from a network.

Pages that follow from the code are written to `docs/generated` at each build (`extensions/`): the
API, all figures, all claims, the notebooks of `examples/` and the pages of other folders.
"""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).parent
# Notebooks are small, and threads that wait for a busy core cost more than they gain.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(DOCS / "extensions"))

from hyperribbon import __version__  # noqa: E402

project = "hyperribbon"
author = "The hyperribbon developers"
copyright = author
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "written_pages",
    "references",
]
exclude_patterns = ["generated/examples/runs", "extensions", "README.md"]
templates_path: list[str] = []

# Markdown and notebooks
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_timeout = 600  # seconds for a cell, on a machine that does other things as well
nb_execution_raise_on_error = True
nb_execution_in_temp = False  # the tutorial leaves its explorer for the page to show
nb_execution_show_tb = True
nb_merge_streams = True

# Docstrings
default_role = "py:obj"
autodoc_typehints = "none"
autodoc_mock_imports = ["keras", "lightning", "transformers"]  # a gigabyte, for three callbacks
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    # of scikit-learn, in whose words they are
    "exclude-members": "get_metadata_routing, set_fit_request, set_score_request, "
    "set_transform_request, set_inverse_transform_request, set_output",
}
# An argument of the same name as attributes of two classes, such as `p`, means neither.
suppress_warnings = ["ref.python"]
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"
add_module_names = False
maximum_signature_line_length = 88

# The pages
html_theme = "furo"
html_title = "hyperribbon"
html_static_path = ["assets"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"sidebar_hide_name": False, "top_of_page_buttons": []}
pygments_style = "tango"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# All of MathJax in one file, from a package, so that formulae need no network.
mathjax_path = "mathjax/tex-svg-full.js"


def _copy(app, error) -> None:
    """Copy what pages need beside them: MathJax, and the explorer that a notebook left."""
    if error or app.builder.format != "html":
        return
    package = Path(find_spec("sphinx-mathjax-offline").origin).parent
    target = Path(app.outdir, "_static", mathjax_path)
    target.parent.mkdir(exist_ok=True)
    shutil.copy(package / "static" / mathjax_path, target)
    for page in Path(app.srcdir, "generated", "examples").glob("*.html"):
        shutil.copy(page, Path(app.outdir, "generated", "examples"))


def setup(app) -> None:
    """Let Sphinx know of the last step."""
    app.connect("build-finished", _copy)
