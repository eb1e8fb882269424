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

const panel = document.createElement("section");
panel.id = "apart";
panel.append("Point at a model to see the samples that set it apart.");
if (Object.keys(data.apart).length) document.getElementById(ELEMENT).after(panel);

// The model at a point, by its row in the tables; the geodesic's points have none.
function pointAt({ points: [{ customdata: about }] }) {
  const { split } = chosen();
  if (!Array.isArray(about) || !data.apart[split]) return;
  const [name, seed, time, , , , i] = about;
  const unit = "epoch" in data.values ? "epoch" : "step";
  const plainName = name.replace(/&lt;/g, "<").replace(/&amp;/g, "&");
  showApart(data, split, i, `${plainName}, seed ${seed}, ${unit} ${time}`, panel);
}

let listening = false;

function draw() {
  const { traces, layout } = explorerFigure(data, chosen());
  const drawn = Plotly.react(ELEMENT, traces, layout, { responsive: true, displaylogo: false });
  if (!listening) {
    const element = document.getElementById(ELEMENT);
    for (const kind of ["plotly_hover", "plotly_click"]) element.on(kind, pointAt);
    listening = true;
  }
  return drawn;
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
