"""Numbers that claims speak of, from a study's tables, with intervals over configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from hyperribbon.bootstrap import bootstrap_interval
from hyperribbon.claims.rules import NotHere, Ours

TO_GEODESIC = "distance to geodesic"

Tables = Mapping[str, pd.DataFrame]


def over_configurations(
    statistic: Callable[[np.ndarray], float], table: pd.DataFrame, note: str = ""
) -> Ours:
    """A statistic of multiplicities of a table's rows, its configurations drawn again."""
    value = float(statistic(np.ones(len(table))))
    low, high = bootstrap_interval(statistic, table["configuration"], value)
    return Ours(value, float(low), float(high), note)


def of_split(tables: Tables, name: str, split: str, **equal: object) -> pd.DataFrame:
    """A split's rows of a table, those with given values in some columns, numbered anew."""
    table = tables[name]
    for column, value in {"split": split, **equal}.items():
        table = table[table[column] == value]
    return table.reset_index(drop=True)


def weighted_mean(values: pd.Series, weights: np.ndarray) -> float:
    """NaN where nothing has weight."""
    total = weights.sum()
    return float(values @ weights / total) if total else np.nan


def r_squared(x: pd.Series, y: pd.Series, weights: np.ndarray) -> float:
    """Of a linear regression."""
    covariance = np.cov(x, y, aweights=weights, bias=True)
    return float(covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1]))


def stress(split: str, dimension: int) -> Callable[[Tables], Ours]:
    """Explained stress of all models; its interval is that of the sampled ones."""

    def measure(tables: Tables) -> Ours:
        whole = of_split(tables, "explained_stress", split, dimension=dimension)
        sampled = of_split(tables, "null", split, kind="observed", dimension=dimension)
        if whole.empty:
            raise NotHere(f"fewer than {dimension} models")
        value = whole["explained_stress"].iloc[0]
        if sampled.empty:
            return Ours(value)
        row = sampled.iloc[0]
        moved = value - row["explained_stress"]
        return Ours(value, row["low"] + moved, min(row["high"] + moved, 1.0))

    return measure


def second_eigenvalue(tables: Tables) -> Ours:
    """Relative to the first one; negative if time-like."""
    eigenvalues = of_split(tables, "explained_stress", "train")["eigenvalue"]
    return Ours(eigenvalues[1] / eigenvalues[0])


def progress_and_error(split: str) -> Callable[[Tables], Ours]:
    """R^2 over all models."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", split)
        return over_configurations(
            lambda w: r_squared(models["progress"], models["error"], w), models
        )

    return measure


def train_and_test_progress(tables: Tables) -> Ours:
    """R^2 over all models."""
    train, test = (of_split(tables, "models", split) for split in ("train", "test"))
    return over_configurations(lambda w: r_squared(train["progress"], test["progress"], w), train)


def first_distance(tables: Tables) -> Ours:
    """Largest distance from ignorance at initialisation, test."""
    models = of_split(tables, "models", "test", step=0)
    if models.empty:
        raise NotHere("no model at step 0")
    to_ignorance = models["distance_to_ignorance"]
    return over_configurations(lambda w: to_ignorance[w > 0].max(), models)


def last_distance(split: str) -> Callable[[Tables], Ours]:
    """Largest distance from the truth of a trajectory's end, if its train error is at most 10%."""

    def measure(tables: Tables) -> Ours:
        keys = ["configuration", "seed"]
        ends = {s: of_split(tables, "models", s).groupby(keys, sort=False).last()
                for s in ("train", "test")}  # fmt: skip
        trained = (ends["train"]["error"] <= 0.1).to_numpy()
        if not trained.any():
            raise NotHere("no training ended with a train error of at most 10%")
        found = ends[split][trained].reset_index()
        return over_configurations(lambda w: found["distance_to_truth"][w > 0].max(), found)

    return measure


def away_of(network: str) -> Callable[[Tables], Ours]:
    """Share of a network's models that are away from the train manifold."""

    def measure(tables: Tables) -> Ours:
        models = of_split(tables, "models", "train")
        if not models["away"].any():
            raise NotHere("no model is away from the manifold")
        own = of_split(tables, "models", "train", network=network)
        if own.empty:
            raise NotHere(f"no network {network}")
        return Ours(own["away"].mean())

    return measure


def tube_width(split: str) -> Callable[[Tables], Ours]:
    """Median distance from the mean of the seeds."""

    def measure(tables: Tables) -> Ours:
        widths = _tubes(tables, split)
        return over_configurations(lambda w: _median(widths["to_mean"], w), widths)

    return measure


