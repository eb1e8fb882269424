// The box around a cloud: its grid, as lines of a Cloud, and the words beside it.
"use strict";

const GREY = [205, 205, 205, 255];

// Ends of the lines of a grid on each face: of axis k, that at -1 and that at +1.
function boxOf(ranges) {
  const marks = ranges.map(([low, high]) =>
    [-1, ...ticks(low, high).map((v) => 2 * (v - low) / (high - low) - 1), 1]);
  const place = [], faces = [];
  for (let axis = 0; axis < 3; axis++) {
    const [a, b] = [0, 1, 2].filter((k) => k !== axis);
    for (const side of [-1, 1]) {
      const first = place.length / 3;
      for (const [along, across] of [[a, b], [b, a]]) {
        for (const mark of marks[across]) {
          for (const end of [-1, 1]) {
            const point = [0, 0, 0];
            [point[axis], point[along], point[across]] = [side, end, mark];
            place.push(...point);
          }
        }
      }
      faces.push([first, place.length / 3 - first]);
    }
  }
  return { place, faces };
}

// A scene with its box, whose faces are pairs at the end.
function withBox(scene) {
  const { place, faces } = boxOf(scene.ranges), { n } = scene, more = place.length / 3;
  const longer = (values, size, fill) => {
    const found = new values.constructor(size * (n + more));
    found.set(values);
    for (let i = n; i < n + more; i++) found.set(fill, size * i);
    return found;
  };
  const all = { place: longer(scene.place, 3, [0, 0, 0]), colour: longer(scene.colour, 4, GREY),
    time: longer(scene.time, 2, [-EVER, -EVER]), look: longer(scene.look, 2, [0, 1]) };
  all.place.set(place, 3 * n);
  const box = Array.from({ length: more }, (_, k) => n + k), { length } = scene.pairs;
  return { ...scene, ...all, pairs: Uint32Array.from([...scene.pairs, ...box]),
    faces: faces.map(([first, count]) => [length + first, count]) };
}

// Numbers of the faces that the eye sees from inside.
function behind(from) {
  return facing(from).flatMap((of, axis) => [0, 1].filter((k) => !of[k]).map((k) => 2 * axis + k));
}

// Where the words of an axis are: its ticks along the rim, and its name beside them.
function wordsOf(axis, name, range, from, m, width, height) {
  const signs = rim(axis, from, m, width, height), others = [0, 1, 2].filter((k) => k !== axis);
  const at = (share) => {
    const point = [0, 0, 0];
    point[axis] = share;
    others.forEach((k, j) => { point[k] = signs[j]; });
    return projected(m, point, width, height);
  };
  const centre = projected(m, [0, 0, 0], width, height), middle = at(0);
  const [dx, dy] = [middle[0] - centre[0], middle[1] - centre[1]];
  const length = Math.hypot(dx, dy) || 1;
  const outside = ([x, y], by) => [x + by * dx / length, y + by * dy / length];
  const [low, high] = range;
  // Beyond the ticks, by half of its own length where the axis is steep.
  const by = 30 + 3.3 * name.length * Math.abs(dx) / length;
  const place = axis === 2 ? outside(at(1.12), 10) : outside(middle, by); // above the vertical one
  return [{ words: name, place, name: true },
    ...ticks(low, high).map((v) => ({ words: String(v), name: false,
      place: outside(at(2 * (v - low) / (high - low) - 1), 14) }))];
}

// Function that puts the words of all axes over a picture; those of before go.
function labelsOf(view, axes, ranges) {
  view.querySelectorAll(".label").forEach((old) => old.remove());
  let spans = [];
  return (from, m, width, height) => {
    const words = axes.flatMap((name, k) => wordsOf(k, name, ranges[k], from, m, width, height));
    while (spans.length < words.length) {
      const span = document.createElement("span");
      view.append(span);
      spans.push(span);
    }
    spans.forEach((span, k) => {
      const { words: text, place: [x, y], name } = words[k];
      if (span.textContent !== text) span.textContent = text;
      span.className = name ? "label axis" : "label";
      // The name of an axis stays in the picture, however narrow.
      const half = name ? span.offsetWidth / 2 : 0;
      span.style.left = `${Math.max(half, Math.min(x, width - half))}px`;
      span.style.top = `${name ? Math.max(8, Math.min(y, height - 8)) : y}px`;
    });
    return words;
  };
}
