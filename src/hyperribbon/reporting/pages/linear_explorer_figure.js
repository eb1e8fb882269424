// The figure of the linear explorer, from its data and linear_covariance.js; nothing of a page is
// used here.
"use strict";

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

const decades = (values) => values.map((v) => Math.log10(v));

// Boundaries in three dimensions. They depend on no choice, so a page computes them once.
function linearSurfaces(data) {
  const x = [], y = [], z = [], value = [];
  data.ratios.forEach((ratio, k) => data.slopes.forEach((slope, i) =>
    data.steps.forEach((T, j) => {
      x.push(slope);
      y.push(Math.log10(T));
      z.push(Math.log10(ratio));
      value.push(data.dimension[k][i][j]);
    })));
  return data.boundaries.map(([level, colour]) => ({
    type: "isosurface", x, y, z, value, isomin: level, isomax: level, surface: { count: 1 },
    colorscale: [[0, colour], [1, colour]], showscale: false, opacity: 0.5, scene: "scene",
    caps: { x: { show: false }, y: { show: false }, z: { show: false } },
    name: `${level} dimensions`, showlegend: true, hoverinfo: "name",
  }));
}

// Traces and layout, as plotly takes them, and what was found in words, at a point of the diagram;
// `at` is what `places` returns.
function linearFigure(data, { slope, steps: T, ratio }, fixed, at) {
  const exponents = decades(data.steps);
  const whole = exponents.map(Math.ceil).filter((p, k, all) => all.indexOf(p) === k);
  let k = 0;
  const distance = (r) => Math.abs(Math.log(r / ratio));
  data.ratios.forEach((r, i) => {
    if (distance(r) < distance(data.ratios[k])) k = i;
  });
  const found = data.true.map((weights) => covariance(slope, T, ratio, weights));
  const spectra = found.map((P) => eigenvalues(P.total));
  const dimensions = spectra.map((values) => dimensionOf(values, data.fraction));
  const mean = dimensions.reduce((a, b) => a + b, 0) / dimensions.length;
  const words = `${Number(mean.toPrecision(3))} dimensions, mean of ${dimensions.length} draws`;
  const across = (rows) => rows[0].map((_, i) => data.slopes.map((_, j) => rows[j][i]));
  const map = {
    type: "heatmap", x: data.slopes, y: exponents, z: across(data.dimension[k].map(decades)),
    text: across(data.dimension[k]), customdata: data.steps.map((T) => data.slopes.map(() => T)),
    colorscale: "Viridis", zmin: 0, zmax: Math.log10(Math.max(...data.dimension.flat(2))),
    hovertemplate: "c %{x:.3g}, T %{customdata:,}: %{text:.3g} dimensions<extra></extra>",
    colorbar: { title: { text: "dimensions" }, ...at.bar, thickness: 12,
      tickvals: data.ticks.map(Math.log10), ticktext: data.ticks.map(String) },
  };
  const lines = data.boundaries.map(([level, colour]) => ({
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
  const traces = [
    map, ...lines, point, ...fixed, place3,
    spectrum("from the targets", eigenvalues(found[0].targets), "#E69F00", "triangle-up", 5),
    spectrum("from initial weights", found[0].initialisation, "#009E73", "square", 4),
    spectrum("P, of both", spectra[0], "#0072B2", "circle-open", 8),
  ];
  const layout = {
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
  };
  return { traces, layout, words };
}