def _tubes(tables: Tables, split: str) -> pd.DataFrame:
    tubes = of_split(tables, "tubes", split).dropna(subset="to_mean").reset_index(drop=True)
    if tubes.empty:
        raise NotHere("no configuration has two seeds that reach the same progress")
    return tubes


def _median(values: pd.Series, weights: np.ndarray) -> float:
    return float(np.median(np.repeat(values.to_numpy(), weights.astype(int))))


def configuration_distance(tables: Tables) -> Ours:
    """Mean distance between trajectories of different configurations, train."""
    found = of_split(tables, "configuration_distances", "train").dropna(subset="distance")
    found = found[found["configuration"] != found["other"]].reset_index(drop=True)
    if found.empty:
        raise NotHere("no two configurations reach a common progress")
    names = pd.unique(found[["configuration", "other"]].to_numpy().ravel())
    first, second = (
        found[side].map({name: k for k, name in enumerate(names)}).to_numpy()
        for side in ("configuration", "other")
    )

    def mean(weights: np.ndarray) -> float:
        return weighted_mean(found["distance"], weights[first] * weights[second])

    value = mean(np.ones(len(names)))
    return Ours(value, *map(float, bootstrap_interval(mean, names, value)))


def tube_in_configuration_distances(tables: Tables) -> Ours:
    """Median tube width less the median distance of different configurations, train."""
    width = tube_width("train")(tables)
    found = of_split(tables, "configuration_distances", "train")
    other = found["configuration"] != found["other"]
    distance = found["distance"][other].median()
    if np.isnan(distance):
        raise NotHere("no two configurations reach a common progress")
    note = f"median tube width less {distance:.3g} nats, the median distance of configurations"
    return Ours(width.value - distance, width.low - distance, width.high - distance, note)


def geodesic_middle(tables: Tables) -> Ours:
    """Mean distance from the geodesic at progress 0.3 to 0.7 less that below 0.1, above 0.9."""
    tubes = of_split(tables, "tubes", "train")
    middle = tubes["progress"].between(0.3, 0.7).to_numpy()
    ends = ~tubes["progress"].between(0.1, 0.9).to_numpy()
    distance = tubes["to_geodesic"]
    return over_configurations(
        lambda w: weighted_mean(distance, w * middle) - weighted_mean(distance, w * ends), tubes
    )


def geodesic_test_less_train(tables: Tables) -> Ours:
    """Mean distance from the geodesic, test less train."""
    tubes = tables["tubes"].reset_index(drop=True)
    test = (tubes["split"] == "test").to_numpy()
    distance = tubes["to_geodesic"]
    return over_configurations(
        lambda w: weighted_mean(distance, w * test) - weighted_mean(distance, w * ~test), tubes
    )


def nearest_to_geodesic(network: str) -> Callable[[Tables], Ours]:
    """Mean distance from the geodesic of a network less that of the nearest other one, train."""

    def measure(tables: Tables) -> Ours:
        tubes = of_split(tables, "tubes", "train")
        others = [name for name in tubes["network"].unique() if name != network]
        if network not in tubes["network"].unique() or not others:
            raise NotHere(f"needs the network {network}, and another one")
        own, distance = (tubes["network"] == network).to_numpy(), tubes["to_geodesic"]
        each = [(tubes["network"] == name).to_numpy() for name in others]

        def less_nearest(w: np.ndarray) -> float:
            means = [weighted_mean(distance, w * member) for member in each]
            return weighted_mean(distance, w * own) - np.fmin.reduce(means)

        return over_configurations(less_nearest, tubes)

    return measure


def augmentation_widens(tables: Tables) -> Ours:
    """Mean tube width above progress 0.8 with augmentation less that without, train."""
    tubes = _tubes(tables, "train").query("progress > 0.8")
    return _with_less_without(
        tubes, "to_mean", tubes["augmentation"] != "none", ["network", "optimiser"],
        "trainings with and without augmentation, of two seeds that reach progress 0.8",
    )  # fmt: skip


def nesterov_is_early(tables: Tables) -> Ours:
    """Mean train progress in the first epoch, with Nesterov's acceleration less without."""
    models = of_split(tables, "models", "train").query("step > 0 and epoch <= 1")
    return _with_less_without(
        models, "progress", models["optimiser"].str.contains("nesterov", case=False),
        ["network", "augmentation"],
        "an optimiser named after Nesterov, another one, and checkpoints in the first epoch",
    )  # fmt: skip


