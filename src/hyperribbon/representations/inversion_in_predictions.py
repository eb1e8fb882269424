"""The inversion of class manifolds seen in the manifold of predictions: InPCA, progress, speed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import ignorance, progress, truth
from hyperribbon.representations.inversion import turning_points
from hyperribbon.representations.inversion_experiments import Runs

CHECKPOINTS = 80  # most of each run
COMPONENTS = 3
QUANTITIES = [
    "radius_sum", "pc1", "pc2", "pc3", "progress", "speed", "spread", "to_truth_stragglers",
    "to_truth_rest",
]  # fmt: skip


def predictions_table(runs: Runs) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Checkpoints of the usual runs as points of the manifold of predictions.

    All checkpoints are embedded together by InPCA, with ignorance and the truth, from their
    Bhattacharyya distances. Speed is the distance to the next checkpoint per step; spread is the
    mean distance between runs at the same step, the width of their tube.

    Returns
    -------
    DataFrame
        One row per run and checkpoint, and one each for ignorance and the truth.
    DataFrame
        One row per quantity and run: the step at which the quantity turns by the rule of
        `inversion_point`, from falling to rising or from rising to falling, whichever is first.
    """
    training, found = runs.training, runs.inversions[0]
    R, T = training.errors.shape
    kept = np.unique(np.linspace(0, T - 1, min(T, CHECKPOINTS)).astype(int))
    steps = training.steps[kept]
    P = training.predictions[:, kept]
    K, C = P.shape[2:]
    labels = runs.condition.labels[:K]
    ends = [np.asarray(end).reshape(1, K, C) for end in (ignorance(K, C), truth(labels, C))]
    models = np.concatenate([P.reshape(-1, K, C), *ends])
    D = pairwise_distance(models)
    embedding = InPCA(n_components=COMPONENTS, metric="precomputed").fit(D)
    X = embedding.embedding_ * np.where(embedding.embedding_[-1] < 0, -1, 1)  # truth is positive
    m = len(kept)
    blocks = D[:-2, :-2].reshape(R, m, R, m)
    own = blocks[np.arange(R), :, np.arange(R)]  # (R, m, m)
    speed = np.full((R, m), np.nan)
    speed[:, :-1] = own[:, np.arange(m - 1), np.arange(1, m)] / np.diff(steps)
    same = blocks[:, np.arange(m), :, np.arange(m)]  # (m, R, R)
    spread = same.sum(axis=2) / max(R - 1, 1)
    values = {
        "error": training.errors[:, kept],
        "radius_sum": training.radii[:, kept, 0].sum(axis=-1),
        "progress": np.reshape(progress(P.reshape(-1, K, C), labels, threads=1), (R, m)),
        "speed": speed,
        "spread": spread.T,
        **{f"pc{k + 1}": X[:-2, k].reshape(R, m) for k in range(COMPONENTS)},
        **_distances_to_truth(runs, P, labels),
    }
    rows = [
        pd.DataFrame(
            {
                "model": "run",
                "run": run,
                "step": steps,
                "relative": steps / found.step[run],
                **{name: array[run] for name, array in values.items()},
            }
        )
        for run in range(R)
    ]
    of_ends = pd.DataFrame(
        {"model": ["ignorance", "truth"], **{f"pc{k + 1}": X[-2:, k] for k in range(COMPONENTS)}}
    )
    turns = []
    for quantity in QUANTITIES:
        for run in range(R):
            curve = values[quantity][run]
            curve = curve[np.isfinite(curve)]
            at = first_turn(curve) if len(curve) > 2 else -1
            step = float(steps[at]) if at >= 0 else np.nan
            turns.append(
                {
                    "quantity": quantity, "run": run, "step": step, "inversion": found.step[run],
                    "ratio": step / found.step[run],
                }
            )  # fmt: skip
    return pd.concat([*rows, of_ends], ignore_index=True), pd.DataFrame(turns)


def first_turn(curve: np.ndarray) -> int:
    """Position of the first turn of a curve (T,), up or down, after half its way; -1 for none.

    Examples
    --------
    >>> first_turn(np.array([0.0, 1.0, 2.0, 3.0, 2.0, 1.0, 0.0, 0.0, 0.0, 0.0]))
    3
    """
    found = [k for k in (turning_points(curve), turning_points(-curve)) if k >= 0]
    return int(min(found)) if found else -1


def _distances_to_truth(runs: Runs, P: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Mean Bhattacharyya distances (R, m) to the truth, of a run's own stragglers and of the rest.

    They are half the cross-entropies. Progress would say nothing of stragglers: it is 0 while they
    are misclassified.
    """
    found = runs.inversions[0]
    R, m, K, _ = P.shape
    wrong = runs.training.wrong(len(runs.condition.labels))
    parts = {name: np.full((R, m), np.nan) for name in ("to_truth_stragglers", "to_truth_rest")}
    of_truth = P[:, :, np.arange(K), labels].astype(float)
    apart = -0.5 * np.log(np.maximum(of_truth, np.finfo(np.float32).tiny))
    for run in np.flatnonzero(found.inverts):
        own = wrong[run, found.record[run], :K]
        for name, some in (("to_truth_stragglers", own), ("to_truth_rest", ~own)):
            if some.any():
                parts[name][run] = apart[run][:, some].mean(axis=1)
    return parts
