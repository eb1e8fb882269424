// Where points of a cube, -1 to 1 on each axis, are on the screen; nothing of a page is used here.
"use strict";

const RADIUS = 1.75; // of the cube, with some room for what is written around it
const DISTANCE = 6; // of the eye

const FRONT = { yaw: 0.785, pitch: 0.49, zoom: 1, x: 0, y: 0 };

// A camera within its limits, so that an address cannot show nothing.
function camera(given) {
  const of = (name, least, most) => {
    const value = Number(given[name] ?? FRONT[name]);
    return Number.isFinite(value) ? Math.min(Math.max(value, least), most) : FRONT[name];
  };
  const yaw = of("yaw", -1e3, 1e3) % (2 * Math.PI);
  return { yaw, pitch: of("pitch", -1.55, 1.55), zoom: of("zoom", 0.3, 40),
    x: of("x", -20, 20), y: of("y", -20, 20) };
}

// Direction from the centre to the eye.
function towards({ yaw, pitch }) {
  return [Math.cos(pitch) * Math.cos(yaw), Math.cos(pitch) * Math.sin(yaw), Math.sin(pitch)];
}

// The matrix of a perspective view, 16 numbers column by column, as WebGL takes it. The cube fits
// into the smaller of width and height; the camera's x and y shift it, in units of the cube.
function viewMatrix(from, width, height) {
  const [sy, cy, sp, cp] = [Math.sin(from.yaw), Math.cos(from.yaw), Math.sin(from.pitch),
    Math.cos(from.pitch)];
  const right = [-sy, cy, 0], up = [-sp * cy, -sp * sy, cp], eye = towards(from);
  const scale = 0.95 * from.zoom * DISTANCE / RADIUS, side = Math.min(width, height);
  const [fx, fy] = [scale * side / width, scale * side / height];
  const near = DISTANCE - RADIUS, far = DISTANCE + RADIUS;
  const a = (far + near) / (far - near), b = -2 * far * near / (far - near);
  const found = [];
  for (let k = 0; k < 3; k++) found.push(fx * right[k], fy * up[k], -a * eye[k], -eye[k]);
  return [...found, fx * from.x, fy * from.y, a * DISTANCE + b, DISTANCE];
}

// Place on the screen, in pixels from the upper left corner, and distance from the eye.
function projected(m, [x, y, z], width, height) {
  const w = m[3] * x + m[7] * y + m[11] * z + m[15];
  const u = (m[0] * x + m[4] * y + m[8] * z + m[12]) / w;
  const v = (m[1] * x + m[5] * y + m[9] * z + m[13]) / w;
  return [(1 + u) / 2 * width, (1 - v) / 2 * height, w];
}

// The point that is nearest to a place on the screen, or -1 if none is within some pixels; of
// points on top of each other, the one in front. Only points that `there` says are looked at.
function nearest(m, places, there, [x, y], width, height, within) {
  let best = -1, least = within * within, depth = Infinity;
  for (let i = 0; 3 * i < places.length; i++) {
    if (!there(i)) continue;
    const [u, v, w] = projected(m, places.subarray(3 * i, 3 * i + 3), width, height);
    const square = (u - x) ** 2 + (v - y) ** 2;
    // Within two pixels, what is in front counts.
    if (square < least - 4 || (square <= Math.max(least, 4) && w < depth)) {
      [best, least, depth] = [i, Math.min(square, least), w];
    }
  }
  return best;
}

// About four round numbers within a range.
function ticks([low, high]) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((size) => size >= rough * 0.8);
  if (!Number.isFinite(step)) return [];
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

// Which faces of the cube the eye sees from outside: of axis k, [at -1, at +1].
function facing(from) {
  return towards(from).map((e) => [-DISTANCE * e > 1, DISTANCE * e > 1]);
}

// The edge of the cube along an axis that is at the rim of what one sees, and lowest on the screen,
// or leftmost for the vertical axis: the signs of the two other axes, in their order.
function rim(axis, from, m, width, height) {
  const others = [0, 1, 2].filter((k) => k !== axis), front = facing(from);
  const at = (signs) => {
    const middle = [0, 0, 0];
    others.forEach((k, j) => { middle[k] = signs[j]; });
    return projected(m, middle, width, height);
  };
  const signs = [[-1, -1], [-1, 1], [1, -1], [1, 1]];
  const seen = (pair) => others.map((k, j) => front[k][pair[j] > 0 ? 1 : 0]);
  const edges = signs.filter((pair) => seen(pair).filter(Boolean).length === 1);
  const order = axis === 2 ? (p) => at(p)[0] : (p) => -at(p)[1];
  return (edges.length ? edges : signs).sort((p, q) => order(p) - order(q))[0];
}