def _with_less_without(
    table: pd.DataFrame, column: str, having: pd.Series, among: list[str], needs: str
) -> Ours:
    """Mean difference of a column between rows that have something and such that do not.

    Compared among rows that are otherwise alike, such alike ones drawn again for the interval.
    """
    means = table.groupby([*among, having.rename("having").astype(bool)])[column].mean()
    both = means.unstack("having").dropna() if len(means) else pd.DataFrame()
    if both.shape[1] < 2 or both.empty:
        raise NotHere(f"needs {needs}")
    less = both[True] - both[False]
    pairs = less.rename("less").reset_index()
    pairs["configuration"] = pairs[among].agg("-".join, axis=1)
    note = f"over {len(pairs)} pairs alike in {' and '.join(among)}"
    return over_configurations(lambda w: weighted_mean(pairs["less"], w), pairs, note)


def train_axes_on_test(tables: Tables) -> Ours:
    """Explained pairwise distance on test in the axes of train, in parts of that in its own."""
    found = of_split(tables, "joint_explained", "test")
    last = found[found["dimension"] == found["dimension"].max()].set_index("axes")
    own, placed = last.loc["test"], last.loc["train"]
    scale = own["explained_pairwise_distance"]
    bounds = placed[["explained_pairwise_distance", "low", "high"]] / scale
    return Ours(*bounds, f"{placed.iloc[2]:.2f} of {scale:.2f} in {placed['dimension']} dimensions")


def few_samples(split: str, size: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance in 3 dimensions from few samples, less that from all."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "subsets", split, kind="samples", dimension=3)
        whole = found["size"].max()
        few = found[found["size"] == size]["explained_pairwise_distance"]
        if few.empty or whole <= size:
            raise NotHere(f"needs more than {size} {split} samples")
        less = few - found[found["size"] == whole]["explained_pairwise_distance"].iloc[0]
        return Ours(less.mean(), less.min(), less.max(), "lowest and highest draw")

    return measure


def four_points(dimension: int) -> Callable[[Tables], Ours]:
    """Explained pairwise distance of four points (s = 0.2), less that of InPCA's dimensions."""

    def measure(tables: Tables) -> Ours:
        four, whole = _four(tables, "four", 3), _four(tables, "all", dimension)
        if four.empty or whole.empty:
            raise NotHere("no models near progress 0.2 and 0.8")
        less = four[["explained_pairwise_distance", "low", "high"]].iloc[0]
        value = whole["explained_pairwise_distance"].iloc[0]
        return Ours(*(less - value), f"{less.iloc[0]:.2f} against {value:.2f}")

    return measure


def four_points_rmsd(tables: Tables) -> Ours:
    """Of the aligned embeddings, s = 0.2."""
    rmsd = _four(tables, "four", 3)["rmsd"].dropna()
    if rmsd.empty:
        raise NotHere("the two embeddings have other signatures, or no models near 0.2 and 0.8")
    return Ours(rmsd.iloc[0])


def _four(tables: Tables, points: str, dimension: int) -> pd.DataFrame:
    """Of models near the manifold, if some are away; averages at 0.2 and 0.8."""
    found = of_split(tables, "four_points", "train", points=points, dimension=dimension)
    if points == "four":
        found = found[found["s"] == 0.2]
    return found.tail(1)


def pca(split: str) -> Callable[[Tables], Ours]:
    """Explained variance of three dimensions of PCA."""

    def measure(tables: Tables) -> Ours:
        row = _of_metric(tables, split, "euclidean")
        return Ours(row["explained_pairwise_distance"], row["pairwise_low"], row["pairwise_high"])

    return measure


def iskl_less_inpca(tables: Tables) -> Ours:
    """Explained stress of three dimensions, IsKL less InPCA, train."""
    ours, other = (_of_metric(tables, "train", m) for m in ("symmetric_kl", "bhattacharyya"))
    value = ours["explained_stress"] - other["explained_stress"]
    half = np.hypot(ours["high"] - ours["low"], other["high"] - other["low"]) / 2
    return Ours(value, value - half, value + half, "interval from those of both")


def _of_metric(tables: Tables, split: str, metric: str) -> pd.Series:
    return of_split(tables, "metrics", split, metric=metric, dimension=3).iloc[0]


def median_error(network: str, split: str, parameters: int) -> Callable[[Tables], Ours]:
    """Median final error of a network of a given size, percent."""

    def measure(tables: Tables) -> Ours:
        ends = of_split(tables, "trajectories", split).merge(
            tables["configurations"][["configuration", "parameters"]]
        )
        ends = ends[ends["parameters"] == parameters].reset_index(drop=True)
        if ends.empty:
            raise NotHere(f"no network of {parameters:,} parameters, as {network} has")
        return over_configurations(lambda w: 100 * _median(ends["final_error"], w), ends)

    return measure


def architecture_first(split: str) -> Callable[[Tables], Ours]:
    """Importance of the architecture less that of the next factor."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        own = _architecture(factors)
        others = factors.drop(index=own)
        if others.empty:
            raise NotHere("architecture is the only factor that can be told apart")
        return _less(factors.loc[own], others.loc[others["importance"].idxmax()])

    return measure


def optimisation_second(split: str) -> Callable[[Tables], Ours]:
    """The largest importance of algorithm and batch size less that of what is not optimisation."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        others = factors.drop(index=_architecture(factors))
        optimisation = others.index.isin(["optimiser", "algorithm", "batch_size", "learning_rate"])
        if optimisation.all() or not optimisation.any():
            raise NotHere("needs factors of optimisation, and one beside it and the architecture")
        first, next_one = (
            part.loc[part["importance"].idxmax()]
            for part in (others[optimisation], others[~optimisation])
        )
        return _less(first, next_one)

    return measure


def architecture_by_chance(split: str) -> Callable[[Tables], Ours]:
    """P-value of the importance of the architecture."""

    def measure(tables: Tables) -> Ours:
        factors = _importance(tables, split)
        row = factors.loc[_architecture(factors)]
        if np.isnan(row["p_value"]):
            raise NotHere("too few configurations agree in all other factors")
        return Ours(row["p_value"], note=f"{row['arrangements']:g} arrangements")

    return measure


def _importance(tables: Tables, split: str) -> pd.DataFrame:
    """Factors of a configuration, by name."""
    factors = of_split(tables, "importance", split).set_index("factor")
    return factors.drop(index=TO_GEODESIC, errors="ignore")


def _architecture(factors: pd.DataFrame) -> str:
    for name in ("network", "architecture"):
        if name in factors.index:
            return name
    raise NotHere("too few configurations, or architectures, for a random forest")


def _less(first: pd.Series, second: pd.Series) -> Ours:
    """Difference of importances, with an interval from the spread of their permutations."""
    value = first["importance"] - second["importance"]
    half = 1.96 * np.hypot(first["std"], second["std"])
    note = f"{first.name} {first['importance']:.2f}, {second.name} {second['importance']:.2f}"
    return Ours(value, value - half, value + half, f"{note}; interval from permutations")


def trajectory_stress(split: str) -> Callable[[Tables], Ours]:
    """Explained stress of two dimensions of the embedding of trajectories."""

    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "trajectory_stress", split, dimension=2)
        if found.empty:
            raise NotHere("too few trajectories reach a common progress")
        return Ours(*found[["explained_stress", "low", "high"]].iloc[0])

    return measure


