// Turning, shifting and zooming a picture by mouse, fingers or keys.
"use strict";

const TURN = 0.08; // radians per key
const STILL = 5; // pixels that a click may move

const turned = (from, yaw, pitch) =>
  camera({ ...from, yaw: from.yaw + yaw, pitch: from.pitch + pitch });
const zoomed = (from, by) => camera({ ...from, zoom: from.zoom * by });

// Cameras after a key.
const TURNS = {
  ArrowLeft: (from) => turned(from, -TURN, 0), ArrowRight: (from) => turned(from, TURN, 0),
  ArrowUp: (from) => turned(from, 0, TURN), ArrowDown: (from) => turned(from, 0, -TURN),
  "+": (from) => zoomed(from, 1.15), "=": (from) => zoomed(from, 1.15),
  "-": (from) => zoomed(from, 1 / 1.15), 0: () => camera({}),
};

// The camera after a finger, or the mouse, moved; another finger may be down.
function dragged(from, before, now, other, side) {
  const [dx, dy] = [now.clientX - before.clientX, now.clientY - before.clientY];
  if (other) {
    const apart = (f) => Math.hypot(f.clientX - other.clientX, f.clientY - other.clientY) || 1;
    return zoomed(from, apart(now) / apart(before));
  }
  if (now.shiftKey || now.buttons === 2) {
    const scale = 2 * RADIUS / side / from.zoom;
    return camera({ ...from, x: from.x + scale * dx, y: from.y - scale * dy });
  }
  return turned(from, -5 * dx / side, 5 * dy / side);
}

// Let a canvas be turned. `from()` is the camera and `to(camera)` takes the next one; `hover` and
// `click` are told of events, `keys` are functions by key; `done` is called when the hand rests.
function turnable(canvas, { from, to, hover, click, keys, done }) {
  const fingers = new Map();
  let moved = 0, later;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, event);
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return hover(event);
    const other = [...fingers.values()].find((finger) => finger !== before);
    moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
    fingers.set(event.pointerId, event);
    const side = Math.min(canvas.clientWidth, canvas.clientHeight);
    return to(dragged(from(), before, event, other, side));
  });
  canvas.addEventListener("pointerup", (event) => {
    if (moved < STILL && fingers.size === 1) click(event);
    fingers.delete(event.pointerId);
    done();
  });
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    to(zoomed(from(), Math.exp(-0.001 * event.deltaY)));
    clearTimeout(later);
    later = setTimeout(done, 200);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (Object.hasOwn(TURNS, event.key)) to(TURNS[event.key](from()));
    else if (Object.hasOwn(keys, event.key)) keys[event.key]();
    else return;
    event.preventDefault();
    done();
  });
}
