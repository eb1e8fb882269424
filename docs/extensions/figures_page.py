"""The gallery: every figure of the registry, by category, with its caption and its pictures."""

import shutil
from inspect import cleandoc
from pathlib import Path

from hyperribbon.studies.parts import FIGURES, PARTS

WIDTHS = "1 2 2 3"  # cards per row, from a telephone to a wide screen


def write(generated: Path, kept: Path, results: Path) -> None:
    """Write the gallery.

    Parameters
    ----------
    generated : folder of the page
    kept : folder of pictures in the repository, ``<study>_<figure>.png`` or ``<figure>.png``
    results : folder of studies, whose own pictures come first
    """
    found = pictures(kept, results)
    shown = generated / "pictures"
    shown.mkdir()
    lines = [
        "Gallery of figures",
        "==================",
        "",
        f"All {len(FIGURES)} figures that a study can have, by part and category, as they are ",
        "registered. Run a study, and it draws those that are about it. Pictures come from the",
        "studies named below them: :doc:`what these are </gallery>`, and how to run them. To draw",
        "some of the figures from your own arrays, see :doc:`Pictures </plotting>`.",
        "",
    ]
    for part in PARTS:
        categories = dict.fromkeys(figure.category for figure in part.figures)
        for category in categories:
            lines += ["", category, "-" * len(category), ""]
            figures = [figure for figure in part.figures if figure.category == category]
            lines += _cards(figures, found, shown)
            for figure in figures:
                lines += _in_full(figure, found)
    (generated / "figures.rst").write_text("\n".join(lines) + "\n")


def pictures(kept: Path, results: Path) -> dict[str, list[tuple[str, Path]]]:
    """Study and path of the pictures of each figure, by the figure's name."""
    drawn = {file: figure.name for figure in FIGURES.values() for file in figure.drawn()}
    found: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted(results.glob("*/figures/*.svg")):
        if path.stem in drawn:
            found.setdefault(drawn[path.stem], []).append((path.parts[-3], path))
    for path in sorted(kept.glob("*.png")):
        ends = [file for file in drawn if path.stem == file or path.stem.endswith(f"_{file}")]
        if ends:
            file = max(ends, key=len)
            study = path.stem.removesuffix(file).strip("_")
            found.setdefault(drawn[file], []).append((study, path))
    return found


def _cards(figures, found, shown: Path) -> list[str]:
    lines = [f".. grid:: {WIDTHS}", "   :gutter: 3", ""]
    some = False
    for figure in figures:
        if figure.name not in found:
            continue
        some = True
        for study, path in found[figure.name]:
            shutil.copy(path, shown / f"{study or 'kept'}-{path.name}")
        study, path = found[figure.name][0]
        lines += [
            f"   .. grid-item-card:: {figure.name}",
            f"      :link: figure-{_slug(figure.name)}",
            "      :link-type: ref",
            f"      :img-top: pictures/{study or 'kept'}-{path.name}",
            f"      :img-alt: {figure.about}",
            "      :class-card: figure-card",
            "",
            f"      {figure.about}",
            "",
        ]
    return lines if some else []


def _in_full(figure, found) -> list[str]:
    lines = [f".. _figure-{_slug(figure.name)}:", "", figure.name, "^" * len(figure.name), ""]
    for study, path in found.get(figure.name, []):
        lines += [
            f".. figure:: pictures/{study or 'kept'}-{path.name}",
            f"   :alt: {figure.about}",
            "",
            *([f"   Study ``{study}``.", ""] if study else []),
        ]
    return [*lines, cleandoc(figure.caption), ""]


def _slug(name: str) -> str:
    return name.replace("_", "-").lower()
