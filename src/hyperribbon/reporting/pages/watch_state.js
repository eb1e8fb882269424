// What the watcher's page knows, brought up to date by each reply; nothing of a page is used here.
"use strict";

// Okabe and Ito's colours, then some of Tol's, as in the figures.
const COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#882255",
  "#332288", "#999933", "#999999"];

function noState() {
  return { version: -1, generation: -1, models: {}, trainings: [], problems: [], events: [] };
}

function count(state) {
  return (state.models.step || []).length;
}

// Address of what is new to a state.
function asks(state) {
  return `state?version=${state.version}&generation=${state.generation}&first=${count(state)}`;
}

// A state with a reply's models after those that it continues, or in place of all.
function merged(state, reply) {
  const { first, models: added, ...about } = reply, models = {};
  for (const [name, column] of Object.entries(added)) {
    models[name] = [...(first ? state.models[name].slice(0, first) : []), ...column];
  }
  return { ...about, models };
}

// Rows of each training's models, by their steps.
function rowsByTraining(state) {
  const rows = state.trainings.map(() => []);
  (state.models.training || []).forEach((t, k) => rows[t] && rows[t].push(k));
  const { step } = state.models;
  for (const some of rows) some.sort((a, b) => step[a] - step[b]);
  return rows;
}

// A colour by its hue and lightness, both from 0 to 1, and a saturation of 70%.
function hue(h, lightness) {
  const a = 0.7 * Math.min(lightness, 1 - lightness);
  const of = (n) => {
    const k = (n + 12 * h) % 12;
    const value = lightness - a * Math.max(-1, Math.min(k - 3, 9 - k, 1));
    return Math.round(255 * value).toString(16).padStart(2, "0");
  };
  return `#${of(0)}${of(8)}${of(4)}`;
}

// One colour per name, by order of first appearance.
function coloursOf(names) {
  const different = [...new Set(names)];
  const colour = (k) => different.length <= COLOURS.length ? COLOURS[k]
    : hue(k / different.length, k % 2 ? 0.35 : 0.48);
  const of = new Map(different.map((name, k) => [name, colour(k)]));
  return names.map((name) => of.get(name));
}

// Where models are on their way from one place to another: t from 0 to 1.
function between(before, after, t) {
  return after.map((p, k) => {
    const q = before[k];
    if (!p || !q || p[0] === null || q[0] === null) return p;
    return p.map((v, i) => q[i] + t * (v - q[i]));
  });
}

// Where the models of a state were in another one; null where they were not there.
function placesBefore(state, before) {
  const name = (of, k) => `${of.models.step[k]} ${of.trainings[of.models.training[k]]?.name}`;
  const known = new Map();
  for (let k = 0; k < count(before); k++) known.set(name(before, k), before.models.point[k]);
  return Array.from({ length: count(state) }, (_, k) => known.get(name(state, k)) || null);
}

function plural(n, word) {
  return `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
}

// One line about what is shown.
function summary(state) {
  if (!state.trainings.length) {
    return `Nothing is recorded yet in ${(state.watched || []).join(", ") || "…"}`;
  }
  const parts = [plural(state.trainings.length, "training"), plural(count(state), "checkpoint")];
  if (state.samples) parts.push(`${state.samples.toLocaleString("en")} ${state.split} samples`);
  if (state.waiting) parts.push(`${state.waiting.toLocaleString("en")} more to be read`);
  return parts.join(", ");
}

function caption(state) {
  if (!state.axes || !state.axes.length) return "The picture begins with the second checkpoint.";
  const stress = state.explained_stress;
  const said = stress === null ? "All models are in one point."
    : `Explained stress of three dimensions: ${(100 * stress).toFixed(1)}%.`;
  return state.references < count(state)
    ? `${said} Embedded: ${state.references.toLocaleString("en")}; the others are placed.` : said;
}

function trainingState({ finished, diverged }) {
  if (diverged !== null) return `diverged at step ${diverged}`;
  return finished ? "finished" : "recording";
}
