"""The embedding as an interactive, self-contained page.

The page contains every column once; its script combines the chosen ones. The page's address
contains the choice, for example ``explorer.html#split=test&metric=geodesic&colour=error``, so that
it can be shared.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.reporting.style import OUTSIDE, colour_of, component_label, palette

SPLITS = ("train", "test")
METRICS = {
    "bhattacharyya": "Bhattacharyya",
    "symmetric_kl": "symmetrised Kullback-Leibler",
    "geodesic": "geodesic (arc)",
    "euclidean": "Euclidean",
}
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
    data = page_data(tables)
    colours = {name: name.replace("_", " ") for name in [*data["categories"], *data["values"]]}
    del colours["configuration"]  # too many
    chosen = {
        "split": {name: name for name in SPLITS},
        "metric": {name: METRICS[name] for name in data["embeddings"]},
        "colour": colours,
    }
    selects = "\n".join(
        f'<label>{name} <select id="{name}">{_options(options)}</select></label>'
        for name, options in chosen.items()
    )
    return interactive_page("explorer", selects, data, _SCRIPT)


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
    for metric in METRICS:
        of_metric = found[found["metric"] == metric]
        if metric == "bhattacharyya" or of_metric.empty:
            continue  # the former has all models, not just a sample
        parts = {split: of_metric.query("split == @split") for split in SPLITS}
        rows = {s: places[pd.MultiIndex.from_frame(p[MODEL])].tolist() for s, p in parts.items()}
        points = {split: _points(part) for split, part in parts.items()}
        embeddings[metric] = {"rows": _once(rows), "points": points}
    stress = tables["explained_stress"]
    curves = {split: tables["geodesic"].query("split == @split") for split in SPLITS}
    return {
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
        "metrics": METRICS,
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


def _options(names: dict[str, str]) -> str:
    return "".join(f'<option value="{name}">{words}</option>' for name, words in names.items())


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


_SCRIPT = r"""
const data = JSON.parse(document.getElementById("data").textContent);
// Plotly takes tags in names for markup.
for (const category of Object.values(data.categories))
  category.names = category.names.map((n) => n.replace(/&/g, "&amp;").replace(/</g, "&lt;"));
const selects = ["split", "metric", "colour"].map((name) => document.getElementById(name));
const hover =
  "<b>%{customdata[0]}</b><br>seed %{customdata[1]}, epoch %{customdata[2]:.3g}<br>" +
  "loss %{customdata[3]:.4g} nats, error %{customdata[4]:.2%}<br>" +
  "progress %{customdata[5]:.3f}<extra></extra>";

function ofSplit(both, split) {
  return both[split] || both.train;
}

// Of logarithms, with the values themselves at whole powers; 0 is half the smallest other value.
function logarithmic(values, [, top]) {
  const least = values.reduce((a, v) => (v > 0 && v < a ? v : a), Infinity);
  const low = Math.log10(least / 2), high = Math.log10(top);
  const ticks = [low];
  for (let p = Math.ceil(Math.log10(least)); p <= high; p++) ticks.push(p);
  const words = ticks.map((p, k) => (k ? String(Number((10 ** p).toPrecision(1))) : "0"));
  return {
    color: values.map((v) => (v === null ? null : Math.log10(v > 0 ? v : least / 2))),
    cmin: low, cmax: high, bar: { tickvals: ticks, ticktext: words },
  };
}

