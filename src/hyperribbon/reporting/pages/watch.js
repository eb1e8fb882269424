// The watcher's page: asks for what is new, and draws it.
"use strict";

const EVERY = 500; // ms between two questions
const MOVING = 600; // ms in which models move to where a fresh embedding has them
const element = (id) => document.getElementById(id);
const canvas = element("scene");
const hidden = new Set(); // names of trainings
let state = noState(), from = camera({});
let cloud = null, scene = null, labels = null;
let moved = null; // {before, since} while models move
let waiting = false, stale = true;

function colours() {
  const by = element("colour").value;
  return coloursOf(state.trainings.map((one) => (by === "training" ? one.name : one[by])));
}

function shownPoints() {
  const now = state.models.point || [];
  if (!moved) return now;
  const t = (performance.now() - moved.since) / MOVING;
  if (t >= 1) {
    moved = null;
    return now;
  }
  later();
  return between(moved.before, now, t * t * (3 - 2 * t));
}

const size = () => [canvas.clientWidth, canvas.clientHeight];
const matrix = () => viewMatrix(from, ...size());

function rebuild() {
  const colour = colours(), all = rowsByTraining(state), points = shownPoints();
  const shown = state.trainings.flatMap((one, t) => (hidden.has(one.name) ? [] : [t]));
  const series = shown.map((t) => ({ rows: all[t], colour: colour[t] }));
  scene = watchScene(points, series, state.geodesic || null);
  const axes = (state.axes || []).map((kind, k) =>
    `dimension ${k + 1}${kind === "time-like" ? " (time-like)" : ""}`);
  labels = labelsOf(element("view"), axes, scene.ranges);
  if (cloud) cloud.set(withBox(scene));
  const { step = [] } = state.models, of = element("curves-of").value;
  const curve = (name) => shown.map((t) => ({ colour: colour[t],
    x: all[t].map((k) => step[k]), y: all[t].map((k) => state.models[name][k]) }));
  const x = { log: element("steps").value === "log" };
  const charts = [["progress", "progress towards the truth", "progress", { from: 0, to: 1 }],
    ["loss", `${of} loss, nats`, `${of}_loss`, { log: true }],
    ["error", `${of} error`, `${of}_error`, { from: 0 }]];
  for (const [id, title, name, y] of charts) {
    drawChart(element(id), { title, xTitle: "steps", series: curve(name), x, y });
  }
}

// Draw in the next picture of the screen; what is drawn is made anew if it is stale.
function later(changed = true) {
  stale ||= changed;
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (stale) {
      stale = false;
      rebuild();
    }
    if (!cloud) return;
    const m = matrix();
    cloud.draw(new Float32Array(m), behind(from));
    labels(from, m, ...size());
  });
}

function digits(value, write) {
  return value === null || value === undefined ? "" : write(value);
}

function row(training, colour, last) {
  const line = document.createElement("tr");
  const cell = (content) => {
    const one = document.createElement("td");
    one.append(content);
    line.append(one);
  };
  const label = document.createElement("label"), box = document.createElement("input");
  box.type = "checkbox";
  box.checked = !hidden.has(training.name);
  box.addEventListener("change", () => {
    if (box.checked) hidden.delete(training.name);
    else hidden.add(training.name);
    keep();
    later();
  });
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [of, value] of [[mark, 10], [square, 10]]) {
    of.setAttribute("width", value);
    of.setAttribute("height", value);
  }
  square.setAttribute("fill", colour);
  mark.append(square);
  const { name, network, optimiser, seed } = training;
  const known = optimiser === "unknown" ? network : `${network}, ${optimiser}`;
  label.append(box, mark, `${name} (${known}, seed ${seed})`);
  cell(label);
  const of = element("curves-of").value, model = (column) => state.models[column]?.[last];
  cell(digits(model("step"), (v) => v.toLocaleString("en")));
  cell(digits(model("progress"), (v) => v.toFixed(3)));
  cell(digits(model(`${of}_loss`), (v) => v.toPrecision(3)));
  cell(digits(model(`${of}_error`), (v) => `${(100 * v).toFixed(1)}%`));
  cell(trainingState(training));
  return line;
}

