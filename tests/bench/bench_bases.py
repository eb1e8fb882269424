"""Weights of mixtures for all models against a general solver, one model after another (chapter 6).

    make bench

The plain way minimises the same distance by SciPy's SLSQP, with the gradient in closed form from
NumPy, for some of the models. Both find the minimum; the certificate of ours is printed. Exits with
1 if one falls short.
"""

import sys
import time

import numpy as np
from measuring import FAILED, best_of, report
from scipy.optimize import minimize

from hyperribbon.embedding.bases import ModelBasis, nearest_mixtures

M, N, C, K, ALONE = 400, 500, 10, 10, 12


def models() -> np.ndarray:
    """Models on paths between a dozen others, with noise of their own, (M, N, C)."""
    rng = np.random.default_rng(0)
    ends = rng.normal(size=(12, N, C)) * 3
    weights = rng.dirichlet(np.full(12, 0.3), M)
    P = np.exp(np.tensordot(weights, ends, axes=1) + 0.2 * rng.normal(size=(M, N, C)))
    return P / P.sum(axis=-1, keepdims=True)


def plain(P, basis):
    """Residuals of models, each by a general solver for constrained problems."""
    flat, count = basis.reshape(len(basis), -1), len(basis)
    residuals = []
    for p in P:
        root = np.sqrt(p)

        def objective(w, root=root):
            q = np.maximum(np.maximum(w, 0) @ flat, 1e-300).reshape(N, C)
            coefficients = (root * np.sqrt(q)).sum(axis=1)
            ratio = root / np.sqrt(q) / coefficients[:, None]
            return -np.log(coefficients).mean(), -0.5 / N * (flat @ ratio.ravel())

        found = minimize(
            objective,
            np.full(count, 1 / count),
            jac=True,
            method="SLSQP",
            bounds=[(0, 1)] * count,
            constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": np.ones_like},
            options={"ftol": 1e-12, "maxiter": 500},
        )
        residuals.append(found.fun)
    return np.array(residuals)


def main() -> None:
    P = models()
    print(f"\nBasis of {K} of {M} models, N = {N}, C = {C}")
    start = time.perf_counter()
    basis = ModelBasis(K).fit(P)
    first = time.perf_counter() - start
    report("subset and weights, with compilation", f"{first:.1f} s")
    whole = best_of(3, ModelBasis(K).fit, P)
    report("subset and weights", f"{1e3 * whole:.0f} ms")
    slow = best_of(3, plain, P[:ALONE], basis.basis_) / ALONE
    report("weights by SLSQP, per model", f"{1e3 * slow:.2f} ms")
    for mixture in ("probability", "root", "geometric"):
        fast = best_of(5, nearest_mixtures, P, basis.basis_, mixture) / M
        report(f"weights of {mixture} mixtures, per model", f"{1e3 * fast:.3f} ms")
        if mixture == "probability":
            report("times as fast as SLSQP", f"{slow / fast:.0f}", "3", slow > 3 * fast)
    found = nearest_mixtures(P, basis.basis_)
    gap = found.gaps.max()
    report("largest gap", f"{gap:.1e} nats", "1e-7", gap < 1e-7)
    worse = (found.residuals[:ALONE] - plain(P[:ALONE], basis.basis_)).max()
    report("largest residual above SLSQP's", f"{worse:.1e} nats", "1e-7", worse < 1e-7)
    free = best_of(1, ModelBasis(K, method="free", tol=0, max_iter=10).fit, P) / 10
    report("an iteration of a free basis", f"{1e3 * free:.0f} ms")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