function draw() {
  const [split, metric, colour] = selects.map((select) => select.value);
  const { rows: sample, points } = data.embeddings[metric];
  const rows = sample ? ofSplit(sample, split) : points[split][0].map((_, k) => k);
  const column = (name) => ofSplit(data.values[name].of, split);
  const named = (name) => (i) =>
    data.categories[name].names[ofSplit(data.categories[name].codes, split)[i]];
  const about = [named("configuration"), named("seed"),
    ...["epoch", "loss", "error", "progress"].map((name) => (i) => column(name)[i])];

  // By its uid, part of a CSS selector, plotly knows what was hidden when others come and go.
  function trace(uid, name, places, marker, more) {
    const [x, y, z] = points[split].map((values) => places.map((k) => values[k]));
    const customdata = places.map((k) => about.map((of) => of(rows[k])));
    return { type: "scatter3d", mode: "markers", uid, name, x, y, z, customdata,
      hovertemplate: hover, marker: { size: 2.5, ...marker }, ...more };
  }

  const traces = [];
  if (colour in data.categories) {
    const { names, colours } = data.categories[colour];
    const codes = ofSplit(data.categories[colour].codes, split);
    const groups = names.map(() => []);
    rows.forEach((i, k) => codes[i] >= 0 && groups[codes[i]].push(k));
    groups.forEach((places, c) => places.length &&
      traces.push(trace(`${colour}${c}`, colour === "seed" ? `seed ${names[c]}` : names[c],
        places, { color: colours[c] })));
  } else {
    const { label, range } = data.values[colour];
    const values = rows.map((i) => column(colour)[i]);
    const { bar, ...marker } = colour === "epoch" ? logarithmic(values, range)
      : { color: values, cmin: range[0], cmax: range[1], bar: {} };
    const colorbar = { title: { text: label, side: "right" }, len: 0.75, y: 0, yanchor: "bottom",
      thickness: 16, ...bar };
    traces.push(trace(colour, "models", rows.map((_, k) => k),
      { ...marker, colorscale: "Viridis", colorbar }, { showlegend: false }));
  }

  let axes = ["PC1", "PC2", "PC3"];
  let found = `${rows.length.toLocaleString("en")} `;
  if (metric === "bhattacharyya") {
    const { alpha, points: [x, y, z] } = data.curves[split];
    traces.push({ type: "scatter3d", mode: "lines", name: "geodesic", x, y, z, customdata: alpha,
      line: { color: "black", width: 4 },
      hovertemplate: "geodesic, %{customdata:.2f}<extra></extra>" });
    for (const [k, name, symbol] of [[0, "ignorance", "square"],
                                     [x.length - 1, "truth", "diamond"]]) {
      traces.push({ type: "scatter3d", mode: "markers", name, x: [x[k]], y: [y[k]], z: [z[k]],
        marker: { size: 5, color: "black", symbol },
        hovertemplate: `${name}<extra></extra>` });
    }
    axes = data.axes[split];
    const stress = data.stress[split];
    found += stress === null ? "models, all in one point" :
      `models, explained stress of three dimensions ${Math.round(100 * stress)}%`;
  } else {
    found += `sampled models, ${data.metrics[metric]} metric`;
  }
  const axis = (text) => ({ title: { text }, gridcolor: "#ddd", zerolinecolor: "#ddd" });
  const scene = { aspectmode: "cube", camera: { eye: { x: 1.4, y: 1.4, z: 1.1 } } };
  ["x", "y", "z"].forEach((name, k) => { scene[`${name}axis`] = axis(axes[k]); });
  // What was turned or hidden by hand stays so while its revision is the same.
  return Plotly.react("explorer", traces, {
    title: { text: `${split} predictions: ${found}`, font: { size: 15 } },
    margin: { l: 0, r: 0, b: 0, t: 40 }, scene, uirevision: "all",
    legend: { itemsizing: "constant", uirevision: colour },
  }, { responsive: true, displaylogo: false });
}

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const select of selects) {
    const known = [...select.options].some((option) => option.value === asked.get(select.id));
    if (known) select.value = asked.get(select.id);
  }
  draw();
}

for (const select of selects) {
  select.addEventListener("change", () => {
    const chosen = new URLSearchParams(selects.map((s) => [s.id, s.value]));
    try {
      history.replaceState(null, "", `#${chosen}`);
    } catch {
      // Within a report, a page has no address of its own.
    }
    draw();
  });
}
window.addEventListener("hashchange", read);
read();
"""