function write() {
  element("caption").textContent = caption(state);
  const problems = element("problems");
  problems.hidden = !state.problems.length;
  problems.replaceChildren(...state.problems.map((line) => {
    const one = document.createElement("p");
    one.textContent = line;
    return one;
  }));
  const colour = colours(), rows = rowsByTraining(state);
  element("trainings").tBodies[0].replaceChildren(...state.trainings.map((one, t) =>
    row(one, colour[t], rows[t][rows[t].length - 1])));
  element("events").hidden = !state.events.length;
  element("events").querySelector("ol").replaceChildren(...state.events.map(([at, line]) => {
    const one = document.createElement("li");
    one.textContent = `${new Date(1000 * at).toLocaleTimeString()}: ${line}`;
    return one;
  }));
}

function say(words, lost = false) {
  const status = element("status");
  if (status.textContent !== words) status.textContent = words;
  status.classList.toggle("lost", lost);
}

function point(event) {
  const k = event && cloud && scene ? cloud.find(matrix(), event) : -1;
  if (k < 0 || k >= scene.models) {
    const ends = { [-1]: "", [scene?.models]: "ignorance", [scene?.n - 1]: "truth" };
    element("pointed").textContent = ends[k] ?? "geodesic";
    return;
  }
  const { models } = state, one = state.trainings[models.training[k]];
  const parts = [`${one?.name}, step ${models.step[k].toLocaleString("en")}`];
  if (models.progress[k] !== null) parts.push(`progress ${models.progress[k].toFixed(3)}`);
  for (const split of ["train", "test"]) {
    const [loss, error] = [models[`${split}_loss`][k], models[`${split}_error`][k]];
    if (loss !== null) {
      parts.push(`${split} loss ${loss.toPrecision(3)}, error ${(100 * error).toFixed(1)}%`);
    }
  }
  element("pointed").textContent = parts.join("; ");
}

// The view and the choices are in the address, so that they are there after a reload.
function keep() {
  const chosen = ["colour", "curves-of", "steps"].map((id) => [id, element(id).value]);
  remember([...chosen, ...turnedBy(from), ...[...hidden].map((name) => ["hide", name])]);
}

function restore() {
  const hash = asked();
  from = camera(Object.fromEntries(hash));
  for (const id of ["colour", "curves-of", "steps"]) {
    const options = [...element(id).options].map((option) => option.value);
    if (options.includes(hash.get(id))) element(id).value = hash.get(id);
  }
  for (const name of hash.getAll("hide")) hidden.add(name);
}

let split = null;

function take(reply) {
  const before = state, fresh = reply.generation !== state.generation;
  state = merged(state, reply);
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  moved = fresh && count(before) && !still
    ? { before: placesBefore(state, before), since: performance.now() } : fresh ? null : moved;
  if (moved && !fresh) moved.before.length = count(state);
  if (split === null && state.split) {
    split = state.split;
    if (!asked().has("curves-of")) element("curves-of").value = split;
  }
  write();
  later();
}

async function ask() {
  try {
    const reply = await fetch(asks(state), { cache: "no-store" });
    if (reply.status === 200) take(await reply.json());
    else if (reply.status === 403) throw new Error((await reply.text()).trim());
    else if (reply.status !== 204) throw new Error(`the watcher answered ${reply.status}`);
    say(summary(state));
  } catch (error) {
    const why = error instanceof TypeError ? "the watcher has stopped, or was started again; " +
      "open the address that it printed" : error.message;
    say(`Not connected: ${why}`, true);
  }
  setTimeout(ask, EVERY);
}

const turn = (to) => {
  from = to;
  later(false);
};
turnable(canvas, { from: () => from, to: turn, hover: point, click: point, keys: {}, done: keep });
canvas.addEventListener("pointerleave", () => point(null));
element("reset").addEventListener("click", () => {
  turn(camera({}));
  keep();
});
for (const id of ["colour", "curves-of", "steps"]) {
  element(id).addEventListener("change", () => {
    keep();
    write();
    later();
  });
}
addEventListener("resize", () => later());
restore();
try {
  cloud = new Cloud(canvas);
  cloud.heads = true;
} catch (error) {
  element("view").textContent = `No picture: this browser has ${error.message}.`;
}
ask();
