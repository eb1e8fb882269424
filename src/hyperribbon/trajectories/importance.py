"""What makes trajectories differ: a random forest and permutations of factors (thesis 2.6c)."""

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.ensemble import RandomForestRegressor

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy

TO_GEODESIC = "distance to geodesic"
COLUMNS = ["factor", "levels", "importance", "std", "p_value", "permutations", "arrangements"]
COLUMNS += ["r_squared", "pairs"]
_LEAST_PAIRS = 10  # the pairs of five configurations


def variable_importance(
    distance: np.ndarray,
    factors: pd.DataFrame,
    to_geodesic: np.ndarray | None = None,
    *,
    permutations: int = 99,
    untested: int = 20,
    trees: int = 100,
    max_pairs: int = 3000,
    random_state: int = 0,
    threads: int = 1,
) -> pd.DataFrame:
    r"""Importance of each factor of the configurations for the distances between them.

    A random forest predicts the distance between two configurations from the values of each factor
    (how many of the two have each value, and whether both have the same) and from the sum and
    difference of their distances to the geodesic; swapping the two changes nothing. The forest's
    :math:`R^2` is out of bag: each pair is predicted by the trees that were not fitted to it. The
    importance of a factor is

    .. math:: R^2 - \mathrm{mean}_\pi R^2_\pi

    where :math:`R^2_\pi` is that of a forest fitted after the factor's values were permuted between
    configurations.

    Parameters
    ----------
    distance : (n, n) symmetric distances between configurations; NaN pairs are left out, and so
        are configurations with no other entry
    factors : n rows, one column per factor; factors with a single value are left out
    to_geodesic : (n,) mean distance to the geodesic, or None
    permutations : int, number of permutations of each factor
    untested : int, number of permutations of the distance to the geodesic, which has no p-value; if
        0, it has no row
    trees : int, number of trees in a forest
    max_pairs : int; if there are more pairs, this many are drawn at random
    random_state : int
    threads : int, number of processes that fit forests

    Returns
    -------
    DataFrame, one row per factor, the most important first

        - levels: number of values of the factor; missing for the distance to the geodesic
        - importance, std: mean and standard deviation of the drop in :math:`R^2`
        - p_value: (1 + #{:math:`R^2_\pi \ge R^2`}) / (1 + permutations); missing for the distance
          to the geodesic, which belongs to its configuration and cannot be permuted
        - permutations: number of those counted for the p-value
        - arrangements: number of permutations that differ in which configurations share a value;
          the p-value cannot be much below 1 / arrangements
        - r_squared, pairs: :math:`R^2` and number of pairs of the forest

        There are no rows if there are fewer than 10 pairs, or if no factor can be distinguished
        from the others.

    Raises
    ------
    DataError
        If the numbers of distances and of rows of factors differ.

    Notes
    -----
    Pairs are not independent, so values are permuted between configurations, as in Mantel's test,
    and only between those that agree in all other factors. If a factor has no effect, neither alone
    nor in combination, such a permutation does not change the distribution of the distances and of
    those to the geodesic, and the p-value is exact for any forest. To keep it exact with the same
    random numbers in every forest, the distances are permuted and the factors stay in place.
    Without the restriction, values would become correlated with factors that do matter. A factor
    that is tied to others, such as one optimiser per network, cannot be permuted, and has no row.

    The cost is one forest per permutation and factor, 70 ms for 45 pairs and 1 s for 3,000. The
    grid of 312 configurations and six factors takes ten minutes, divided among the processes.

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 3.0, 3.1, 3.2])
    >>> factors = pd.DataFrame({"network": list("aaabbb"), "optimiser": list("xyzxyz")})
    >>> D = (x[:, None] - x) ** 2
    >>> found = variable_importance(D, factors, permutations=19, trees=20)
    >>> found["factor"].tolist()
    ['network', 'optimiser']
    """
    D, n = as_numpy(distance, "distance"), len(factors)
    if D.shape != (n, n):
        raise DataError(
            f"distance: shape {D.shape}, expected {(n, n)}, as there are {n} rows of factors"
        )
    compared = (~np.isnan(D) & ~np.eye(n, dtype=bool)).any(axis=1)
    D, n = D[np.ix_(compared, compared)], compared.sum()
    if to_geodesic is not None:
        to_geodesic = as_numpy(to_geodesic, "to_geodesic")
        if to_geodesic.shape != compared.shape:
            raise DataError(f"to_geodesic: shape {to_geodesic.shape}, expected {compared.shape}")
        to_geodesic = to_geodesic[compared]
    codes = {
        name: pd.factorize(values, use_na_sentinel=False)[0]
        for name, values in factors[compared].items()
    }
    codes = {name: code for name, code in codes.items() if code.max(initial=0) > 0}
    i, j = np.triu_indices(n, 1)
    rng = np.random.default_rng(random_state)
    if len(i) > max_pairs:
        drawn = np.sort(rng.choice(len(i), max_pairs, replace=False))
        i, j = i[drawn], j[drawn]
    n_pairs = (~np.isnan(D[i, j])).sum()
    if n_pairs < _LEAST_PAIRS:
        return pd.DataFrame(columns=COLUMNS)
    fixed = np.hstack([_pair_columns(code, i, j) for code in codes.values()] or [i[:, None]])

    def sample(moved: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and distances, with permuted distances to the geodesic and permuted distances."""
        X, y = fixed, D[measured[i], measured[j]]
        if to_geodesic is not None:
            a, b = to_geodesic[moved[i]], to_geodesic[moved[j]]
            X = np.column_stack([X, a + b, abs(a - b)])
        known = ~np.isnan(y)
        return X[known], y[known]

    def scores(samples) -> np.ndarray:
        return np.array(Parallel(threads)(delayed(_out_of_bag)(*one, trees) for one in samples))

    own = np.arange(n)
    observed: float | None = None
    rows: list[tuple] = []
    for name, code in codes.items():
        others = [other for key, other in codes.items() if key != name]
        orders = exchanges(others, n, permutations, rng)
        arrangements = {tuple(pd.factorize(code[order])[0]) for order in orders}
        if arrangements == {tuple(code)}:
            continue
        if observed is None:
            observed = _out_of_bag(*sample(own, own), trees)
        once, which = np.unique(
            orders, axis=0, return_inverse=True
        )  # small studies have few distinct orders
        found = scores(sample(order, order) for order in once)[which.ravel()]
        p_value = (1 + (found >= observed).sum()) / (1 + permutations)
        counts = permutations, len(arrangements)
        rows.append((name, code.max() + 1, observed - found, p_value, *counts))
    if rows and untested and to_geodesic is not None:
        found = scores(sample(order, own) for order in exchanges([], n, untested, rng))
        rows.append((TO_GEODESIC, None, observed - found, None, None, None))
    table = [
        (name, levels, drop.mean(), drop.std(), *tested, observed, n_pairs)
        for name, levels, drop, *tested in rows
    ]
    integers = dict.fromkeys(["levels", "permutations", "arrangements"], "Int64")
    found = pd.DataFrame(table, columns=COLUMNS).astype(integers)
    return found.sort_values("importance", ascending=False, ignore_index=True)


def exchanges(
    others: list[np.ndarray], n: int, count: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Random orders of n configurations that permute only those equal in all other factors."""
    blocks = np.unique(np.stack([np.zeros(n, int), *others]), axis=1, return_inverse=True)[1]
    members = [np.flatnonzero(blocks.ravel() == block) for block in np.unique(blocks)]
    orders = []
    for _ in range(count):
        order = np.arange(n)
        for block in members:
            order[block] = rng.permutation(block)
        orders.append(order)
    return orders


def _pair_columns(code: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """For each pair: how many of the two have each value, and whether both have the same."""
    one_hot = np.eye(code.max() + 1)[code]
    return np.column_stack([one_hot[i] + one_hot[j], code[i] == code[j]])


def _out_of_bag(X: np.ndarray, y: np.ndarray, trees: int) -> float:
    """R squared of a forest, where trees that were not fitted to a pair predict it."""
    forest = RandomForestRegressor(
        trees, max_features=1 / 3, min_samples_leaf=3, oob_score=True, random_state=0
    )
    return forest.fit(X, y).oob_score_
