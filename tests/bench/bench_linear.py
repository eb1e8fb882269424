"""Linear regression in closed form against simulated training, and the phase diagram (thesis 5).

    make bench

The baseline trains models by gradient descent, step by step, and takes the covariance of all
points: 2 n of them, the fewest whose initial weights have mean and covariance of the Gaussian
exactly, so that both are equal but for rounding. Exits with 1 if one falls short.
"""

import sys
import time

import numpy as np
from measuring import FAILED, best_of, report

from hyperribbon.linear import phase_diagram, trajectory_covariance

N, STEPS = 50, 10_000


def simulated(eigenvalues, y, alpha, sigma_w):
    """P(T) of models that are trained, in K's eigenbasis."""
    weights = sigma_w * np.sqrt(N) * np.concatenate([np.eye(N), -np.eye(N)])
    residuals = weights * np.sqrt(eigenvalues) - y
    a, total, mean = 1 - alpha * eigenvalues, np.zeros((N, N)), np.zeros(N)
    for _ in range(STEPS):
        total += residuals.T @ residuals
        mean += residuals.sum(axis=0)
        residuals *= a
    points = STEPS * len(residuals)
    return total / points - np.outer(mean, mean) / points**2


def main() -> None:
    eigenvalues = np.exp(-0.5 * np.arange(N))
    y = 3 * np.sqrt(eigenvalues) * np.random.default_rng(0).standard_normal(N)
    print(f"\nCovariance of trajectories of {STEPS:,} steps, n = {N}")
    arguments = {"step_size": 0.9, "steps": STEPS, "sigma_w": 0.5}
    slow = best_of(5, simulated, eigenvalues, y, 0.9, 0.5)
    fast = best_of(5, trajectory_covariance, eigenvalues, y, **arguments)
    expected = simulated(eigenvalues, y, 0.9, 0.5)
    found = trajectory_covariance(eigenvalues, y, **arguments).total
    error = np.abs(found - expected).max() / np.abs(expected).max()
    report("simulated", f"{1e3 * slow:.0f} ms")
    report("in closed form", f"{1e6 * fast:.0f} us")
    report("times as fast", f"{slow / fast:,.0f}", "1,000", slow > 1000 * fast)
    report("largest difference, of the largest entry", f"{error:.1e}", "1e-9", error < 1e-9)

    steps = np.unique(np.geomspace(1, 1e6, 54).round().astype(int))[:50]
    slopes, ratios = np.linspace(0.02, 1, 50), np.geomspace(0.1, 100, 20)
    start = time.perf_counter()
    diagram = phase_diagram(slopes, steps, ratios, n=N, draws=10, threads=2)
    taken = time.perf_counter() - start
    matrices = 10 * diagram["dimension"].size
    whole = best_of(3, np.linalg.eigvalsh, np.broadcast_to(found, (1000, N, N)))
    print(f"\nPhase diagram of {matrices:,} matrices, two threads")
    report("time", f"{taken:.0f} s", "180 s", taken < 180)
    report("a matrix", f"{1e6 * taken / matrices:.0f} us")
    report("all eigenvalues of one alone, one thread", f"{1e3 * whole:.0f} us")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
