"""The embedding as an interactive, self-contained page.

The page contains every column once; its script combines the chosen ones. The page's address
contains the choice, for example ``explorer.html#split=test&metric=geodesic&colour=error``, so that
it can be shared.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from hyperribbon.pairwise.metrics import label_of
from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.reporting.pages import asset
from hyperribbon.reporting.style import OUTSIDE, colour_of, component_label, palette

SPLITS = ("train", "test")
MODEL = ["configuration", "seed", "checkpoint"]  # columns that identify a model
CATEGORIES = ["network", "optimiser", "augmentation", "seed"]
LABELS = {
    "epoch": "epoch (log scale)",
    "loss": "loss, nats",
    "error": "error, share of samples",
    "progress": "progress towards the truth",
    "distance_to_truth": "distance to the truth, nats",
}  # of columns whose names need an explanation


def explorer(tables: dict[str, pd.DataFrame]) -> str:
    """HTML page of the first three coordinates, to choose split, metric and colour.

    Parameters
    ----------
    tables : the tables models, geodesic, explained_stress and, if it exists, metric_embedding with
        coordinates of sampled models in other metrics
    """
    scripts = [asset("explorer_figure.js"), asset("explorer.js")]
    return interactive_page("explorer", asset("explorer_form.html"), page_data(tables), scripts)


def page_data(tables: dict[str, pd.DataFrame]) -> dict:
    """The data in the page; what is equal on both splits is included only for train."""
    halves = {split: tables["models"].query("split == @split") for split in SPLITS}
    models = halves["train"]
    networks = palette(models["network"])
    known = {"split", "checkpoint", "step", "configuration", *CATEGORIES}
    others = [name for name in models if name not in known and not name.startswith("pc")]
    numbers = [name for name in others if models[name].dtype.kind in "iuf"]
    texts = [name for name in others if name not in numbers]
    embeddings = {"bhattacharyya": {"points": {s: _points(half) for s, half in halves.items()}}}
    found = tables.get("metric_embedding", pd.DataFrame(columns=["metric"]))
    places = pd.Series(np.arange(len(models)), pd.MultiIndex.from_frame(models[MODEL]))
    for metric in found["metric"].unique():
        of_metric = found[found["metric"] == metric]
        if metric == "bhattacharyya":
            continue  # the former has all models, not just a sample
        parts = {split: of_metric.query("split == @split") for split in SPLITS}
        rows = {s: places[pd.MultiIndex.from_frame(p[MODEL])].tolist() for s, p in parts.items()}
        points = {split: _points(part) for split, part in parts.items()}
        embeddings[metric] = {"rows": _once(rows), "points": points}
    stress = tables["explained_stress"]
    curves = {split: tables["geodesic"].query("split == @split") for split in SPLITS}
    colours = {name: name.replace("_", " ") for name in [*CATEGORIES, *texts, *numbers]}
    return {
        "choices": {
            "split": {split: split for split in SPLITS},
            "metric": {name: label_of(name) for name in embeddings},
            "colour": colours,  # not by configuration, of which there are too many
        },
        "categories": {
            name: _category({split: half[name] for split, half in halves.items()}, networks)
            for name in ["configuration", *CATEGORIES, *texts]
        },
        "values": {
            name: {
                "label": LABELS.get(name, name.replace("_", " ")),
                "range": _range(tables["models"][name]),
                "of": _once({split: _rounded(half[name]) for split, half in halves.items()}),
            }
            for name in numbers
        },
        "metrics": {name: label_of(name) for name in embeddings},
        "embeddings": embeddings,
        "curves": {
            split: {"alpha": _rounded(curve["alpha"]), "points": _points(curve)}
            for split, curve in curves.items()
        },
        "axes": {s: [component_label(stress, s, k) for k in (1, 2, 3)] for s in SPLITS},
        "stress": {split: _stress(stress, split) for split in SPLITS},
    }


def _stress(stress: pd.DataFrame, split: str) -> float | None:
    """Explained stress of three dimensions; None if all models coincide."""
    found = stress.query("split == @split and dimension == 3")["explained_stress"].iloc[0]
    return None if np.isnan(found) else float(found)


def _category(columns: dict[str, pd.Series], networks: dict[str, str]) -> dict:
    """Values by number, with colours; a value that names an architecture has its colour."""
    names = pd.unique(pd.concat(columns.values()))
    number = {name: k for k, name in enumerate(names)}
    colours = palette(names)
    if isinstance(names[0], str):
        known = {name: colour_of(name, networks) for name in names}
        if any(known[name] for name in names if name != "none"):
            colours |= {name: colour for name, colour in known.items() if colour}
        colours |= {"none": OUTSIDE}
    return {
        "names": [str(name) for name in names],
        "colours": [colours[name] for name in names],
        "codes": _once({split: column.map(number).tolist() for split, column in columns.items()}),
    }


def _points(table: pd.DataFrame) -> list[list]:
    return [_rounded(table[f"pc{k}"]) for k in (1, 2, 3)]


def _rounded(values: Iterable[float]) -> list[float | None]:
    """Values to five digits, more than a screen shows; None if not finite."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def _range(values: pd.Series) -> list[float | None]:
    """Range of the colours, to the 99th percentile, as one bad model would hide the rest."""
    finite = values[np.isfinite(values)]
    return _rounded([finite.min(), finite.quantile(0.99)]) if len(finite) else [0.0, 1.0]


def _once(splits: dict[str, list]) -> dict[str, list]:
    return {"train": splits["train"]} if splits["train"] == splits["test"] else splits
