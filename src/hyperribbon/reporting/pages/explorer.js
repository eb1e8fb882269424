// The explorer: what is chosen is drawn, and kept in the address.
"use strict";

const SECONDS = 6; // that the animation takes

const data = pageData();
const element = (id) => document.getElementById(id);
const SELECTS = ["split", "metric", "colour", "clock"];
document.body.className = "explorer";

// An element with attributes and children, whose text is never markup.
function made(tag, attributes = {}, ...children) {
  const found = Object.assign(document.createElement(tag), attributes);
  found.append(...children);
  return found;
}

const title = made("div", { id: "title" }), legend = made("div", { id: "legend" });
const canvas = made("canvas", { tabIndex: 0 });
canvas.setAttribute("role", "img");
const tip = made("div", { id: "tip", hidden: true });
const view = made("div", { className: "view" }, canvas, tip);
const play = made("button", { type: "button", textContent: "play" });
const slider = made("input", { type: "range", min: 0, step: 1 });
slider.setAttribute("aria-label", "models until");
const moment = made("output");
const clock = made("div", { id: "clock" }, play, made("label", {}, "by ",
  made("select", { id: "clock_of" })), slider, moment);
const chosenRun = made("div", { id: "chosen" });
chosenRun.setAttribute("aria-live", "polite");
const panel = made("section", { id: "apart" },
  "Point at a model to see the samples that set it apart.");
element(ELEMENT).append(title, made("div", { id: "scene" }, view, legend), clock, chosenRun);
if (Object.keys(data.apart).length) element(ELEMENT).after(panel);

const select = { split: element("split"), metric: element("metric"), colour: element("colour"),
  clock: element("clock_of") };
data.choices.clock = Object.fromEntries(clocks(data).map((name) => [name, name]));
for (const name of SELECTS) {
  const options = Object.entries(data.choices[name]);
  select[name].append(...options.map(([value, words]) => new Option(words, value)));
}

const state = { from: camera({}), until: null, hidden: new Set(), run: null, at: -1 };
let scene, cloud, labels, words, playing = null, waiting = false;

const choice = () => Object.fromEntries(SELECTS.map((name) => [name, select[name].value]));
const size = () => [canvas.clientWidth, canvas.clientHeight];
const matrix = () => viewMatrix(state.from, ...size());

// ---- what is drawn

function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const m = matrix();
    cloud.lines = element("lines").checked;
    cloud.until = state.until === null ? EVER : state.until;
    cloud.heads = state.until !== null;
    cloud.draw(new Float32Array(m), behind(state.from));
    words = labels(state.from, m, ...size());
    tell(m);
    const clock = select.clock.value;
    moment.textContent = state.until === null ? `${clock}: all`
      : `${clock} up to ${Number(state.until.toPrecision(3))}`;
  });
}

function rebuild() {
  scene = explorerScene(data, choice());
  title.textContent = scene.title;
  const last = scene.moments.length - 1;
  slider.max = Math.max(last, 0);
  if (state.until !== null) {
    slider.value = scene.moments.findLastIndex((v) => v <= state.until);
    state.until = scene.moments[slider.value] ?? null;
  } else slider.value = slider.max;
  element("runs").replaceChildren(...scene.runs.map(({ name }) => new Option(name)));
  drawLegend();
  filter();
}

function filter() {
  const shown = shownModels(scene, { ...state, find: element("find").value });
  fit(scene, shown.look);
  labels = labelsOf(view, scene.axes, scene.ranges);
  cloud.set(withBox({ ...scene, look: shown.look, colour: shown.colour }));
  const all = scene.runs.length;
  const about = [`${shown.runs === all ? all : `${shown.runs} of ${all}`} runs`];
  if (state.run !== null) about.push(`chosen: ${scene.runs[state.run].name} (Esc lets go)`);
  chosenRun.textContent = about.join("; ");
  canvas.setAttribute("aria-label", `${scene.title}; ${about.join("; ")}. Arrow keys turn, ` +
    "plus and minus zoom, comma and point go along a run, space plays.");
  redraw();
}

