"""The embedding as an interactive, self-contained page.

The page contains every column once; its script combines the chosen ones. The page's address
contains what is chosen, and from where one looks, for example
``explorer.html#split=test&metric=geodesic&colour=error``, so that it can be shared.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from hyperribbon.analysis.apart import Apart
from hyperribbon.pairwise.metrics import label_of
from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.reporting.pages import asset
from hyperribbon.reporting.style import OUTSIDE, colour_of, component_label, palette
from hyperribbon.reporting.thumbnails import ROW, are_images, sheet

SPLITS = ("train", "test")
MODEL = ["configuration", "seed", "checkpoint"]  # columns that identify a model
CATEGORIES = ["study", "network", "optimiser", "augmentation", "seed"]  # that a table may have
TABLES = ["models", "explained_stress", "geodesic", "metric_embedding"]
HASH = re.compile("-[0-9a-f]{8}$")  # of a configuration
PICTURES = 1000  # of samples in the page at most, those that occur most often
LABELS = {
    "step": "optimiser step (log scale)",
    "epoch": "epoch (log scale)",
    "loss": "loss, nats",
    "error": "error, share of samples",
    "progress": "progress towards the truth",
    "distance_to_truth": "distance to the truth, nats",
}  # of columns whose names need an explanation


class SetsApart(NamedTuple):
    """What sets the models of a split apart, for the page."""

    apart: Apart
    labels: np.ndarray | None
    """(N,) true classes, if they are known."""
    class_names: Sequence[str]
    images: Any = None
    """(N, channels, height, width) of the samples, if there are images."""


def explorer_of(study: Any) -> str:
    """HTML page of a `Study`; see `explorer`."""
    sets_apart = {
        split: SetsApart(
            study.sets_apart(split), study.labels(split), study.class_names, study.images(split)
        )
        for split in study.splits
    }
    tables = {name: study.tables[name] for name in TABLES if name in study.tables}
    return explorer(tables, sets_apart)


def explorer(
    tables: Mapping[str, pd.DataFrame],
    sets_apart: Mapping[str, SetsApart] | None = None,
) -> str:
    """HTML page of the first three coordinates, to turn, choose from, and follow through time.

    Parameters
    ----------
    tables : mapping
        The tables models, explained_stress and, if they exist, geodesic and metric_embedding, with
        coordinates of sampled models in other metrics. They may be of one split.
    sets_apart : mapping, optional
        By split, the samples that set each model apart, in the order of the table; they are shown
        for the model that one points at.
    """
    scripts = [
        asset("view.js"), asset("cloud.js"), asset("box.js"), asset("hands.js"),
        asset("scene.js"), asset("explorer_scene.js"), asset("explorer_apart.js"),
        asset("explorer.js"),
    ]  # fmt: skip
    data = page_data(tables) | {"apart": {s: _apart(of) for s, of in (sets_apart or {}).items()}}
    form, style = asset("explorer_form.html"), asset("view.css") + asset("explorer.css")
    return interactive_page("explorer", form, data, scripts, style=style, plotly=False)


def page_data(tables: Mapping[str, pd.DataFrame]) -> dict:
    """The data in the page; what is equal on all splits is included only for the first."""
    there = tables["models"]["split"].unique()
    halves = {s: tables["models"].query("split == @s") for s in SPLITS if s in there}
    models = next(iter(halves.values()))
    networks = palette(models["network"])
    known = {"split", "checkpoint", "step", "configuration", *CATEGORIES}
    others = [name for name in models if name not in known and not name.startswith("pc")]
    if models["epoch"].isna().all():  # of recordings that do not know how long one is
        others[others.index("epoch")] = "step"
    numbers = [name for name in others if models[name].dtype.kind in "iuf"]
    texts = [name for name in others if name not in numbers]
    embeddings: dict[str, dict] = {
        "bhattacharyya": {"points": {s: _points(half) for s, half in halves.items()}}
    }
    found = tables.get("metric_embedding", pd.DataFrame(columns=["metric"]))
    places = pd.Series(np.arange(len(models)), pd.MultiIndex.from_frame(models[MODEL]))
    for metric in found["metric"].unique():
        of_metric = found[found["metric"] == metric]
        if metric == "bhattacharyya":
            continue  # it has all models, not just a sample
        parts = {split: of_metric.query("split == @split") for split in halves}
        rows = {s: places[pd.MultiIndex.from_frame(p[MODEL])].tolist() for s, p in parts.items()}
        points = {split: _points(part) for split, part in parts.items()}
        embeddings[metric] = {"rows": _once(rows), "points": points}
    stress = tables["explained_stress"]
    geodesic = tables.get("geodesic")
    curves = {} if geodesic is None else {s: geodesic.query("split == @s") for s in halves}
    categories = [name for name in CATEGORIES if name in models]
    several = [name for name in categories if name == "network" or models[name].nunique() > 1]
    colours = {name: name.replace("_", " ") for name in [*several, *texts, *numbers]}
    return {
        "choices": {
            "split": {split: split for split in halves},
            "metric": {name: label_of(name) for name in embeddings},
            "colour": colours,  # not by configuration, of which there are too many
        },
        "categories": {
            name: _category({split: half[name] for split, half in halves.items()}, networks)
            for name in ["configuration", *categories, *texts]
        },
        "values": {
            name: {
                "label": LABELS.get(name, name.replace("_", " ")),
                "range": _range(tables["models"][name]),
                "of": _once({split: _rounded(half[name]) for split, half in halves.items()}),
            }
            for name in numbers
        },
        "colours": [to_hex(mpl.colormaps["viridis"](k / 32)) for k in range(33)],
        "metrics": {name: label_of(name) for name in embeddings},
        "embeddings": embeddings,
        "curves": {
            split: {"alpha": _rounded(curve["alpha"]), "points": _points(curve)}
            for split, curve in curves.items()
        },
        "axes": {s: [_axis(stress, s, k) for k in (1, 2, 3)] for s in halves},
        "stress": {split: _stress(stress, split) for split in halves},
    }


def _apart(of: SetsApart) -> dict:
    """The samples of each model, with the labels and pictures of all that occur."""
    occurring, places = np.unique(of.apart.sample, return_inverse=True)
    found = {
        "count": of.apart.sample.shape[1],
        "samples": occurring.tolist(),
        "place": places.ravel().tolist(),
        "predicted": of.apart.predicted.ravel().tolist(),
        "share": np.round(100 * of.apart.share.ravel(), 1).tolist(),  # %
        "distance": _rounded(of.apart.distance),
        "classes": [str(name) for name in of.class_names],
        "reference": "the mean of all models",
    }
    if of.labels is not None:
        found |= {
            "labels": of.labels[occurring].tolist(),
            "reference": "the geodesic at equal progress",
        }
    if are_images(of.images):
        often = np.bincount(places.ravel())
        pictured = np.sort(np.argsort(-often, kind="stable")[:PICTURES])
        chosen = occurring[pictured]
        stored = hasattr(of.images, "oindex")  # a Zarr array
        pictures = sheet(of.images.oindex[chosen] if stored else np.asarray(of.images)[chosen])
        found["pictures"] = {
            "address": pictures.address,
            "side": pictures.side,
            "row": ROW,
            "place": dict(zip(pictured.tolist(), range(len(pictured)), strict=True)),
        }
    return found


def _axis(stress: pd.DataFrame, split: str, k: int) -> str:
    """Label of an axis; of two models there is no third coordinate."""
    if (stress.query("split == @split")["dimension"] == k).any():
        return component_label(stress, split, k)
    return f"PC{k}"


def _stress(stress: pd.DataFrame, split: str) -> float | None:
    """Explained stress of three dimensions; None if all models coincide."""
    found = stress.query("split == @split and dimension <= 3")["explained_stress"].iloc[-1]
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
        "names": _without_hashes([str(name) for name in names]),
        "colours": [colours[name] for name in names],
        "codes": _once({split: column.map(number).tolist() for split, column in columns.items()}),
    }


def _without_hashes(names: list[str]) -> list[str]:
    """Names without the hash at their ends, by which configurations differ; unless that is all."""
    short = [HASH.sub("", name) for name in names]
    twice = {name for name, count in Counter(short).items() if count > 1}
    return [long if few in twice else few for few, long in zip(short, names, strict=True)]


def _points(table: pd.DataFrame) -> list[list]:
    flat = np.zeros(len(table))
    return [_rounded(table.get(f"pc{k}", flat)) for k in (1, 2, 3)]


def _rounded(values: Iterable[float]) -> list[float | None]:
    """Values to five digits, more than a screen shows; None if not finite."""
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values]


def _range(values: pd.Series) -> list[float | None]:
    """Range of the colours, to the 99th percentile, as one bad model would hide the rest."""
    finite = values[np.isfinite(values)]
    return _rounded([finite.min(), finite.quantile(0.99)]) if len(finite) else [0.0, 1.0]


def _once(splits: dict[str, list]) -> dict[str, list]:
    first, *others = splits
    alike = all(splits[name] == splits[first] for name in others)
    return {first: splits[first]} if alike else splits
