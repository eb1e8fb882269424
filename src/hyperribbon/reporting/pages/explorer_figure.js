// The figure of the explorer, from its data; nothing of a page is used here.
"use strict";

// What a model is, as far as that is known: recordings without labels have no loss.
function hoverOf(data) {
  const time = "epoch" in data.values ? "epoch" : "step";
  const lines = [["loss", "loss %{customdata[3]:.4g} nats, error %{customdata[4]:.2%}"],
    ["progress", "progress %{customdata[5]:.3f}"]];
  const known = lines.filter(([name]) => name in data.values).map(([, line]) => line);
  return ["<b>%{customdata[0]}</b>",
    `seed %{customdata[1]}, ${time} %{customdata[2]:${time === "epoch" ? ".3g" : "d"}}`, ...known]
    .join("<br>") + "<extra></extra>";
}

// Plotly takes tags in names for markup.
function plain(name) {
  return name.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

function ofSplit(both, split) {
  return both[split] || Object.values(both)[0];
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

// Traces and layout, as plotly takes them, of the models in one metric on one split.
function explorerFigure(data, { split, metric, colour }) {
  const { rows: sample, points } = data.embeddings[metric];
  const rows = sample ? ofSplit(sample, split) : points[split][0].map((_, k) => k);
  const time = "epoch" in data.values ? "epoch" : "step";
  const hovertemplate = hoverOf(data);
  const column = (name) => name in data.values ? ofSplit(data.values[name].of, split) : [];
  const named = (name) => (i) =>
    plain(data.categories[name].names[ofSplit(data.categories[name].codes, split)[i]]);
  const about = [named("configuration"), named("seed"),
    ...[time, "loss", "error", "progress"].map((name) => (i) => column(name)[i]), (i) => i];

  // By its uid, part of a CSS selector, plotly knows what was hidden when others come and go.
  function trace(uid, name, places, marker, more) {
    const [x, y, z] = points[split].map((values) => places.map((k) => values[k]));
    const customdata = places.map((k) => about.map((of) => of(rows[k])));
    return { type: "scatter3d", mode: "markers", uid, name, x, y, z, customdata,
      hovertemplate, marker: { size: 2.5, ...marker }, ...more };
  }

  const traces = [];
  if (colour in data.categories) {
    const { names, colours } = data.categories[colour];
    const codes = ofSplit(data.categories[colour].codes, split);
    const groups = names.map(() => []);
    rows.forEach((i, k) => codes[i] >= 0 && groups[codes[i]].push(k));
    groups.forEach((places, c) => places.length &&
      traces.push(trace(`${colour}${c}`, colour === "seed" ? `seed ${names[c]}` : plain(names[c]),
        places, { color: colours[c] })));
  } else {
    const { label, range } = data.values[colour];
    const values = rows.map((i) => column(colour)[i]);
    const { bar, ...marker } = colour === time ? logarithmic(values, range)
      : { color: values, cmin: range[0], cmax: range[1], bar: {} };
    const colorbar = { title: { text: label, side: "right" }, len: 0.75, y: 0, yanchor: "bottom",
      thickness: 16, ...bar };
    traces.push(trace(colour, "models", rows.map((_, k) => k),
      { ...marker, colorscale: "Viridis", colorbar }, { showlegend: false }));
  }

  let axes = ["PC1", "PC2", "PC3"];
  let found = `${rows.length.toLocaleString("en")} `;
  if (metric === "bhattacharyya" && data.curves[split]) {
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
  }
  if (metric === "bhattacharyya") {
    axes = data.axes[split];
    const stress = data.stress[split];
    found += stress === null ? "models, all in one point" :
      `models,<br>explained stress of three dimensions ${Math.round(100 * stress)}%`;
  } else {
    found += `sampled models, ${data.metrics[metric]} metric`;
  }
  const axis = (text) => ({ title: { text }, gridcolor: "#ddd", zerolinecolor: "#ddd" });
  const scene = { aspectmode: "cube", camera: { eye: { x: 1.4, y: 1.4, z: 1.1 } } };
  ["x", "y", "z"].forEach((name, k) => { scene[`${name}axis`] = axis(axes[k]); });
  // What was turned or hidden by hand stays so while its revision is the same.
  const layout = {
    title: { text: `${split} predictions: ${found}`, font: { size: 15 }, x: 0, xanchor: "left",
      pad: { l: 12 } },
    margin: { l: 0, r: 0, b: 0, t: 56 }, scene, uirevision: "all",
    legend: { itemsizing: "constant", uirevision: colour },
  };
  return { traces, layout };
}
