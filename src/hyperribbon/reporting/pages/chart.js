// Curves against a number, such as steps, on a canvas; shared by pages.
"use strict";

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

// Whole powers of ten from low to high, thinned out if there are many; with their doubles and fives
// if there are few, and both ends if there is no number at all.
function powers(low, high, count = 5) {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  if (last - first < 2) {
    const some = [];
    for (let p = first - 1; p <= last + 1; p++) some.push(...[1, 2, 5].map((k) => k * 10 ** p));
    const there = some.filter((v) => v >= low * 0.999 && v <= high * 1.001);
    return there.length ? there.map((v) => Number(v.toPrecision(12))) : [low, high];
  }
  const every = Math.max(1, Math.ceil((last - first + 1) / count)), found = [];
  for (let p = first; p <= last; p += every) found.push(10 ** p);
  return found;
}

// Words for a number on an axis: at most four digits, and no long row of zeros.
function shortNumber(value) {
  const size = Math.abs(value);
  if (size >= 1e9) return `${Number((value / 1e9).toPrecision(3))}G`;
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
  if (size && size < 1e-3) return value.toExponential(0);
  return String(Number(value.toPrecision(4)));
}

// The axis of values: its ends, where a value is on it from 0 to 1, and its ticks. On a logarithmic
// axis 0, such as the step of a network that has not been trained, is where half of the smallest
// other value is.
function axisOf(values, { log = false, from = null, to = null, count = 5 } = {}) {
  const there = values.filter((v) => v !== null && Number.isFinite(v) && (!log || v > 0));
  let low = there.reduce((a, v) => Math.min(a, v), Infinity);
  let high = there.reduce((a, v) => Math.max(a, v), -Infinity);
  if (!there.length) [low, high] = log ? [1, 10] : [0, 1];
  if (log) {
    if (values.some((v) => v === 0)) low /= 2;
    if (high <= low) high = low * 10;
    const span = Math.log(high / low);
    return { low, high, ticks: powers(low, high, count),
      at: (v) => Math.log(Math.max(v, low) / low) / span };
  }
  if (from !== null) low = Math.min(from, low);
  if (to !== null) high = Math.max(to, high);
  if (high <= low) high = low + 1;
  return { low, high, ticks: ticks(low, high, count), at: (v) => (v - low) / (high - low) };
}

// Draw series of {x, y, colour, width} under a title; gaps where y is null. `x` and `y` are options
// of the axes.
function drawChart(canvas, { title, xTitle = "", series, x = {}, y = {} }) {
  const { context, width, height } = prepared(canvas);
  const box = { left: 46, right: width - 12, top: 22, bottom: height - 20 };
  const count = Math.max(2, Math.round((box.right - box.left) / 70));
  const across = axisOf(series.flatMap((one) => one.x), { count, ...x });
  const up = axisOf(series.flatMap((one) => one.y), { count: 4, ...y });
  const right = (v) => box.left + across.at(v) * (box.right - box.left);
  const top = (v) => box.bottom - up.at(v) * (box.bottom - box.top);
  context.font = "bold 12px sans-serif";
  context.fillStyle = "#222";
  context.textAlign = "left";
  context.fillText(title, 2, 12);
  context.font = "12px sans-serif";
  context.fillStyle = "#555";
  context.textAlign = "right";
  context.fillText(xTitle, box.right, 12);
  context.lineWidth = 1;
  context.strokeStyle = "#e8e8e8";
  for (const v of up.ticks) {
    context.fillText(shortNumber(v), box.left - 5, top(v) + 4);
    context.beginPath();
    context.moveTo(box.left, Math.round(top(v)) + 0.5);
    context.lineTo(box.right, Math.round(top(v)) + 0.5);
    context.stroke();
  }
  context.textAlign = "center";
  for (const v of across.ticks) {
    const words = shortNumber(v), half = context.measureText(words).width / 2;
    context.fillText(words, Math.min(right(v), width - half), height - 5);
  }
  context.save();
  context.beginPath();
  context.rect(box.left - 3, box.top - 3, box.right - box.left + 6, box.bottom - box.top + 6);
  context.clip();
  for (const { x: xs, y: ys, colour, width: thick = 1.5 } of series) {
    context.strokeStyle = context.fillStyle = colour;
    context.lineWidth = thick;
    context.beginPath();
    let drawn = 0, gap = true;
    ys.forEach((v, k) => {
      if (v === null) {
        gap = true;
        return;
      }
      if (gap) context.moveTo(right(xs[k]), top(v));
      else context.lineTo(right(xs[k]), top(v));
      gap = false;
      drawn++;
    });
    context.stroke();
    const last = ys.findLastIndex((v) => v !== null);
    if (drawn) context.fillRect(right(xs[last]) - 2.5, top(ys[last]) - 2.5, 5, 5);
  }
  context.restore();
}