function drawLegend() {
  if (scene.bar) {
    const { label, ticks: marks } = scene.bar;
    const narrow = matchMedia("(max-width: 640px)").matches;
    const ramp = made("div", { className: "ramp" });
    ramp.style.background = `linear-gradient(${narrow ? "to right" : "to top"}, ${data.colours})`;
    const values = made("div", { className: "values" });
    for (const [share, words] of marks) {
      const mark = made("span", { textContent: words });
      mark.style[narrow ? "left" : "bottom"] = `${100 * share}%`;
      values.append(mark);
    }
    legend.replaceChildren(made("div", { id: "bar" }, ramp, values,
      made("div", { className: "words", textContent: label })));
    return;
  }
  legend.replaceChildren(...scene.groups.map(({ name, code, colour, count }) => {
    const swatch = made("span", { className: "swatch" });
    swatch.style.background = colour;
    const button = made("button", { type: "button", title: "click hides, double-click isolates" },
      swatch, name, made("small", { textContent: ` ${count.toLocaleString("en")}` }));
    button.setAttribute("aria-pressed", String(!state.hidden.has(code)));
    button.addEventListener("click", (event) => {
      const others = scene.groups.map((group) => group.code).filter((c) => c !== code);
      // The second click of two: the first has hidden it.
      if (event.detail === 2 || event.shiftKey) isolate(code, others);
      else if (!state.hidden.delete(code)) state.hidden.add(code);
      drawLegend();
      changed();
      legend.querySelectorAll("button")[scene.groups.findIndex((g) => g.code === code)].focus();
    });
    return button;
  }));
}

// Show one group alone, or all again if it is alone already.
function isolate(code, others) {
  const alone = others.every((c) => state.hidden.has(c));
  state.hidden = new Set(alone ? [] : others);
}

function changed() {
  filter();
  keep();
}

// ---- the address

function keep() {
  const { colour } = choice(), names = (data.categories[colour] || { names: [] }).names;
  const pairs = [...Object.entries(choice()), ["find", element("find").value],
    ["until", state.until], ["lines", element("lines").checked ? null : "no"],
    ["run", state.run === null ? null : scene.runs[state.run].name],
    ...[...state.hidden].map((code) => ["hide", names[code]]), ...turnedBy(state.from)];
  remember(pairs.filter(([, value]) => value !== null && value !== ""));
}

function read() {
  const given = asked();
  for (const name of SELECTS) {
    if (Object.hasOwn(data.choices[name], given.get(name))) select[name].value = given.get(name);
  }
  element("find").value = given.get("find") || "";
  element("lines").checked = given.get("lines") !== "no";
  state.from = camera(Object.fromEntries(given));
  const until = parseFloat(given.get("until"));
  state.until = Number.isFinite(until) ? until : null;
  const { names } = data.categories[select.colour.value] || { names: [] };
  const hidden = given.getAll("hide").map((name) => names.indexOf(name));
  state.hidden = new Set(hidden.filter((code) => code >= 0));
  state.run = null;
  rebuild();
  const run = scene.runs.findIndex(({ name }) => name === given.get("run"));
  choose(run < 0 ? null : run);
}

// ---- pointing, turning, keys

// What is at a point, beside it; the samples that set the model apart, below.
function tell(m) {
  tip.hidden = state.at < 0;
  if (state.at < 0) return;
  const [x, y] = projected(m, scene.place.subarray(3 * state.at, 3 * state.at + 3), ...size());
  const right = size()[0] - tip.offsetWidth - 4, bottom = size()[1] - tip.offsetHeight - 2;
  tip.style.left = `${Math.min(x + 12, Math.max(right, 0))}px`;
  tip.style.top = `${Math.min(Math.max(y - tip.offsetHeight - 8, 2), bottom)}px`;
}

