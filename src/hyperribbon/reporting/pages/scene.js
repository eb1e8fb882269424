// Points and lines in three coordinates on a canvas, turned by hand; shared by pages. Drawing, the
// only part that needs a canvas, is apart from the numbers.
"use strict";

const HOME = { yaw: -0.6, pitch: 0.35, zoom: 1 };
const NEAR = 12; // pixels from a point that still point at it

// Rows of the rotation that turns by yaw about the third axis, then tips by pitch.
function rotation({ yaw, pitch }) {
  const [c, s, C, S] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
  return [[c, -s, 0], [s * S, c * S, C], [-s * C, -c * C, S]];
}

// Centre and half the diagonal of what is shown; a single point is given some room.
function extent(points) {
  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  for (const p of points) {
    if (!p || p[0] === null) continue;
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k], p[k]);
      high[k] = Math.max(high[k], p[k]);
    }
  }
  if (!Number.isFinite(low[0])) return { centre: [0, 0, 0], half: [1, 1, 1], radius: Math.sqrt(3) };
  const half = low.map((v, k) => (high[k] - v) / 2), radius = Math.hypot(...half);
  return { centre: low.map((v, k) => v + half[k]), half, radius: radius || 1 };
}

// Function from a point to its place on a canvas, in pixels, and its depth, larger being nearer.
// At zoom 1, the box around what is shown fits whatever the yaw.
function projector({ centre, half, radius }, view, width, height) {
  const [right, up, near] = rotation(view);
  const flat = Math.hypot(half[0], half[1]);
  const high = Math.abs(up[2]) * half[2] + Math.abs(near[2]) * flat;
  const scale = view.zoom * 0.44 *
    Math.min(width / (flat || radius), height / (high || radius), 4 * width / radius);
  const along = (row, p) =>
    row[0] * (p[0] - centre[0]) + row[1] * (p[1] - centre[1]) + row[2] * (p[2] - centre[2]);
  return (p) => [width / 2 + scale * along(right, p), height / 2 - scale * along(up, p),
    along(near, p)];
}

// The point nearest to a place, within some pixels; of two there, the one in front. -1 if none is.
function nearest(places, x, y, within = NEAR) {
  let found = -1, best = within, depth = -Infinity;
  places.forEach((place, k) => {
    if (!place) return;
    const distance = Math.hypot(place[0] - x, place[1] - y);
    if (distance < best - 1 || (distance <= best + 1 && distance <= within && place[2] > depth)) {
      [found, best, depth] = [k, distance, place[2]];
    }
  });
  return found;
}

// The twelve edges of the box around what is shown, each with the axis that it is parallel to.
function boxEdges({ centre, half }) {
  const edges = [];
  for (let axis = 0; axis < 3; axis++) {
    for (const u of [-1, 1]) {
      for (const v of [-1, 1]) {
        const [a, b] = [0, 1, 2].filter((k) => k !== axis);
        const from = [...centre], to = [...centre];
        for (const end of [from, to]) {
          end[a] += u * half[a];
          end[b] += v * half[b];
        }
        from[axis] -= half[axis];
        to[axis] += half[axis];
        edges.push({ axis, from, to });
      }
    }
  }
  return edges;
}

// A canvas as large as its element on a screen of any resolution; its context, in CSS pixels.
function prepared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas, ratio = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

