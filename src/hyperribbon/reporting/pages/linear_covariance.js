// The covariance of linear regression's trajectories in closed form, its eigenvalues and dimension,
// as hyperribbon.linear has them; nothing of a page is used here.
"use strict";

// The covariance of all points on all trajectories at step size 1 / lambda_1 (thesis Eq. 5.2.5).
function covariance(slope, T, ratio, weights) {
  const n = weights.length;
  const rate = weights.map((_, i) => Math.exp(-slope * i));
  const log = rate.map((r) => Math.log1p(-r));
  const power = (exponent, rest) => -Math.expm1(T * exponent) / (T * rest);
  const y = weights.map((w, i) => ratio * w * Math.sqrt(rate[i]));
  const mean = y.map((v, i) => v * power(log[i], rate[i]));
  const initialisation = rate.map((r, i) => r * power(2 * log[i], r * (2 - r)));
  const targets = y.map((u, i) => y.map((v, j) =>
    u * v * power(log[i] + log[j], rate[i] + rate[j] - rate[i] * rate[j]) - mean[i] * mean[j]));
  const total = targets.map((row, i) => row.map((v, j) => v + (i === j ? initialisation[i] : 0)));
  return { initialisation: initialisation.sort((a, b) => b - a), targets, total };
}

// Of a symmetric matrix, descending: Householder's reduction to three diagonals, then QL steps.
function eigenvalues(matrix) {
  const A = matrix.map((row) => Float64Array.from(row)), n = A.length;
  const d = new Float64Array(n), e = new Float64Array(n);
  for (let k = 0; k < n - 2; k++) {
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm = Math.hypot(norm, A[i][k]);
    if (norm === 0) continue;
    const alpha = A[k + 1][k] > 0 ? -norm : norm;
    const v = new Float64Array(n), p = new Float64Array(n);
    for (let i = k + 1; i < n; i++) v[i] = A[i][k] / norm;
    v[k + 1] -= alpha / norm;
    let square = 0;
    for (let i = k + 1; i < n; i++) square += v[i] * v[i];
    let along = 0;
    for (let i = k; i < n; i++) {
      for (let j = k + 1; j < n; j++) p[i] += A[i][j] * v[j];
      p[i] *= 2 / square;
      along += v[i] * p[i];
    }
    for (let i = k; i < n; i++) p[i] -= along / square * v[i];
    for (let i = k; i < n; i++) {
      for (let j = k; j < n; j++) A[i][j] -= v[i] * p[j] + p[i] * v[j];
    }
  }
  for (let i = 0; i < n; i++) {
    d[i] = A[i][i];
    e[i] = i + 1 < n ? A[i + 1][i] : 0;
  }
  for (let l = 0; l < n; l++) {
    for (let sweep = 0; sweep < 60; sweep++) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]) > 1e-17 * (Math.abs(d[m]) + Math.abs(d[m + 1]))) m++;
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]), r = Math.hypot(g, 1), s = 1, c = 1, p = 0;
      g = d[m] - d[l] + e[l] / (g + (g >= 0 ? r : -r));
      let i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[i], b = c * e[i];
        r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) { d[i + 1] -= p; e[m] = 0; break; }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
      }
      if (r === 0 && i >= l) continue;
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return [...d].sort((a, b) => b - a);
}

function dimensionOf(values, fraction) {
  const wanted = fraction * values.reduce((a, b) => a + b, 0);
  let sum = 0;
  for (let k = 0; k < values.length; k++) {
    sum += values[k];
    if (sum >= wanted) return k + 1;
  }
  return values.length;
}
