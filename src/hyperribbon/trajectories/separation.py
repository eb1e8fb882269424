"""How far apart trainings are that differ in one factor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hyperribbon.numerics.bootstrap import bootstrap_interval

COLUMNS = ["factor", "checkpoint", "between", "within", "low", "high", "settings"]


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
    level has no row. ``low`` and ``high`` are the 95% interval of the ratio of both means, from the
    settings of the other factors drawn with replacement; ``settings`` is their number. They are NaN
    if there is one, or only one seed.

    Examples
    --------
    >>> trainings = pd.DataFrame({"network": list("AABB"), "seed": [0, 1, 0, 1]})
    >>> D = np.array([[0, 1, 9, 5], [1, 0, 5, 9], [9, 5, 0, 2], [5, 9, 2, 0]])
    >>> found = separation(D, trainings, ["network"], 1)
    >>> found[["factor", "checkpoint", "between", "within", "settings"]].to_dict("list")
    {'factor': ['network'], 'checkpoint': [0], 'between': [5.0], 'within': [1.5], 'settings': [1]}
    """
    same = {f: trainings[f].to_numpy()[:, None] == trainings[f].to_numpy() for f in factors}
    seeds = trainings["seed"].to_numpy()[:, None] != trainings["seed"].to_numpy()
    within = np.logical_and.reduce([*same.values(), seeds])
    rows = []
    for factor in factors:
        names = [name for name in factors if name != factor]
        setting = trainings.groupby(names).ngroup() if names else np.zeros(len(trainings), int)
        setting = np.asarray(setting)
        same_setting = setting[:, None] == setting
        between = ~same[factor] & same_setting & seeds
        if not between.any():
            continue
        for k in range(checkpoints):
            at = distance[k::checkpoints, k::checkpoints]
            means = [at[pairs].mean() if pairs.any() else np.nan for pairs in (between, within)]
            low, high = _interval(at, between, within, setting)
            rows.append((factor, k, *means, low, high, setting.max() + 1))
    return pd.DataFrame(rows, columns=COLUMNS)


def _interval(
    at: np.ndarray, between: np.ndarray, within: np.ndarray, setting: np.ndarray
) -> tuple[float, float]:
    """Of the ratio of the mean distances of two kinds of pairs, each within a setting (T,)."""
    sums = []
    for pairs in (between, within):
        of_pair = setting[np.nonzero(pairs)[0]]
        count = setting.max() + 1
        sums.append(np.bincount(of_pair, at[pairs], count))
        sums.append(np.bincount(of_pair, minlength=count))

    def ratio(weights: np.ndarray) -> float:
        of_between, n_between, of_within, n_within = (weights @ each for each in sums)
        if min(n_between, of_within) <= 0:
            return np.nan
        return float(of_between / n_between / (of_within / n_within))

    low, high = bootstrap_interval(ratio, range(setting.max() + 1))
    return float(low), float(high)
