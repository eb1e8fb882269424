"""Link names to the API by any of their places, and refuse those that do not exist."""

import re
from importlib import import_module

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.nodes import make_refnode

PACKAGE = "hyperribbon"
NAME = re.compile(r"(?:hr|hyperribbon)((?:\.\w+)+)(?:\(.*\))?")
logger = logging.getLogger(__name__)


def link_code(app, doctree) -> None:
    """Make links of names in Markdown, such as `hr.InPCA` and `hr.progress(P, labels)`."""
    page = app.env.docname
    if page.startswith("generated/api") or page == "generated/changelog":  # it has former names
        return
    for literal in doctree.findall(nodes.literal):
        match = NAME.fullmatch(literal.astext())
        if not match or isinstance(literal.parent, nodes.reference | addnodes.pending_xref):
            continue
        target = PACKAGE + match[1]
        if _value(target) is None:
            logger.warning("%s: there is no such name", literal.astext(), location=literal)
        link = addnodes.pending_xref(
            "", refdomain="py", reftype="obj", reftarget=target, refdoc=page
        )
        literal.replace_self(link)
        link += literal


def resolve(app, env, node, contnode):
    """A reference that Sphinx did not resolve: by the object itself, or by the end of its name."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    objects = env.domains.python_domain.objects
    ends = {entry.node_id: name for name, entry in objects.items() if name.endswith(f".{target}")}
    value = _value(target)
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    if name not in objects:
        name = next(iter(ends.values())) if len(ends) == 1 else ""
    if not name:  # an argument, or an attribute: no link
        return None
    entry = objects[name]
    return make_refnode(app.builder, node["refdoc"], entry.docname, entry.node_id, contnode, name)


def _value(dotted: str):
    """What is at a dotted place of the package; None if there is nothing."""
    parts = dotted.split(".")
    if parts[0] != PACKAGE:
        return None
    value = import_module(PACKAGE)
    for k, part in enumerate(parts[1:], start=1):
        try:
            value = getattr(value, part)
        except (AttributeError, ImportError):
            try:
                value = import_module(".".join(parts[: k + 1]))
            except ImportError:
                return None
    return value


def setup(app) -> dict:
    """Connect to Sphinx."""
    app.connect("doctree-read", link_code)
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
