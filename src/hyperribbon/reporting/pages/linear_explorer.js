// The linear explorer: sliders choose a point of the diagram.
"use strict";

const data = pageData();
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

const fixed = linearSurfaces(data);

function draw() {
  for (const name in axes) document.getElementById(`${name}-value`).textContent = words(name);
  const page = document.getElementById(ELEMENT);
  const at = places(page.clientWidth);
  page.style.minHeight = `${at.height}px`;
  const { traces, layout, words: found } = linearFigure(data, chosen, fixed, at);
  document.getElementById("found").textContent = found;
  return Plotly.react(ELEMENT, traces, layout, { responsive: true, displaylogo: false });
}

function read() {
  const hash = asked();
  for (const name in axes) {
    const value = Number(hash.get(name));
    const [low, high] = [axes[name][0], axes[name].at(-1)];
    if (hash.has(name) && value >= low && value <= high) chosen[name] = value;
  }
  moveSliders();
  draw();
}

function moveSliders() {
  for (const name in axes) inputs[name].value = place(name, chosen[name]) * inputs[name].max;
}

let waiting = false;
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}

withPlotly(() => {
  for (const name in axes) {
    inputs[name].addEventListener("input", () => {
      chosen[name] = valueAt(name, inputs[name].value / inputs[name].max);
      later();
    });
    inputs[name].addEventListener("change", () => remember(chosen));
  }
  window.addEventListener("hashchange", read);
  window.addEventListener("resize", later);
  read();
  document.getElementById(ELEMENT).on("plotly_click", ({ points: [point] }) => {
    if (point.data.type !== "heatmap") return;
    chosen.slope = point.x;
    chosen.steps = point.customdata;
    moveSliders();
    remember(chosen);
    draw();
  });
});
