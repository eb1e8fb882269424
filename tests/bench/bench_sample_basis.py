"""Choosing samples that stand for all, against the plain way, and its memory: ``make bench``.

The plain way of forward selection tries every sample: it fits the weights of all chosen so far and
of the one tried by `scipy.optimize.nnls`, and takes the sample of least misfit. Both ways run here,
on the same pairs of models, and the quality of the choice is compared too. Then a basis is fitted
to many models, in a process of its own, whose memory counts. Models are made up where they are
read: what a disk adds is not measured. Exits with 1 if one falls short.
"""

import argparse
import resource
import subprocess
import sys
import time

import numpy as np
from measuring import FAILED, best_of, report
from scipy.optimize import nnls

from hyperribbon.embedding.bases import SampleBasis
from hyperribbon.embedding.bases.sample_methods import Choice, greedy
from hyperribbon.embedding.bases.sample_terms import pair_terms
from hyperribbon.pairwise.stack import Stack


class MadeUp:
    """Models (m, N, C) float32 of trainings that learn samples one after another, made on reading.

    Every training has an order of its own, and confuses classes in its own way.
    """

    dtype = np.dtype(np.float32)
    CHECKPOINTS = 50

    def __init__(self, m, n_samples, n_classes):
        self.shape = (m, n_samples, n_classes)
        self.difficulty = np.random.default_rng(0).normal(size=n_samples)
        self.labels = np.arange(n_samples) % n_classes

    def __getitem__(self, key):
        models, *rest = key if isinstance(key, tuple) else (key,)
        places = np.arange(self.shape[0])[models]
        block = np.stack([self._model(k) for k in np.atleast_1d(places)])
        return block[(slice(None), *rest)] if np.ndim(places) else block[(0, *rest)]

    def _model(self, k):
        training, checkpoint = divmod(int(k), self.CHECKPOINTS)
        rng = np.random.default_rng(training)
        order = self.difficulty + 0.5 * rng.normal(size=len(self.difficulty))
        own = np.random.default_rng(training % 7).normal(size=self.shape[1:])
        time = -3 + 7 * checkpoint / self.CHECKPOINTS
        logits = 0.5 * np.tanh(time + 3) * own
        logits[np.arange(len(order)), self.labels] += 8 / (1 + np.exp(-3 * (time - order)))
        P = np.exp(logits - logits.max(axis=1, keepdims=True))
        return (P / P.sum(axis=1, keepdims=True)).astype(np.float32)


def plain(A, y, count):
    """Forward selection by fitting every candidate."""
    chosen = []
    for _ in range(count):
        others = [n for n in range(A.shape[1]) if n not in chosen]
        misfits = [nnls(A[:, [*chosen, n]], y)[1] for n in others]
        chosen.append(others[int(np.argmin(misfits))])
    return chosen


def misfit(choice, chosen):
    return nnls(choice.terms[:, chosen].astype(float), choice.target)[1]


def compare(n_samples, count):
    stack, rng = Stack(MadeUp(2000, n_samples, 10), "P"), np.random.RandomState(0)
    choice = Choice(stack, pair_terms(stack, rng), True, rng)
    start = time.perf_counter()
    expected = plain(choice.terms.astype(float), choice.target, count)
    slow = time.perf_counter() - start
    fast = best_of(3, greedy, choice, count)
    ratio = misfit(choice, greedy(choice, count)) / misfit(choice, expected)
    print(f"\n{count} of {n_samples:,} samples, {len(choice.terms):,} pairs of models")
    report("plain", f"{slow:.1f} s")
    report("ours", f"{fast:.3f} s")
    report("times as fast", f"{slow / fast:,.0f}", "50", slow > 50 * fast)
    report("misfit, ours over plain", f"{ratio:.3f}", "at most 1.05", ratio < 1.05)


def fit_many(m, n_samples, count):
    """In a process of its own: fit a basis, and score 300 models."""
    P = MadeUp(m, n_samples, 10)
    start = time.perf_counter()
    basis = SampleBasis(count, random_state=0).fit(P)
    fitted = time.perf_counter() - start
    rest = np.random.default_rng(1).choice(m, 300, replace=False)
    score = basis.score(P[np.sort(rest)])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{fitted} {score} {peak}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", nargs=3, type=int, metavar=("M", "N", "K"))
    args = parser.parse_args()
    if args.many:
        fit_many(*args.many)
        return
    compare(1000, 15)
    size = ["20000", "10000", "50"]
    run = subprocess.run(
        [sys.executable, __file__, "--many", *size], check=True, capture_output=True, text=True
    )
    fitted, score, peak = map(float, run.stdout.split())
    print("\n50 of 10,000 samples, of 20,000 models with 10 classes")
    report("fit", f"{fitted:.0f} s", "at most 120 s", fitted < 120)
    report("explained pairwise distance of 300 models", f"{score:.3f}")
    report("peak of memory", f"{peak:.2f} GiB", "at most 4 GiB", peak < 4)
    sys.exit(bool(FAILED))


if __name__ == "__main__":
    main()