// Draw a scene: points (null where there is none), series of {rows, colour, width} through them,
// a curve with its ends' names, and the names of the axes. Returns the places of the points.
function drawScene(canvas, { points, series, curve, ends, axes, extentOf }, view) {
  const { context, width, height } = prepared(canvas);
  const room = extentOf || extent([...points, ...(curve || [])]);
  const place = projector(room, view, width, height);
  const places = points.map((p) => (p && p[0] !== null ? place(p) : null));
  context.font = "12px sans-serif";
  context.lineJoin = "round";

  context.strokeStyle = "#e4e4e4";
  context.lineWidth = 1;
  const named = {};
  for (const { axis, from, to } of boxEdges(room)) {
    const [a, b] = [place(from), place(to)];
    context.beginPath();
    context.moveTo(a[0], a[1]);
    context.lineTo(b[0], b[1]);
    context.stroke();
    const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    // The first two axes are named below the picture, the third one on its left.
    const rank = axis < 2 ? middle[1] : -middle[0];
    if (!(axis in named) || rank > named[axis].rank) named[axis] = { middle, rank };
  }
  // Words that keep their distance from the edges, with a rim that sets them off.
  const write = (words, x, y, colour) => {
    const half = context.measureText(words).width / 2 + 4;
    const at = [Math.max(half, Math.min(x, width - half)), Math.max(13, Math.min(y, height - 5))];
    context.textAlign = "center";
    context.strokeStyle = "#fff";
    context.lineWidth = 3;
    context.strokeText(words, ...at);
    context.fillStyle = colour;
    context.fillText(words, ...at);
  };

  const line = (of) => {
    context.beginPath();
    let begun = false;
    for (const at of of) {
      if (!at) continue;
      if (begun) context.lineTo(at[0], at[1]);
      else context.moveTo(at[0], at[1]);
      begun = true;
    }
    context.stroke();
  };
  const words = axes.map((name, k) => [name, named[k].middle[0] + (k < 2 ? 0 : 4),
    named[k].middle[1] + (k < 2 ? 15 : 0), "#666"]);
  if (curve) {
    const of = curve.map(place);
    context.strokeStyle = context.fillStyle = "#000";
    context.lineWidth = 1.5;
    context.setLineDash([5, 4]);
    line(of);
    context.setLineDash([]);
    for (const [x, y] of [of[0], of[of.length - 1]]) context.fillRect(x - 3, y - 3, 6, 6);
    words.push(...[of[0], of[of.length - 1]].map(([x, y], k) => [ends[k], x, y + 17, "#000"]));
  }
  for (const { rows, colour, width: thick = 1 } of series) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = thick;
    context.globalAlpha = 0.75;
    line(rows.map((k) => places[k]));
    context.globalAlpha = 1;
    const side = rows.length > 300 ? 3 : 4;
    for (const k of rows) {
      if (places[k]) context.fillRect(places[k][0] - side / 2, places[k][1] - side / 2, side, side);
    }
    const last = places[rows[rows.length - 1]];
    if (last) {
      context.beginPath();
      context.arc(last[0], last[1], 5, 0, 2 * Math.PI);
      context.fill();
    }
  }
  for (const one of words) write(...one);
  return places;
}

// Let a canvas be turned, zoomed and pointed at. `turned` is called with each new view, `pointed`
// with a place in pixels, or with null when the pointer leaves.
function turnable(canvas, view, turned, pointed) {
  const held = new Map();
  const change = (changes) => {
    Object.assign(view, changes);
    view.pitch = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, view.pitch));
    view.zoom = Math.max(0.2, Math.min(50, view.zoom));
    turned(view);
  };
  const apart = () => {
    const [a, b] = [...held.values()];
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, [event.offsetX, event.offsetY]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId), now = [event.offsetX, event.offsetY];
    if (!before) return pointed(now);
    const distance = held.size > 1 ? apart() : 0;
    held.set(event.pointerId, now);
    if (held.size > 1) return change({ zoom: view.zoom * apart() / (distance || 1) });
    return change({ yaw: view.yaw - (now[0] - before[0]) / 150,
      pitch: view.pitch + (now[1] - before[1]) / 150 });
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => held.delete(event.pointerId));
  }
  canvas.addEventListener("click", (event) => pointed([event.offsetX, event.offsetY]));
  canvas.addEventListener("pointerleave", () => held.size || pointed(null));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    change({ zoom: view.zoom * Math.exp(-event.deltaY / 500) });
  }, { passive: false });
  canvas.addEventListener("dblclick", () => change(HOME));
  const keys = { ArrowLeft: { yaw: 0.1 }, ArrowRight: { yaw: -0.1 }, ArrowUp: { pitch: 0.1 },
    ArrowDown: { pitch: -0.1 } };
  canvas.addEventListener("keydown", (event) => {
    const [by] = Object.entries(keys[event.key] || {});
    if (by) change({ [by[0]]: view[by[0]] + by[1] });
    else if (event.key === "+" || event.key === "=") change({ zoom: view.zoom * 1.15 });
    else if (event.key === "-") change({ zoom: view.zoom / 1.15 });
    else if (event.key === "0") change(HOME);
    else return;
    event.preventDefault();
  });
  return change;
}
