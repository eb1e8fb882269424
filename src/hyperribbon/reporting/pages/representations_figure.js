// The figure of the maps of representations, from its data; nothing of a page is used here.
"use strict";

const TITLES = { log_volume: "log volume element", ricci: "scalar curvature" };

// Parts of the page that each map has: next to each other, or one below the other on a phone.
function places(width) {
  if (width < 700) {
    return {
      height: 2 * width, log_volume: { x: [0, 0.84], y: [0.55, 0.97] },
      ricci: { x: [0, 0.84], y: [0.05, 0.47] },
    };
  }
  return {
    height: 0, log_volume: { x: [0, 0.41], y: [0, 0.94] }, ricci: { x: [0.53, 0.94], y: [0, 0.94] },
  };
}

// Curvature is drawn on a scale that is linear about 0 and logarithmic beyond.
const squeezed = (value) => (value === null ? null : Math.asinh(10 * value));

// Ticks of the squeezed scale: 0 and powers of ten within a largest value, with both signs.
function curvatureTicks(most) {
  const powers = [];
  for (let p = Math.floor(Math.log10(most)); p >= -1 && powers.length < 3; p -= 1) powers.push(10 ** p);
  return [...powers.map((v) => -v), 0, ...powers.reverse()];
}

function mapTrace(map, moment, name, axis, at) {
  const range = map.ranges[name];
  if (range === null) return null;
  const curvature = name === "ricci";
  const most = Math.max(Math.abs(range[0]), Math.abs(range[1]), 1e-3);
  const bar = { title: { text: TITLES[name], side: "right" }, thickness: 12, len: at.y[1] - at.y[0],
    x: at.x[1] + 0.005, y: (at.y[0] + at.y[1]) / 2 };
  const values = moment[name];
  const trace = {
    type: "heatmap", x: map.x, y: map.y, z: values, xaxis: `x${axis}`, yaxis: `y${axis}`,
    colorscale: "Viridis", zmin: range[0], zmax: range[1], colorbar: bar, text: values,
    hovertemplate: `(%{x:.2f}, %{y:.2f}): ${TITLES[name]} %{text:.3g}<extra></extra>`,
  };
  if (!curvature) return trace;
  const ticks = curvatureTicks(most);
  return { ...trace, z: values.map((row) => row.map(squeezed)), colorscale: "RdBu",
    zmin: squeezed(-most), zmax: squeezed(most),
    colorbar: { ...bar, tickvals: ticks.map(squeezed), ticktext: ticks.map(String) } };
}

function boundaryTrace(map, values, axis, line) {
  return {
    type: "contour", x: map.x, y: map.y, z: values, xaxis: `x${axis}`, yaxis: `y${axis}`, line,
    contours: { type: "constraint", operation: "=", value: 0 }, showscale: false,
    hoverinfo: "skip", showlegend: false, fillcolor: "rgba(0,0,0,0)",
  };
}

// Traces and layout, as plotly takes them, of a map at a moment; `at` is what `places` returns.
function mapFigure(map, moment, at) {
  const traces = [], annotations = [];
  const layout = { margin: { l: 40, r: 10, b: 35, t: 10 }, uirevision: "all", hovermode: "closest" };
  Object.keys(TITLES).forEach((name, k) => {
    const axis = k ? "2" : "";
    layout[`xaxis${axis}`] = { domain: at[name].x, anchor: `y${axis}`, constrain: "domain" };
    layout[`yaxis${axis}`] = { domain: at[name].y, anchor: `x${axis}`, constrain: "domain",
      scaleanchor: `x${axis}` };
    annotations.push({ text: TITLES[name], showarrow: false, xref: "paper", yref: "paper",
      x: at[name].x[0], y: at[name].y[1], xanchor: "left", yanchor: "bottom" });
    const trace = mapTrace(map, moment, name, axis, at[name]);
    if (trace === null) {
      annotations.push({ text: "0 between the kinks", showarrow: false, xref: `x${axis}`,
        yref: `y${axis}`, x: 0, y: 0, bgcolor: "white" });
    } else {
      traces.push(trace);
    }
    const own = name === "ricci" ? "#009E73" : "white";
    traces.push(boundaryTrace(map, moment.margin, axis, { color: own, width: 2 }));
    traces.push(boundaryTrace(map, map.truth, axis, { color: "black", width: 1, dash: "dash" }));
  });
  return { traces, layout: { ...layout, annotations } };
}
