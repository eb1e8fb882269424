"""The comparison of studies as one self-contained page."""

from __future__ import annotations

import base64
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd

from hyperribbon.analysis.across.explained import DRAWS, MODELS
from hyperribbon.analysis.across.figure import LABELS, explained_figure
from hyperribbon.analysis.explorer import explorer_of
from hyperribbon.bars import bar_over
from hyperribbon.probability.shuffling import NULLS
from hyperribbon.reporting.page import Html, html_table, page
from hyperribbon.reporting.pages import asset
from hyperribbon.reporting.saving import save
from hyperribbon.reporting.style import RC

if TYPE_CHECKING:
    from hyperribbon.analysis.across.comparison import StudyComparison

SHOWN = (1, 2, 3, 10, 25, 50)  # dimensions in the table
PIXELS = 120  # per inch of a figure, so that its text is as large as the page's
NOTE = (
    "Where there are several studies, models are coloured by study. Choose another colour, such "
    "as the network, or the split above a picture; point at a model to see what sets it apart."
)
ABOUT_EXPLAINED = (
    f"Explained stress depends on the number of models, so at most {MODELS} are taken of each "
    "study, and as many of all studies of a picture together, evenly spaced, on the samples of "
    f"the picture. In the null models (means of {DRAWS} draws), samples trade places within their "
    "classes, in another way for each training or for each model, so that models share nothing "
    "but how far they got. In brackets: 95% bootstrap intervals over configurations."
)


def comparison_page(comparison: StudyComparison) -> str:
    """HTML of a comparison, which loads nothing from the network."""
    sections: dict[str, str | pd.DataFrame] = {"What is compared": _sentences(comparison.about)}
    if comparison.pictures:
        one = len(comparison.pictures) == 1
        heading = "One picture" if one else "Pictures, each with an embedding of its own"
        sections[heading] = _pictures(comparison)
        sections["What the first dimensions explain"] = _explained(comparison.explained)
    if len(comparison.claims):
        sections["Verdicts by study"] = html_table(comparison.verdicts, index=True)
        sections["Claims by study"] = html_table(comparison.side_by_side.reset_index())
    return page(f"Comparison of {', '.join(comparison.names)}", sections)


def _sentences(sentences: list[str]) -> Html:
    return Html("\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences))


def _pictures(comparison: StudyComparison) -> Html:
    """The explorer of each picture, a page within the page."""
    shown = []
    for picture in bar_over(comparison.pictures, "pictures"):
        inside = escape(explorer_of(picture.study), quote=True)
        name = escape(picture.study.name, quote=True)
        shown.append(f'<iframe title="{name}" srcdoc="{inside}"></iframe>')
    style, frames = asset("comparison.css"), "\n".join(shown)
    return Html(f'<p>{NOTE}</p>\n<style>{style}</style>\n<div class="pictures">\n{frames}\n</div>')


def _explained(explained: pd.DataFrame) -> Html:
    parts = [_sentences([ABOUT_EXPLAINED])]
    with mpl.rc_context(RC):
        for _, of_picture in explained.groupby("picture", sort=False):
            parts.append(_picture(of_picture))
    for measure, words in LABELS.items():
        table = html_table(explained_in_words(explained, measure))
        parts.append(Html(f"<h3>{words.capitalize()}</h3>\n{table}"))
    return Html("\n".join(parts))


def _picture(explained: pd.DataFrame) -> Html:
    """The figure of one picture, as an image in the page."""
    figure = explained_figure(explained)
    with tempfile.TemporaryDirectory() as folder:
        save(figure, folder, "explained")
        content = base64.b64encode(Path(folder, "explained.png").read_bytes()).decode()
    width = round(PIXELS * figure.get_figwidth())
    plt.close(figure)
    name = escape(explained["picture"].iloc[0], quote=True)
    source = f"data:image/png;base64,{content}"
    return Html(f'<img alt="{name}" class="figure" width="{width}" src="{source}">')


def explained_in_words(explained: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Table with one row per study, split and kind: observed, then null models.

    Parameters
    ----------
    explained : DataFrame
        As `hyperribbon.analysis.across.explained.explained_by_dimension` makes it.
    measure : str
        ``explained_stress`` or ``explained_pairwise_distance``.

    Returns
    -------
    DataFrame
        One column for the first d = 1, 2, 3, 10, 25 and 50 dimensions, as far as there are so many.
    """
    rows = []
    keys = ["picture", "study", "split", "models", "samples", "kind"]
    for (_, *about), part in explained.groupby(keys, sort=False):
        means = part.groupby("dimension")[[measure, "low", "high"]].mean()
        cells = {f"d = {d}": _cell(means.loc[d], measure) for d in SHOWN if d in means.index}
        rows.append(dict(zip(keys[1:], about, strict=True)) | cells)
    found = pd.DataFrame(rows)
    is_null = found["kind"].isin(list(NULLS))
    found["kind"] = found["kind"].where(~is_null, "null: " + found["kind"])
    return found.fillna("")


def _cell(means: pd.Series, measure: str) -> str:
    """A share, with its interval where there is one."""
    words = f"{means[measure]:.1%}"
    if measure == "explained_stress" and pd.notna(means["low"]):
        words += f" ({100 * means['low']:.1f} to {100 * means['high']:.1f})"
    return words
