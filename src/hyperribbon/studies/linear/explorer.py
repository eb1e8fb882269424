"""The phase diagram of linear regression as an interactive page (thesis Fig. 5.3).

Sliders set its three parameters. The page computes spectra itself, because P is in closed form and
has few rows. The page's address contains the choice, for example
``linear_explorer.html#slope=0.2&steps=1000&ratio=9``, so that it can be shared.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.interactive import interactive_page
from hyperribbon.studies.linear.phase_figure import BOUNDARIES, TICKS, grid

OPERATIONS = 10**7  # most operations, n^3 per draw, with which the page follows a slider
SLIDER = 400  # positions


def linear_explorer(
    tables: dict[str, pd.DataFrame], true: np.ndarray, fraction: float = 0.95
) -> str:
    """HTML page of the diagram, of its boundaries in three dimensions, and of spectra at a point.

    Parameters
    ----------
    tables : with the table ``linear_phase``
    true : (draws, n), standard normal true weights over which the diagram is averaged
    fraction : fraction of the variance that the dimensions hold
    """
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    draws, n = true.shape
    data = {
        "ratios": ratios.tolist(),
        "slopes": slopes.tolist(),
        "steps": steps.tolist(),
        "dimension": dimension.round(3).tolist(),
        "true": true[: max(1, min(draws, OPERATIONS // n**3))].tolist(),
        "ticks": TICKS,
        "fraction": fraction,
        "boundaries": list(BOUNDARIES.items()),
    }
    words = {
        "slope": "slope c",
        "steps": "steps T",
        "ratio": "&sigma;<sub>*</sub>/&sigma;<sub>w</sub>",
    }
    form = "\n".join(
        f'<label>{text} <input type="range" id="{name}" min="0" max="{SLIDER}">'
        f' <output id="{name}-value"></output></label>'
        for name, text in words.items()
    )
    form += '\n<strong id="found"></strong>'
    return interactive_page("linear regression", form, data, CLOSED_FORM + PLACES + _SCRIPT)


# Nothing of a page is used here, so that tests run it beside hyperribbon.linear.
CLOSED_FORM = r"""
// The covariance of all points on all trajectories at step size 1 / lambda_1 (thesis Eq. 5.2.5).
function covariance(slope, T, ratio, weights) {
  const n = weights.length;
  const rate = weights.map((_, i) => Math.exp(-slope * i));
  const log = rate.map((r) => Math.log1p(-r));
  const power = (exponent, rest) => -Math.expm1(T * exponent) / (T * rest);
  const y = weights.map((w, i) => ratio * w * Math.sqrt(rate[i]));
  const mean = y.map((v, i) => v * power(log[i], rate[i]));
  const initialisation = rate.map((r, i) => r * power(2 * log[i], r * (2 - r)));
  const targets = y.map((u, i) => y.map((v, j) =>
    u * v * power(log[i] + log[j], rate[i] + rate[j] - rate[i] * rate[j]) - mean[i] * mean[j]));
  const total = targets.map((row, i) => row.map((v, j) => v + (i === j ? initialisation[i] : 0)));
  return { initialisation: initialisation.sort((a, b) => b - a), targets, total };
}

// Of a symmetric matrix, descending: Householder's reduction to three diagonals, then QL steps.
function eigenvalues(matrix) {
  const A = matrix.map((row) => Float64Array.from(row)), n = A.length;
  const d = new Float64Array(n), e = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm = Math.hypot(norm, A[i][k]);
    if (norm === 0) continue;
    const alpha = A[k + 1][k] > 0 ? -norm : norm;
    const v = new Float64Array(n), p = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = A[i][k] / norm;
    v[k + 1] -= alpha / norm;
    let square = 0;
    for (let i = k + 1; i < n; i++) square += v[i] * v[i];
    let along = 0;
    for (let i = k; i < n; i++) {
      for (let j = k + 1; j < n; j++) p[i] += A[i][j] * v[j];
      p[i] *= 2 / square;
      along += v[i] * p[i];
    }
    for (let i = k; i < n; i++) p[i] -= along / square * v[i];
    for (let i = k; i < n; i++) {
      for (let j = k; j < n; j++) A[i][j] -= v[i] * p[j] + p[i] * v[j];
    }
  }
  for (let i = 0; i < n; i++) {
    d[i] = A[i][i];
    e[i] = i + 1 < n ? A[i + 1][i] : 0;
  }
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; sweep < 60; sweep++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > 1e-17 * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]), r = Math.hypot(g, 1), s = 1, c = 1, p = 0;
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i], b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) { d[i + 1] -= p; e[m] = 0; break; }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return [...d].sort((a, b) => b - a);
}

