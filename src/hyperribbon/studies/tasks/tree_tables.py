"""Distances between tasks beside the tree of classes, and whether they agree."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.storage.dataset import Split
from hyperribbon.studies.tasks.names import TREE
from hyperribbon.studies.tasks.plan import TaskPlan
from hyperribbon.tasks import cophenetic, mantel

PERMUTATIONS = 9999


def tree_table(
    means: Mapping[str, xr.Dataset],
    ends: Mapping[Split, Mapping[tuple[str, str], float]],
    plan: TaskPlan,
) -> pd.DataFrame:
    """One row per pair of tasks in the tree: edges between them, and how far trajectories are.

    At equal progress, distances are averaged over the values that both mean trajectories reach. As
    some tasks reach much less than others, those in units of the tubes are more comparable.
    """
    columns = ["group", "other_group", "edges", "distance", "normalised", "at_the_end"]
    comparison = plan.comparisons.get(TREE)
    if comparison is None:
        return pd.DataFrame(columns=columns)
    store = means[comparison.split]
    names = store["group"].values.tolist()
    rows = []
    for a, b, edges in plan.tree:
        if {a, b} <= {*comparison.groups} & {*names}:
            i, j = names.index(a), names.index(b)
            found = [mean_of(store[kind].values[i, j]) for kind in ("distance", "normalised")]
            rows.append((a, b, edges, *found, ends[comparison.split][a, b]))
    return pd.DataFrame(rows, columns=columns)


def tree_tests(pairs: pd.DataFrame) -> pd.DataFrame:
    """Agreement of each measure with the tree: Mantel's test and the cophenetic correlation.

    ``orders`` is the number of orders of the tasks that the test compared, ``exact`` whether these
    are all.
    """
    columns = ["measure", "tasks", "mantel_r", "mantel_p", "orders", "exact", "cophenetic"]
    rows = []
    for measure in ("normalised", "distance", "at_the_end"):
        kept = with_all_pairs(pairs, measure)
        if len(kept) >= 4:
            edges, apart = (square(pairs, kept, column) for column in ("edges", measure))
            test = mantel(apart, edges, permutations=PERMUTATIONS, seed=0)
            exact = test.orders == factorial(len(kept))
            agree = cophenetic(apart, edges)
            rows.append((measure, len(kept), test.r, test.p, test.orders, exact, agree))
    return pd.DataFrame(rows, columns=columns)


def with_all_pairs(pairs: pd.DataFrame, measure: str) -> list[str]:
    """Tasks between which a measure is known; the tasks that lack most are left out."""
    left = pairs
    while left[measure].isna().any():
        missing = left[left[measure].isna()]
        worst = pd.concat([missing["group"], missing["other_group"]]).value_counts().index[0]
        left = left[(left["group"] != worst) & (left["other_group"] != worst)]
    return list(dict.fromkeys([*left["group"], *left["other_group"]]))


def square(pairs: pd.DataFrame, names: list[str], column: str) -> np.ndarray:
    """Symmetric matrix of a column of pairs."""
    found = np.zeros((len(names), len(names)))
    inside = pairs[pairs["group"].isin(names) & pairs["other_group"].isin(names)]
    for row in inside.itertuples():
        i, j = names.index(row.group), names.index(row.other_group)
        found[i, j] = found[j, i] = getattr(row, column)
    return found


def mean_of(values: np.ndarray) -> float:
    """Mean of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else np.nan