def larger_is_faster(tables: Tables) -> Ours:
    """Train progress at equal updates, an architecture's larger network less its smaller one."""
    sizes = tables["configurations"].groupby("architecture")["parameters"].nunique()
    models = of_split(tables, "models", "train").merge(
        tables["configurations"][["configuration", "architecture", "parameters"]]
    )
    models = models[models["architecture"].isin(sizes.index[sizes > 1]) & (models["step"] > 0)]
    among = ["architecture", "optimiser", "augmentation"]
    mean = models.groupby([*among, "step", "parameters"])["progress"].mean().unstack("parameters")
    if mean.empty:
        raise NotHere("no architecture in two sizes")
    rows = []
    for names, steps in mean.groupby(among):
        known = steps.dropna(axis=1, how="all").dropna()
        if known.shape[1] > 1 and len(known):
            less = known[known.columns.max()] - known[known.columns.min()]
            rows.append({"configuration": "-".join(names), "less": less.mean()})
    if not rows:
        raise NotHere("networks of two sizes have no updates in common")
    pairs = pd.DataFrame(rows)
    return over_configurations(
        lambda w: weighted_mean(pairs["less"], w), pairs, f"over {len(pairs)} pairs alike"
    )


def harmonic_error_less(*others: str) -> Callable[[Tables], Ours]:
    """Final test error of the harmonic mean, less that of the best of others, percent."""
    return _harmonic_less(others, "error", np.min, 100)


def harmonic_progress_less(*others: str) -> Callable[[Tables], Ours]:
    """Final test progress of the harmonic mean, less the largest of others."""
    return _harmonic_less(others, "progress", np.max, 1)


def _harmonic_less(others: tuple[str, ...], column: str, best, unit: float):
    def measure(tables: Tables) -> Ours:
        found = of_split(tables, "ensembles", "test")
        last = found.groupby(["configuration", "kind"], sort=False)[column].last().unstack("kind")
        if last.empty:
            raise NotHere("one seed a configuration")
        last = last.reset_index()

        def less(w: np.ndarray) -> float:
            means = [weighted_mean(last[kind], w) for kind in others]
            return unit * (weighted_mean(last["harmonic"], w) - best(means))

        seeds = found["seeds"].max()
        return over_configurations(less, last, f"{len(last)} configurations of up to {seeds} seeds")

    return measure