function dimensionOf(values, fraction) {
  const wanted = fraction * values.reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    sum += values[k];
    if (sum >= wanted) return k + 1;
  }
  return values.length;
}
"""

# Of no page, either.
PLACES = r"""
// Parts of the page that each picture has: next to each other, or one below the other on a phone.
function places(width) {
  if (width < 700) {
    return {
      height: 1150, map: { x: [0, 0.8], y: [0.68, 1] }, bar: { x: 0.82, y: 0.84, len: 0.34 },
      scene: { x: [0, 1], y: [0.33, 0.61] }, spectrum: { x: [0, 1], y: [0.11, 0.31] },
      legend: { x: 0, y: 0.05, yanchor: "top", orientation: "h" },
    };
  }
  return {
    height: 0, map: { x: [0, 0.46], y: [0, 1] }, bar: { x: 0.47, y: 0.5, len: 1 },
    scene: { x: [0.58, 0.85], y: [0.48, 1] }, spectrum: { x: [0.6, 0.85], y: [0, 0.42] },
    legend: { x: 0.87, y: 0.9 },
  };
}
"""

_SCRIPT = r"""
const data = JSON.parse(document.getElementById("data").textContent);
const axes = { slope: data.slopes, steps: data.steps, ratio: data.ratios };
const inputs = Object.fromEntries(Object.keys(axes).map((k) => [k, document.getElementById(k)]));
const logarithmic = { steps: true, ratio: true };
const chosen = {
  slope: data.slopes[Math.floor(data.slopes.length / 4)],
  steps: data.steps[Math.floor(data.steps.length / 2)],
  ratio: data.ratios[Math.floor(data.ratios.length / 2)],
};

function place(name, value) {
  const [low, high] = [axes[name][0], axes[name].at(-1)];
  return logarithmic[name] ? Math.log(value / low) / Math.log(high / low)
    : (value - low) / (high - low);
}

function valueAt(name, share) {
  const [low, high] = [axes[name][0], axes[name].at(-1)];
  if (!logarithmic[name]) return low + share * (high - low);
  const value = low * (high / low) ** share;
  return name === "steps" ? Math.round(value) : value;
}

function words(name) {
  return name === "steps" ? chosen.steps.toLocaleString("en")
    : String(Number(chosen[name].toPrecision(3)));
}

const decades = (values) => values.map((v) => Math.log10(v));
const exponents = decades(data.steps);
const whole = exponents.map(Math.ceil).filter((p, k, all) => all.indexOf(p) === k);
const levels = data.boundaries;

// Surfaces do not change: they are drawn once.
function surfaces() {
  const x = [], y = [], z = [], value = [];
  data.ratios.forEach((ratio, k) => data.slopes.forEach((slope, i) =>
    data.steps.forEach((T, j) => {
      x.push(slope);
      y.push(Math.log10(T));
      z.push(Math.log10(ratio));
      value.push(data.dimension[k][i][j]);
    })));
  return levels.map(([level, colour]) => ({
    type: "isosurface", x, y, z, value, isomin: level, isomax: level, surface: { count: 1 },
    colorscale: [[0, colour], [1, colour]], showscale: false, opacity: 0.5, scene: "scene",
    caps: { x: { show: false }, y: { show: false }, z: { show: false } },
    name: `${level} dimensions`, showlegend: true, hoverinfo: "name",
  }));
}
const fixed = surfaces();

