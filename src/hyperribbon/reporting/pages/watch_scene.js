// Models of shown trainings, and the geodesic, as the class Cloud takes them; nothing of a page is
// used here.
"use strict";

// `points` of all models, null where there is none; for each shown training its `rows`, in the
// order of steps, and its `colour`; the `curve` from ignorance to the truth, or null. The last
// model of each training is larger than others.
function watchScene(points, series, curve) {
  const all = [...points, ...(curve || [])];
  const columns = [0, 1, 2].map((axis) => all.map((p) => (p ? p[axis] : null)));
  const scene = sceneOf(columns, points.length), { look } = scene;
  const chosen = new Set(series.flatMap(({ rows }) => rows));
  for (let k = 0; k < points.length; k++) if (!chosen.has(k)) look[2 * k + 1] = 0;
  fit(scene, look);
  const pairs = [];
  for (const { rows, colour } of series) {
    const shown = rows.filter((k) => look[2 * k + 1]);
    for (const k of shown) scene.colour.set(rgb(colour), 4 * k);
    shown.slice(1).forEach((k, j) => pairs.push(shown[j], k));
    if (shown.length) scene.time[2 * shown[shown.length - 1] + 1] = 2 * EVER;
  }
  join(scene, pairs);
  return scene;
}
