// A cloud of points and lines in three dimensions, drawn by the graphics processor. Times and what
// is hidden are compared there, so that a slider moves 10,000 points without making them anew.
"use strict";

const POINTS = `#version 300 es
in vec3 place; in vec4 colour; in vec2 time; in vec2 look;
uniform mat4 view; uniform float until, size, heads, solid;
out vec4 tint; flat out float shape;
void main() {
  bool there = look.y > 0.5 && time.x <= until && (colour.a > 0.99) == (solid > 0.5);
  gl_Position = there ? view * vec4(place, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  float larger = look.x > 0.5 ? 2.2 : heads > 0.5 && time.y > until ? 1.9 : 1.0;
  gl_PointSize = size * larger;
  tint = colour; shape = look.x;
}`;
const ROUND = `#version 300 es
precision mediump float;
in vec4 tint; flat in float shape; out vec4 shown;
void main() {
  vec2 from = abs(gl_PointCoord - 0.5);
  float radius = shape < 0.5 ? length(from) : shape < 1.5 ? max(from.x, from.y) + 0.05
    : from.x + from.y;
  if (radius > 0.5) discard;
  shown = tint;
}`;
const LINES = `#version 300 es
in vec3 place; in vec4 colour; in vec2 time; in vec2 look;
uniform mat4 view; uniform float until, faint;
out vec4 tint; out float ahead;
void main() {
  gl_Position = view * vec4(place, 1.0);
  tint = vec4(colour.rgb, colour.a * faint);
  ahead = look.y > 0.5 ? time.x - until : 1.0;
}`;
const PLAIN = `#version 300 es
precision highp float;
in vec4 tint; in float ahead; out vec4 shown;
void main() {
  if (ahead > 0.0) discard;
  shown = tint;
}`;
const ATTRIBUTES = { place: 3, colour: 4, time: 2, look: 2 };
const NEAR = 12; // pixels from a point that still point at it

// Whether pictures are made without a graphics processor; smooth edges would halve their number.
function inSoftware() {
  const gl = document.createElement("canvas").getContext("webgl2");
  const about = gl && gl.getExtension("WEBGL_debug_renderer_info");
  const renderer = about ? gl.getParameter(about.UNMASKED_RENDERER_WEBGL) : "";
  return /swiftshader|llvmpipe|software/i.test(renderer);
}

class Cloud {
  // A canvas without WebGL 2 raises an error in words.
  constructor(canvas) {
    this.canvas = canvas;
    this.gl = canvas.getContext("webgl2", { antialias: !inSoftware() });
    if (!this.gl) throw new Error("no WebGL 2");
    this.until = EVER;
    this.heads = false;
    this.lines = true;
    this.start();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { this.start(); this.set(this.of); });
  }

  start() {
    const gl = this.gl;
    this.points = this.program(POINTS, ROUND);
    this.strokes = this.program(LINES, PLAIN);
    this.buffers = {};
    for (const name of [...Object.keys(ATTRIBUTES), "pairs"]) {
      this.buffers[name] = gl.createBuffer();
    }
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(1, 1, 1, 1);
  }

  program(vertex, fragment) {
    const gl = this.gl, program = gl.createProgram();
    for (const [type, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    // Both programs read the same buffers.
    Object.keys(ATTRIBUTES).forEach((name, k) => gl.bindAttribLocation(program, k, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program));
    }
    return program;
  }

  // Vertices: n points, then those of the box. `place` (3 each, in the cube), `colour` (4 bytes
  // each), `time` (its own and the next one's of its run), `look` (0 round, 1 square, 2 diamond; 1
  // shown, 0 hidden); `pairs` of vertices that lines join: `joined` numbers for those of runs,
  // which may be left out, `others` that are always drawn, and ranges for the box's `faces`.
  set(of) {
    const gl = this.gl;
    this.of = of;
    for (const name of Object.keys(ATTRIBUTES)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, of[name], gl.DYNAMIC_DRAW);
    }
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.pairs);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, of.pairs, gl.STATIC_DRAW);
  }

  use(program, matrix, numbers) {
    const gl = this.gl;
    gl.useProgram(program);
    Object.entries(ATTRIBUTES).forEach(([name, size], k) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name]);
      gl.enableVertexAttribArray(k);
      const bytes = name === "colour";
      gl.vertexAttribPointer(k, size, bytes ? gl.UNSIGNED_BYTE : gl.FLOAT, bytes, 0, 0);
    });
    gl.uniformMatrix4fv(gl.getUniformLocation(program, "view"), false, matrix);
    for (const [name, value] of Object.entries(numbers)) {
      gl.uniform1f(gl.getUniformLocation(program, name), value);
    }
  }

  // The point that is shown nearest to the mouse, or -1 if none is near; faint ones come last.
  find(matrix, { offsetX, offsetY }) {
    const { canvas, of: { n, place, look, time, colour } } = this;
    const there = (i) => i < n && look[2 * i + 1] > 0 && time[2 * i] <= this.until;
    const among = (which) => nearest(matrix, place, which, [offsetX, offsetY],
      canvas.clientWidth, canvas.clientHeight, NEAR);
    const solid = among((i) => there(i) && colour[4 * i + 3] === 255);
    return solid >= 0 ? solid : among(there);
  }

  draw(matrix, faces) {
    const gl = this.gl, { canvas, of } = this, ratio = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * ratio);
    const height = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== width) canvas.width = width; // which clears it
    if (canvas.height !== height) canvas.height = height;
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.pairs);
    const lines = (first, count) =>
      gl.drawElements(gl.LINES, count, gl.UNSIGNED_INT, Uint32Array.BYTES_PER_ELEMENT * first);
    this.use(this.strokes, matrix, { until: this.until, faint: 1 });
    for (const face of faces) lines(...of.faces[face]);
    lines(of.joined, of.others);
    if (this.lines) {
      this.use(this.strokes, matrix, { until: this.until, faint: 0.45 });
      lines(0, of.joined);
    }
    // Faint points, which come last, hide nothing.
    for (const solid of [1, 0]) {
      gl.depthMask(solid === 1);
      this.use(this.points, matrix,
        { until: this.until, size: 5 * ratio, heads: Number(this.heads), solid });
      gl.drawArrays(gl.POINTS, 0, of.n);
    }
    gl.depthMask(true);
  }
}