function draw() {
  for (const name in axes) document.getElementById(`${name}-value`).textContent = words(name);
  let k = 0;
  data.ratios.forEach((ratio, i) => {
    const near = (r) => Math.abs(Math.log(r / chosen.ratio));
    if (near(ratio) < near(data.ratios[k])) k = i;
  });
  const { slope, steps: T, ratio } = chosen;
  const page = document.getElementById("explorer");
  const at = places(page.clientWidth);
  page.style.minHeight = `${at.height}px`;
  const found = data.true.map((weights) => covariance(slope, T, ratio, weights));
  const spectra = found.map((P) => eigenvalues(P.total));
  const dimensions = spectra.map((values) => dimensionOf(values, data.fraction));
  const mean = dimensions.reduce((a, b) => a + b, 0) / dimensions.length;
  document.getElementById("found").textContent =
    `${Number(mean.toPrecision(3))} dimensions, mean of ${dimensions.length} draws`;
  const across = (rows) => rows[0].map((_, i) => data.slopes.map((_, j) => rows[j][i]));
  const map = {
    type: "heatmap", x: data.slopes, y: exponents, z: across(data.dimension[k].map(decades)),
    text: across(data.dimension[k]), customdata: data.steps.map((T) => data.slopes.map(() => T)),
    colorscale: "Viridis", zmin: 0, zmax: Math.log10(Math.max(...data.dimension.flat(2))),
    hovertemplate: "c %{x:.3g}, T %{customdata:,}: %{text:.3g} dimensions<extra></extra>",
    colorbar: { title: { text: "dimensions" }, ...at.bar, thickness: 12,
      tickvals: data.ticks.map(Math.log10), ticktext: data.ticks.map(String) },
  };
  const lines = levels.map(([level, colour]) => ({
    type: "contour", x: data.slopes, y: exponents, z: across(data.dimension[k]), showscale: false,
    contours: { type: "constraint", operation: "=", value: level }, line: { color: colour },
    hoverinfo: "skip", showlegend: false, fillcolor: "rgba(0,0,0,0)",
  }));
  const point = { x: [slope], y: decades([T]), mode: "markers", hoverinfo: "skip",
    showlegend: false,
    marker: { symbol: "cross-thin", size: 14, line: { width: 2, color: "white" } } };
  const place3 = { type: "scatter3d", scene: "scene", mode: "markers", hoverinfo: "skip",
    x: [slope], y: decades([T]), z: decades([ratio]), showlegend: false,
    marker: { size: 5, color: "#0072B2" } };
  const floor = 1e-15 * spectra[0][0];
  const spectrum = (name, values, color, symbol, size) => ({
    xaxis: "x2", yaxis: "y2", name, mode: "markers", marker: { color, symbol, size },
    x: values.map((_, i) => i + 1), y: values.map((v) => (v > floor ? v : null)),
  });
  const axis = (text) => ({ title: { text }, gridcolor: "#ddd" });
  return Plotly.react("explorer", [
    map, ...lines, point, ...fixed, place3,
    spectrum("from the targets", eigenvalues(found[0].targets), "#E69F00", "triangle-up", 5),
    spectrum("from initial weights", found[0].initialisation, "#009E73", "square", 4),
    spectrum("P, of both", spectra[0], "#0072B2", "circle-open", 8),
  ], {
    margin: { l: 60, r: 10, b: 45, t: 10 }, uirevision: "all", hovermode: "closest",
    xaxis: { domain: at.map.x, title: { text: "slope c" } },
    yaxis: { domain: at.map.y, title: { text: "steps T" }, tickvals: whole,
      ticktext: whole.map((p) => `10<sup>${p}</sup>`) },
    xaxis2: { ...axis("index"), domain: at.spectrum.x, anchor: "y2" },
    yaxis2: { ...axis("eigenvalue, first draw"), type: "log", domain: at.spectrum.y, anchor: "x2",
      exponentformat: "power" },
    scene: { domain: at.scene, uirevision: "all", aspectmode: "cube",
      camera: { eye: { x: 2, y: 2, z: 1.4 } },
      xaxis: axis("c"), yaxis: axis("log10 T"), zaxis: axis("log10 ratio") },
    legend: at.legend,
  }, { responsive: true, displaylogo: false });
}

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name in axes) {
    const value = Number(asked.get(name));
    const [low, high] = [axes[name][0], axes[name].at(-1)];
    if (asked.has(name) && value >= low && value <= high) chosen[name] = value;
    inputs[name].value = place(name, chosen[name]) * inputs[name].max;
  }
  draw();
}

function remember() {
  try {
    history.replaceState(null, "", `#${new URLSearchParams(chosen)}`);
  } catch {
    // Within a report, a page has no address of its own.
  }
}

let waiting = false;
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

for (const name in axes) {
  inputs[name].addEventListener("input", () => {
    chosen[name] = valueAt(name, inputs[name].value / inputs[name].max);
    later();
  });
  inputs[name].addEventListener("change", remember);
}
window.addEventListener("hashchange", read);
window.addEventListener("resize", later);
read();
document.getElementById("explorer").on("plotly_click", ({ points: [point] }) => {
  if (point.data.type !== "heatmap") return;
  chosen.slope = point.x;
  chosen.steps = point.customdata;
  for (const name of ["slope", "steps"]) {
    inputs[name].value = place(name, chosen[name]) * inputs[name].max;
  }
  remember();
  draw();
});
"""
