// What the explorer shows, from its data and what is chosen; nothing of a page is used here.
"use strict";

const OUTSIDE_GREY = [153, 153, 153];

function ofSplit(both, split) {
  return both[split] || Object.values(both)[0];
}

// "epoch", or "step" of recordings that do not know how long an epoch is.
function timeOf(data) {
  return "epoch" in data.values ? "epoch" : "step";
}

// What the slider can follow: the time of training, and progress if it is known.
function clocks(data) {
  return [timeOf(data), "progress"].filter((name) => name in data.values);
}

// A colour between those of a map, at a share of its length.
function mapped(colours, share) {
  const at = Math.min(Math.max(share, 0), 1) * (colours.length - 1), k = Math.floor(at);
  const [low, high] = [rgb(colours[k]), rgb(colours[Math.min(k + 1, colours.length - 1)])];
  return low.map((c, j) => Math.round(c + (at - k) * (high[j] - c)));
}

// How a column becomes shares of its range, with the ticks of its bar. Times have a logarithmic
// scale, on which 0 is half the smallest other value.
function scaleOf(values, [bottom, top], logarithmic) {
  if (!logarithmic) {
    const of = (v) => (v - bottom) / (top - bottom || 1);
    return { share: of, ticks: ticks(bottom, top).map((v) => [of(v), String(v)]) };
  }
  const least = values.reduce((a, v) => (v > 0 && v < a ? v : a), Infinity);
  const low = Math.log10(least / 2), high = Math.log10(top);
  const of = (v) => (Math.log10(v > 0 ? v : least / 2) - low) / (high - low || 1);
  const found = [[0, "0"]];
  for (let p = Math.ceil(Math.log10(least)); p <= high; p++) {
    const v = Number((10 ** p).toPrecision(1));
    found.push([of(v), String(v)]);
  }
  return { share: of, ticks: found };
}

// Runs of the models in some rows: their rows in order of time, and names as short as they can be.
function runsOf(data, split, rows) {
  const keys = ["study", "configuration", "seed"].filter((name) => name in data.categories);
  const codes = keys.map((name) => ofSplit(data.categories[name].codes, split));
  const when = ofSplit(data.values[timeOf(data)].of, split);
  const found = new Map();
  rows.forEach((i, k) => {
    const key = codes.map((of) => of[i]).join();
    if (!found.has(key)) found.set(key, { first: i, members: [] });
    found.get(key).members.push(k);
  });
  const several = (name) => data.categories[name].names.length > 1;
  return [...found.values()].map(({ first, members }) => {
    const words = {};
    keys.forEach((name, j) => { words[name] = data.categories[name].names[codes[j][first]]; });
    const parts = [words.configuration];
    if ("study" in words && several("study")) parts.unshift(`${words.study}:`);
    if ("seed" in words && several("seed")) parts.push(`seed ${words.seed}`);
    members.sort((a, b) => when[rows[a]] - when[rows[b]]);
    return { name: parts.join(" "), members };
  });
}

// Whether a run's name has all words of a text, in whatever order and case.
function matches(name, text) {
  const low = name.toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => low.includes(word));
}

