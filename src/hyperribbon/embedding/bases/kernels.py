"""Compiled loops of `weights.py`: derivatives of distances to mixtures, and small programs.

Arrays lie sample by sample, (..., C, N), so that the innermost loops run over samples.
"""

from __future__ import annotations

from math import exp, log, sqrt

import numpy as np

from hyperribbon.numerics.compiling import compiled

_FAST = {"reassoc", "contract", "nsz"}  # but NaN and infinity keep their meaning
STEEP = 1e30  # in place of an infinite slope, of classes that only a weight of 0 would predict

PROBABILITY, ROOT, GEOMETRIC = range(3)


@compiled(nogil=True, fastmath=_FAST, error_model="numpy")
def derivatives(kind, A, F, W, rows, active, f, g, H, lost, floor):
    r"""Distances of models to mixtures, their gradients and curvatures in the weights.

    With :math:`v = \sum_k w_k F_k`, entries r, d, y and a sign that depend on the kind of mixture,

    .. math:: \partial f / \partial w_k = -\sum_{nc} r_{nc} F_{knc}, \qquad
              H_{kl} = \sum_{nc} d_{nc} F_{knc} F_{lnc} \pm
              \sum_n \left(\sum_c y_{nc} F_{knc}\right) \left(\sum_c y_{nc} F_{lnc}\right).

    Parameters
    ----------
    kind : PROBABILITY, ROOT or GEOMETRIC
    A : (b, C, N) float64, square roots of models
    F : (K, C, N) float64, frame of the basis; see `hyperribbon.embedding.bases.mixtures`
    W : (r, K) weights of the models A[rows]
    rows : (r,) int
    active : (r, K) bool, for which weights H is wanted; (r, 0) if for none
    f, g, H : (r,), (r, K), (r, K, K), which are filled; H only where active
    lost : (r,) int, filled: samples on which a model and its mixture share no class. They add
        -ln(floor) to the sum, and nothing to the derivatives
    floor : float
    """
    K, C, N = F.shape
    span = max(16, min(512, 2**17 // ((K + 4) * C)))
    v, r = np.empty((C, span)), np.empty((C, span))
    d, y = np.empty((C, span)), np.empty((C, span))
    scaled, own = np.empty((C, span)), np.empty((K, span))
    first, second, top = np.empty(span), np.empty(span), np.empty(span)
    chosen = np.empty(K, np.int64)
    curved = active.shape[1] > 0
    for j in range(len(rows)):
        P, w = A[rows[j]], W[j]
        n_chosen = 0
        if curved:
            for k in range(K):
                if active[j, k]:
                    chosen[n_chosen] = k
                    n_chosen += 1
            H[j] = 0
        total, g[j], lost[j] = 0.0, 0, 0
        for start in range(0, N, span):
            size = min(span, N - start)
            stop = start + size
            v[:] = 0
            # Rows are sliced first: only then does numba know that no index is negative, and
            # compile the innermost loops to vector code.
            for k in range(K):
                if w[k] != 0:
                    for c in range(C):
                        weight, v_c, F_kc = w[k], v[c], F[k, c, start:stop]
                        for n in range(size):
                            v_c[n] += weight * F_kc[n]
            first[:], second[:] = 0, 0
            if kind == PROBABILITY:
                for c in range(C):
                    P_c, v_c, r_c = P[c, start:stop], v[c], r[c]
                    for n in range(size):
                        r_c[n] = sqrt(v_c[n])
                        first[n] += P_c[n] * r_c[n]
                for n in range(size):
                    if first[n] > 0:
                        total -= log(first[n])
                        second[n] = 0.5 / first[n]
                    else:
                        lost[j] += 1
                for c in range(C):
                    P_c, v_c, r_c, d_c, y_c = P[c, start:stop], v[c], r[c], d[c], y[c]
                    for n in range(size):
                        # Below 1e-60 a probability counts as 0.
                        inverse = 1 / r_c[n] if v_c[n] > 1e-60 else STEEP
                        r_c[n] = P_c[n] * second[n] * inverse
                        y_c[n] = r_c[n]
                        d_c[n] = 0.5 * r_c[n] * inverse * inverse if v_c[n] > 1e-60 else 0.0
                sign = 1.0
            elif kind == ROOT:
                for c in range(C):
                    P_c, v_c = P[c, start:stop], v[c]
                    for n in range(size):
                        first[n] += P_c[n] * v_c[n]
                        second[n] += v_c[n] * v_c[n]
                for n in range(size):
                    if first[n] > 0:
                        total += 0.5 * log(second[n]) - log(first[n])
                        first[n], second[n] = 1 / first[n], 1 / second[n]
                    else:
                        lost[j] += 1
                        first[n], second[n] = 0, 0
                for c in range(C):
                    P_c, v_c, r_c, d_c, y_c = P[c, start:stop], v[c], r[c], d[c], y[c]
                    for n in range(size):
                        y_c[n] = v_c[n] * second[n]
                        r_c[n] = P_c[n] * first[n] - y_c[n]
                        d_c[n] = second[n]
                sign = -1.0
            else:
                top[:] = -np.inf
                for c in range(C):
                    v_c = v[c]
                    for n in range(size):
                        top[n] = max(top[n], v_c[n])
                for c in range(C):
                    P_c, v_c, r_c, d_c = P[c, start:stop], v[c], r[c], d[c]
                    for n in range(size):
                        half = exp(0.5 * (v_c[n] - top[n]))
                        d_c[n] = half * half
                        r_c[n] = P_c[n] * half
                        first[n] += r_c[n]
                        second[n] += d_c[n]
                for n in range(size):
                    total += 0.5 * log(second[n]) - log(first[n])
                    first[n], second[n] = 0.5 / first[n], 0.5 / second[n]
                for c in range(C):
                    r_c, d_c, y_c = r[c], d[c], y[c]
                    for n in range(size):
                        y_c[n] = d_c[n] * second[n]
                        r_c[n] = r_c[n] * first[n] - y_c[n]
                        d_c[n] = 0.5 * y_c[n]
                sign = -1.0
            for k in range(K):
                slope = 0.0
                for c in range(C):
                    r_c, F_kc = r[c], F[k, c, start:stop]
                    for n in range(size):
                        slope += r_c[n] * F_kc[n]
                g[j, k] -= slope
            for i in range(n_chosen):
                own_i = own[i]
                own_i[:] = 0
                for c in range(C):
                    y_c, d_c, s_c, F_kc = y[c], d[c], scaled[c], F[chosen[i], c, start:stop]
                    for n in range(size):
                        own_i[n] += y_c[n] * F_kc[n]
                        s_c[n] = d_c[n] * F_kc[n]
                for h in range(i + 1):
                    curvature, along, own_h = 0.0, 0.0, own[h]
                    for c in range(C):
                        s_c, F_kc = scaled[c], F[chosen[h], c, start:stop]
                        for n in range(size):
                            curvature += s_c[n] * F_kc[n]
                    for n in range(size):
                        along += own_i[n] * own_h[n]
                    H[j, chosen[i], chosen[h]] += curvature + sign * along
        f[j] = (total - lost[j] * log(floor)) / N
        for k in range(K):
            g[j, k] /= N
        for i in range(n_chosen):
            for h in range(i + 1):
                k, other = chosen[i], chosen[h]
                H[j, k, other] /= N
                H[j, other, k] = H[j, k, other]


@compiled(nogil=True, error_model="numpy")
def quadratic_programs(H, c, X, allowed, on_simplex):
    r"""Minimise :math:`\frac12 x^T H x + c^T x` over x >= 0, by the primal active-set method.

    The objective never increases, whatever the number of steps. O(K^3) per step; a step
    frees or fixes one entry.

    Parameters
    ----------
    H : (b, K, K) symmetric, positive semi-definite on the allowed entries
    c : (b, K)
    X : (b, K) feasible points at which to begin; changed to the minima
    allowed : (b, K) bool; other entries stay 0
    on_simplex : bool, whether entries sum to 1
    """
    b, K = X.shape
    L, free = np.empty((K, K)), np.empty(K, np.int64)
    x, ones = np.empty(K), np.empty(K)
    is_free = np.empty(K, np.bool_)
    for j in range(b):
        for k in range(K):
            is_free[k] = allowed[j, k] and X[j, k] > 0
        added = -1
        for _ in range(10 * K + 10):
            size = 0
            for k in range(K):
                if is_free[k]:
                    free[size] = k
                    size += 1
            # Cholesky decomposition of the free part, and two triangular solutions.
            for i in range(size):
                for h in range(i + 1):
                    entry = H[j, free[i], free[h]]
                    for e in range(h):
                        entry -= L[i, e] * L[h, e]
                    if i == h:
                        # Of a basis with two equal models, what is left is rounding.
                        ridge = 1e-8 * H[j, free[i], free[i]] + 1e-300
                        L[i, i] = sqrt(max(entry, 0.0) + ridge)
                    else:
                        L[i, h] = entry / L[h, h]
            sum_x, sum_ones = 0.0, 0.0
            for i in range(size):
                x[i], ones[i] = -c[j, free[i]], 1.0
                for e in range(i):
                    x[i] -= L[i, e] * x[e]
                    ones[i] -= L[i, e] * ones[e]
                x[i] /= L[i, i]
                ones[i] /= L[i, i]
            for i in range(size - 1, -1, -1):
                for e in range(i + 1, size):
                    x[i] -= L[e, i] * x[e]
                    ones[i] -= L[e, i] * ones[e]
                x[i] /= L[i, i]
                ones[i] /= L[i, i]
                sum_x += x[i]
                sum_ones += ones[i]
            multiplier = (1 - sum_x) / sum_ones if on_simplex and size else 0.0
            step, blocking = 1.0, -1
            for i in range(size):
                x[i] += multiplier * ones[i]
                k = free[i]
                if x[i] <= 0 and X[j, k] < step * (X[j, k] - x[i]):
                    step, blocking = X[j, k] / (X[j, k] - x[i]), k
            for i in range(size):
                X[j, free[i]] += step * (x[i] - X[j, free[i]])
            if blocking >= 0:
                X[j, blocking] = 0.0
                is_free[blocking] = False
                if blocking == added:  # freed and fixed at once: rounding alone
                    break
                continue
            added, lowest = -1, -1e-12 * abs(multiplier) - 1e-300
            for k in range(K):
                if allowed[j, k] and not is_free[k]:
                    slope = c[j, k] - multiplier
                    for e in range(K):
                        slope += H[j, k, e] * X[j, e]
                    if slope < lowest:
                        added, lowest = k, slope
            if added < 0:
                break
            is_free[added] = True
        if on_simplex:
            total = 0.0
            for k in range(K):
                X[j, k] = max(X[j, k], 0.0)
                total += X[j, k]
            for k in range(K):
                X[j, k] /= total
