"""How far apart trainings are that differ in one factor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def separation(
    distance: np.ndarray, trainings: pd.DataFrame, factors: Sequence[str], checkpoints: int
) -> pd.DataFrame:
    """Distance of trainings that differ in one factor, and of those that differ only in the seed.

    Models are compared at the same checkpoint, that is, after the same part of the training.

    Parameters
    ----------
    distance : (T * K, T * K) of the models of T trainings, K checkpoints each, trainings slowest
    trainings : one row per training, with the factors and seed
    factors : names of columns
    checkpoints : K

    Returns
    -------
    DataFrame, one row per factor and checkpoint, in the units of the distance. ``between`` is the
    mean distance of trainings that differ in the factor and the seed, and agree in the other
    factors; ``within`` that of trainings that differ in nothing but the seed. (Of one seed, the
    order of the samples would be the same, and the weights if the network is.) A factor of one
    level has no row.

    Examples
    --------
    >>> trainings = pd.DataFrame({"network": list("AABB"), "seed": [0, 1, 0, 1]})
    >>> D = np.array([[0, 1, 9, 5], [1, 0, 5, 9], [9, 5, 0, 2], [5, 9, 2, 0]])
    >>> separation(D, trainings, ["network"], 1).to_dict("list")
    {'factor': ['network'], 'checkpoint': [0], 'between': [5.0], 'within': [1.5]}
    """
    same = {f: trainings[f].to_numpy()[:, None] == trainings[f].to_numpy() for f in factors}
    seeds = trainings["seed"].to_numpy()[:, None] != trainings["seed"].to_numpy()
    within = np.logical_and.reduce([*same.values(), seeds])
    rows = []
    for factor in factors:
        others = [agree for name, agree in same.items() if name != factor]
        between = np.logical_and.reduce([~same[factor], *others, seeds])
        if not between.any():
            continue
        for k in range(checkpoints):
            at = distance[k::checkpoints, k::checkpoints]
            mean = at[within].mean() if within.any() else np.nan
            rows.append((factor, k, at[between].mean(), mean))
    return pd.DataFrame(rows, columns=["factor", "checkpoint", "between", "within"])