// Points and lines of the models in one metric on one split, as the class Cloud takes them.
function explorerScene(data, { split, metric, colour, clock }) {
  const { rows: sample, points } = data.embeddings[metric];
  const xyz = points[split];
  const rows = sample ? ofSplit(sample, split) : xyz[0].map((_, k) => k);
  const curve = metric === "bhattacharyya" && data.curves[split];
  const columns = xyz.map((values, k) => (curve ? values.concat(curve.points[k]) : values));
  const scene = Object.assign(sceneOf(columns, rows.length),
    { rows, groups: [], bar: null, group: null, alpha: curve ? curve.alpha : [] });
  fit(scene, scene.look);

  const values = colour in data.values ? ofSplit(data.values[colour].of, split) : null;
  if (values) {
    const { label, range } = data.values[colour];
    const scale = scaleOf(rows.map((i) => values[i]), range, colour === timeOf(data));
    rows.forEach((i, k) => scene.colour.set(
      values[i] === null ? OUTSIDE_GREY : mapped(data.colours, scale.share(values[i])), 4 * k));
    scene.bar = { label, ticks: scale.ticks };
  } else {
    const { names, colours, codes: both } = data.categories[colour];
    const codes = ofSplit(both, split);
    scene.group = rows.map((i) => codes[i]);
    const counts = names.map(() => 0);
    scene.group.forEach((c, k) => {
      scene.colour.set(c >= 0 ? rgb(colours[c]) : OUTSIDE_GREY, 4 * k);
      if (c >= 0) counts[c] += 1;
    });
    scene.groups = names.map((name, code) => ({ code, count: counts[code], colour: colours[code],
      name: colour === "seed" ? `seed ${name}` : name })).filter(({ count }) => count);
  }

  scene.runs = runsOf(data, split, rows);
  scene.run = new Int32Array(rows.length);
  const pairs = [], when = ofSplit(data.values[clock].of, split);
  scene.runs.forEach(({ members }, r) => members.forEach((k, j) => {
    const next = members[j + 1];
    scene.run[k] = r;
    scene.time.set([when[rows[k]] ?? -EVER, next === undefined ? EVER : when[rows[next]] ?? EVER],
      2 * k);
    if (next !== undefined) pairs.push(k, next);
  }));
  join(scene, pairs);
  scene.moments = momentsOf(rows.map((i) => when[i]), clock);
  return Object.assign(scene, titles(data, split, metric, rows.length));
}

// Where the slider stops: at every time, or at a hundred steps of progress.
function momentsOf(times, clock) {
  const known = times.filter((v) => v !== null).sort((a, b) => a - b);
  if (clock !== "progress" || !known.length) return [...new Set(known)];
  const [low, high] = [known[0], known[known.length - 1]];
  return Array.from({ length: 101 }, (_, k) => low + (high - low) * k / 100);
}

function titles(data, split, metric, n) {
  const found = `${split} predictions: ${n.toLocaleString("en")}`;
  if (metric !== "bhattacharyya") {
    return { axes: ["PC1", "PC2", "PC3"],
      title: `${found} sampled models, ${data.metrics[metric]} metric` };
  }
  const stress = data.stress[split];
  const words = stress === null ? "models, all in one point" :
    `models, explained stress of three dimensions ${Math.round(100 * stress)}%`;
  return { axes: data.axes[split], title: `${found} ${words}` };
}

// What a point is, in lines of text; the model's row in the tables, or -1 of the geodesic.
function aboutPoint(data, scene, split, k) {
  if (k >= scene.models) {
    const of = scene.n - scene.models, j = k - scene.models;
    const name = j === 0 ? "ignorance" : j === of - 1 ? "truth" :
      `geodesic, ${scene.alpha[j].toFixed(2)}`;
    return { lines: [name], row: -1 };
  }
  const row = scene.rows[k], time = timeOf(data);
  const value = (name) => (name in data.values ? ofSplit(data.values[name].of, split)[row] : null);
  const at = value(time), lines = [scene.runs[scene.run[k]].name];
  lines.push(`${time} ${time === "epoch" ? Number(at.toPrecision(3)) : at}`);
  const [loss, error, progress] = ["loss", "error", "progress"].map(value);
  if (loss !== null) lines.push(`loss ${loss.toPrecision(4)} nats`);
  if (error !== null) lines.push(`error ${(100 * error).toFixed(2)}%`);
  if (progress !== null) lines.push(`progress ${progress.toFixed(3)}`);
  return { lines, row };
}

// Which models are shown (not those of hidden groups, or of runs that a text does not match), and
// how bright: those of other runs than the chosen one, which may be null, are faint.
function shownModels(scene, { hidden, find, run }) {
  const found = scene.runs.map(({ name }) => matches(name, find));
  const look = scene.look.slice(), colour = scene.colour.slice();
  for (let k = 0; k < scene.models; k++) {
    const out = scene.group && hidden.has(scene.group[k]);
    if (out || !found[scene.run[k]]) look[2 * k + 1] = 0;
    if (run !== null && scene.run[k] !== run) colour[4 * k + 3] = 28;
  }
  return { look, colour, runs: found.filter(Boolean).length };
}
