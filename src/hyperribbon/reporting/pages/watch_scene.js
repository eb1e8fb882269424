// Models of shown trainings, and the geodesic, as the class Cloud takes them; nothing of a page is
// used here.
"use strict";

// `points` of all models, null where there is none; for each shown training its `rows`, in the
// order of steps, and its `colour`; the `curve` from ignorance to the truth, or null. The last
// model of each training is larger than others.
function watchScene(points, series, curve) {
  const n = points.length, ends = curve || [], total = n + ends.length;
  const there = new Array(total).fill(false);
  for (const { rows } of series) for (const k of rows) there[k] = Boolean(points[k]);
  ends.forEach((_, k) => { there[n + k] = true; });
  const all = [...points, ...ends];
  const known = all.map((p, k) => (there[k] && p[0] !== null ? p : null));
  const ranges = [0, 1, 2].map((axis) => rangeOf(known.map((p) => (p ? p[axis] : null))));
  const scene = { n: total, models: n, ranges, place: new Float32Array(3 * total),
    colour: new Uint8Array(4 * total).fill(255), time: new Float32Array(2 * total).fill(-EVER),
    look: new Float32Array(2 * total) };
  known.forEach((p, k) => {
    if (!p) return;
    scene.look[2 * k + 1] = 1;
    ranges.forEach(([low, high], axis) => {
      scene.place[3 * k + axis] = 2 * (p[axis] - low) / (high - low) - 1;
    });
  });
  const pairs = [];
  for (const { rows, colour } of series) {
    const shown = rows.filter((k) => known[k]);
    for (const k of shown) scene.colour.set(rgb(colour), 4 * k);
    shown.slice(1).forEach((k, j) => pairs.push(shown[j], k));
    if (shown.length) scene.time[2 * shown[shown.length - 1] + 1] = 2 * EVER;
  }
  scene.joined = pairs.length;
  scene.others = 2 * Math.max(ends.length - 1, 0);
  for (let k = n; k < total; k++) {
    scene.colour.set([0, 0, 0], 4 * k);
    if (k > n) pairs.push(k - 1, k);
  }
  if (ends.length) {
    scene.look[2 * n] = 1; // a square at ignorance
    scene.look[2 * (total - 1)] = 2; // a diamond at the truth
  }
  scene.pairs = Uint32Array.from(pairs);
  return scene;
}