function point(k) {
  if (k === state.at) return;
  state.at = k;
  if (k >= 0) {
    const { split } = choice(), { lines, row } = aboutPoint(data, scene, split, k);
    tip.replaceChildren(...lines.map((textContent) => made("p", { textContent })));
    const name = lines.slice(0, 2).join(", ");
    if (row >= 0 && data.apart[split]) showApart(data, split, row, name, panel);
  }
  redraw();
}

function choose(run) {
  state.run = run;
  filter();
}

const found = (event) => cloud.find(matrix(), event);

// The model before or after the one that is pointed at, of the same run.
function along(by) {
  const run = state.run ?? (state.at >= 0 && state.at < scene.models ? scene.run[state.at] : 0);
  const { members } = scene.runs[run], now = members.indexOf(state.at);
  choose(run);
  point(members[Math.min(Math.max(now + by, 0), members.length - 1)]);
}

turnable(canvas, {
  from: () => state.from,
  to: (from) => { state.from = from; redraw(); },
  hover: (event) => point(found(event)),
  click: (event) => {
    const k = found(event);
    point(k);
    choose(k >= 0 && k < scene.models ? scene.run[k] : null);
  },
  keys: {
    " ": () => start(playing === null),
    ",": () => along(-1),
    ".": () => along(1),
    Escape: () => { point(-1); choose(null); },
  },
  done: keep,
});
canvas.addEventListener("pointerleave", () => { if (state.run === null) point(-1); });

// ---- time

function until(k) {
  const last = scene.moments.length - 1;
  slider.value = k;
  state.until = k >= last ? null : scene.moments[k];
}

function start(on) {
  cancelAnimationFrame(playing);
  playing = null;
  play.textContent = on ? "pause" : "play";
  if (!on) return;
  const last = Number(slider.max), first = Number(slider.value) >= last ? 0 : Number(slider.value);
  let begun = null;
  const step = (now) => {
    begun ??= now;
    const k = Math.min(first + Math.floor((now - begun) / 1000 / SECONDS * (last + 1)), last);
    if (k !== Number(slider.value) || k === first) {
      until(k);
      redraw();
    }
    if (k >= last) {
      start(false);
      keep();
    } else playing = requestAnimationFrame(step);
  };
  playing = requestAnimationFrame(step);
}

play.addEventListener("click", () => start(playing === null));
slider.addEventListener("input", () => {
  start(false);
  until(Number(slider.value));
  redraw();
});
slider.addEventListener("change", keep);

// ---- the form

for (const name of SELECTS) {
  select[name].addEventListener("change", () => {
    if (name === "colour") state.hidden.clear();
    if (name === "clock") state.until = null;
    const run = state.run === null ? null : scene.runs[state.run].name;
    point(-1);
    rebuild();
    const again = scene.runs.findIndex((of) => of.name === run);
    choose(again < 0 ? null : again);
    keep();
  });
}
element("find").addEventListener("input", changed);
element("lines").addEventListener("change", changed);
element("front").addEventListener("click", () => {
  state.from = camera({});
  redraw();
  keep();
});
element("save").addEventListener("click", () => {
  const copy = made("canvas", { width: canvas.width, height: canvas.height });
  const pen = copy.getContext("2d"), ratio = canvas.width / canvas.clientWidth;
  cloud.draw(new Float32Array(matrix()), behind(state.from)); // the browser has dropped it
  pen.drawImage(canvas, 0, 0);
  pen.scale(ratio, ratio);
  Object.assign(pen, { textAlign: "center", textBaseline: "middle", fillStyle: "#333" });
  for (const { words: text, place, name } of words) {
    pen.font = `${name ? 13 : 11}px sans-serif`;
    pen.fillText(text, ...place);
  }
  made("a", { download: `${select.split.value}.png`, href: copy.toDataURL() }).click();
});
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());

orSay(() => {
  cloud = new Cloud(canvas);
  window.addEventListener("hashchange", read);
  new ResizeObserver(redraw).observe(view);
  read();
});
