// Models and the geodesic as vertices of a Cloud, the geodesic's after the models'; nothing of a
// page is used here.
"use strict";

// Vertices from three columns of coordinates, which are null where a model has no place.
function sceneOf(columns, models) {
  const n = columns[0].length, look = new Float32Array(2 * n);
  for (let i = 0; i < n; i++) {
    look[2 * i + 1] = Number(columns.every((values) => values[i] !== null));
  }
  return { n, models, columns, look, place: new Float32Array(3 * n),
    colour: new Uint8Array(4 * n).fill(255), time: new Float32Array(2 * n).fill(-EVER) };
}

// Put a scene's points into the cube around those that are shown.
function fit(scene, look) {
  const shown = (values) => values.map((v, i) => (look[2 * i + 1] ? v : null));
  scene.ranges = scene.columns.map((values) => rangeOf(shown(values)));
  scene.ranges.forEach(([low, high], k) => scene.columns[k].forEach((v, i) => {
    scene.place[3 * i + k] = 2 * (v - low) / (high - low) - 1;
  }));
}

// Join vertices: pairs of models, then the geodesic, which is black.
function join(scene, pairs) {
  const { n, models } = scene, curve = [];
  for (let i = models; i < n; i++) {
    scene.colour.set([0, 0, 0], 4 * i);
    if (i > models) curve.push(i - 1, i);
  }
  if (n > models) {
    scene.look[2 * models] = 1; // a square at ignorance
    scene.look[2 * (n - 1)] = 2; // a diamond at the truth
  }
  scene.pairs = Uint32Array.from([...pairs, ...curve]);
  scene.joined = pairs.length;
  scene.others = curve.length;
}
