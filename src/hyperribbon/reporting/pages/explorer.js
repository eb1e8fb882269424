// The explorer: what is chosen in the form is drawn.
"use strict";

const data = pageData();
const selects = ["split", "metric", "colour"].map((name) => document.getElementById(name));
for (const select of selects) {
  const options = Object.entries(data.choices[select.id]);
  select.append(...options.map(([value, words]) => new Option(words, value)));
}

function chosen() {
  return Object.fromEntries(selects.map((select) => [select.id, select.value]));
}

function draw() {
  const { traces, layout } = explorerFigure(data, chosen());
  return Plotly.react(ELEMENT, traces, layout, { responsive: true, displaylogo: false });
}

function read() {
  for (const select of selects) {
    const value = asked().get(select.id);
    if (Object.hasOwn(data.choices[select.id], value)) select.value = value;
  }
  draw();
}

withPlotly(() => {
  for (const select of selects) {
    select.addEventListener("change", () => {
      remember(chosen());
      draw();
    });
  }
  window.addEventListener("hashchange", read);
  read();
});
