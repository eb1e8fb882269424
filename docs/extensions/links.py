"""Links between pages: those of the repository, and where they lead on the site."""

import re
from pathlib import Path

# Pages of other folders, and the headings under which they are shown.
PAGES = {
    "README.md": "readme",
    "CONTRIBUTING.md": "contributing",
    "CHANGELOG.md": "changelog",
    "config/README.md": "configuration",
    "results/README.md": "results",
}
LINK = re.compile(r"(\]\()([^)#:\s]+)(#[^)\s]*)?(\))")


def relinked(text: str, path: Path, docs: Path) -> str:
    """Markdown whose links to other pages of the repository lead to their places on the site."""

    def new(match: re.Match) -> str:
        before, link, anchor, after = match.groups()
        target = (path.parent / link).resolve()
        if target.is_dir() and (target / "README.md").exists():
            target /= "README.md"
        name = target.relative_to(docs.parent).as_posix() if _inside(target, docs.parent) else ""
        if name in PAGES:
            return f"{before}/generated/{PAGES[name]}.md{anchor or ''}{after}"
        if name.startswith("examples/") and name.endswith(".ipynb"):
            return f"{before}/generated/{name}{anchor or ''}{after}"
        if name.startswith("docs/"):
            return f"{before}/{name.removeprefix('docs/')}{anchor or ''}{after}"
        if name and target.is_file():  # offered for download
            return f"{before}/../{name}{after}"
        return match.group()

    return LINK.sub(new, text)


def _inside(path: Path, folder: Path) -> bool:
    return folder in path.parents


def others(index: str, docs: Path) -> str:
    """A table of contents with the pages of `docs/` that the first page does not name, if any."""
    named = set(re.findall(r"^(?:.*<)?(\w+)>?$", index, flags=re.MULTILINE)) | {"index"}
    left = [page.stem for page in sorted(docs.glob("*.md")) if page.stem not in named]
    lines = ["```{toctree}", ":hidden:", ":caption: More", "", *left, "```"]
    return "\n" + "\n".join(lines) + "\n" if left else ""
