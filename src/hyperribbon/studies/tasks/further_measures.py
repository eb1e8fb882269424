"""What further claims of chapter 3 measure, from the tables of a study of tasks.

Distances along mean trajectories have no interval: the tables have the means of all seeds only.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import largest_of, least_of, mean_over
from hyperribbon.reporting.statistics import Tables, rank_correlation, weighted_mean, with_interval
from hyperribbon.studies.tasks.mean_measures import OF_MEANS
from hyperribbon.studies.tasks.measures import Measure, compared, episodic, table_of
from hyperribbon.studies.tasks.names import ALL, EPISODIC, METHODS, TASKS, TREE, WAYS

TRAINING = ["group", "stage", "seed"]
CONTRASTIVE_METHODS = ("simclr", "barlow_twins")
ALIKE = 0.1  # relative difference of distances that the text calls equal
NEAR = 1.0  # tube radii: tubes intersect


def _groups(tables: Tables, comparison: str) -> pd.DataFrame:
    """Groups of a comparison, by name: what they learned, and by which method."""
    return compared(tables, comparison).set_index("group")


def _along(tables: Tables, comparison: str, column: str = "distance") -> pd.DataFrame:
    """Distances from the first reference by progress (rows) and group."""
    rows = table_of(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison]
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison}")
    rows = rows[rows["reference"] == rows["reference"].iloc[0]].dropna(subset=column)
    return rows.pivot(index="progress", columns="group", values=column)


def _of_means(value: float, note: str, groups: int) -> Ours:
    return Ours(float(value), note=note, drawn=OF_MEANS, sample=f"{groups} mean trajectories")


def _thirds(values: pd.Series) -> tuple[float, float]:
    """Mean of the first and of the last third of the values of progress that a group reaches."""
    reached = values.dropna()
    if len(reached) < 6:
        raise NotHere(f"{values.name} reaches too little progress")
    third = len(reached) // 3
    return reached.iloc[:third].mean(), reached.iloc[-third:].mean()


def _ends(tables: Tables, column: str, split: str = "test") -> pd.DataFrame:
    """One row per training: the last value of a column of its checkpoints."""
    rows = table_of(tables, "task_checkpoints")
    rows = rows[rows["split"] == split]
    return rows.groupby(TRAINING, sort=False)[column].last().reset_index()


def _less(rows: pd.DataFrame, column: str, first: str, second: str) -> Ours:
    """Mean of one group less that of another; trainings are drawn."""
    rows = rows[rows["group"].isin([first, second])].reset_index(drop=True)
    own = (rows["group"] == first).to_numpy()
    values = rows[column]
    return with_interval(
        lambda w: weighted_mean(values, w * own) - weighted_mean(values, w * ~own),
        rows, f"{first} less {second}", unit="training", by=TRAINING,
    )  # fmt: skip


def least_stress(tables: Tables) -> Ours:
    """Explained stress of three dimensions of the models alone, least over comparisons."""
    rows = table_of(tables, "task_stress").query("dimension == 3 and kind == 'models'")
    if rows.empty:
        raise NotHere("needs a comparison")
    found = {
        row.comparison: Ours(
            row.explained_stress, row.low, row.high,
            drawn=f"{row.configurations:g} configurations drawn with replacement",
            sample=f"{row.configurations:g} configurations, {row.models:g} models",
        )
        for row in rows.itertuples()
    }  # fmt: skip
    return least_of(found)


def larger_phyla(tables: Tables) -> Ours:
    """Rank correlation of final progress on all classes with the number of classes of a node."""
    classes = _groups(tables, TASKS).query("kind == 'node'")["classes"]
    if len(classes) < 3:
        raise NotHere(f"needs three nodes of a tree in the comparison {TASKS}")
    means = _ends(tables, "progress").groupby("group")["progress"].mean().reindex(classes.index)
    note = ", ".join(f"{name} {value:.3g}" for name, value in means.items())
    return rank_correlation(classes.tolist(), means.tolist(), "node", note)


def _of_all(tables: Tables) -> pd.DataFrame:
    rows = table_of(tables, "task_classes")
    rows = rows[rows["group"] == ALL].reset_index(drop=True)
    if rows.empty:
        raise NotHere("needs trainings on all classes")
    return rows


def progress_over_classes(tables: Tables) -> Ours:
    """Mean final progress over classes, of training on all of them."""
    rows = _of_all(tables).groupby(TRAINING)["progress"].mean().reset_index()
    return mean_over(rows, "progress", unit="training", by=TRAINING)


def progress_and_error_of_classes(tables: Tables) -> Ours:
    """Correlation over classes of final progress and test error, of training on all of them."""
    rows = _of_all(tables).groupby("class")[["progress", "error"]].mean().reset_index()
    if len(rows) < 3 or rows["error"].nunique() == 1:
        raise NotHere("needs three classes with different errors")

    def correlation(weights: np.ndarray) -> float:
        if (weights > 0).sum() < 3:
            return np.nan
        c = np.cov(rows["progress"], rows["error"], aweights=weights)
        return float(c[0, 1] / np.sqrt(c[0, 0] * c[1, 1])) if c[0, 0] * c[1, 1] > 0 else np.nan

    return with_interval(correlation, rows, unit="class", scale="correlation")


def seen_less_unseen(tables: Tables) -> Ours:
    """Final progress on classes of a task, less that on all others."""
    rows = table_of(tables, "task_classes")
    some = _groups(tables, TASKS).query("method == 'supervised'").index.drop(ALL, errors="ignore")
    rows = rows[rows["group"].isin(some)]
    means = rows.groupby([*TRAINING, rows["seen"].astype(bool)])["progress"].mean().unstack("seen")
    if means.empty or means.shape[1] < 2:
        raise NotHere(f"needs trainings on some of the classes in the comparison {TASKS}")
    less = (means[True] - means[False]).rename("less").reset_index()
    return mean_over(less, "less", unit="training", by=TRAINING)


def bifurcate(tables: Tables) -> Ours:
    """Distance of tasks from all classes late in their progress less early, least over tasks."""
    wide = _along(tables, TASKS)
    less = {}
    for name in wide:
        early, late = _thirds(wide[name])
        less[name] = late - early
    note = ", ".join(f"{name} {value:.3g}" for name, value in less.items())
    return _of_means(min(less.values()), note, len(less))


def random_is_nearest(tables: Tables) -> Ours:
    """Distance of the nearest other task from all classes, less that of random classes."""
    kinds = _groups(tables, TASKS).query("method == 'supervised'")["kind"]
    wide = _along(tables, TASKS)
    wide = wide[[name for name in wide if name in kinds.index]].dropna()
    random = [name for name in wide if kinds[name] == "random"]
    if wide.empty or not random or len(random) == wide.shape[1]:
        raise NotHere(f"needs random classes and other tasks in the comparison {TASKS}")
    means = wide.mean()
    note = ", ".join(f"{name} {value:.3g}" for name, value in means.items())
    return _of_means(means.drop(random).min() - means[random].max(), note, len(means))


def vertebrates_as_near(tables: Tables) -> Ours:
    """Share of the progress at which vertebrates are as near to conveyances as all classes are."""
    wide = _along(tables, TREE)
    names = ["vertebrates", ALL]
    if not set(names) <= set(wide) or "conveyances" not in _references(tables, TREE):
        raise NotHere("needs vertebrates and conveyances, as in config/tasks_imagenet.yaml")
    both = wide[names].dropna()
    alike = both["vertebrates"] <= (1 + ALIKE) * both[ALL]
    return _of_means(alike.mean(), f"{len(both)} values of progress", 2)


def _references(tables: Tables, comparison: str) -> set[str]:
    rows = table_of(tables, "task_distances")
    return set(rows.loc[rows["comparison"] == comparison, "reference"])


def _ways(tables: Tables) -> tuple[str, str]:
    small, large = episodic(tables, least=True), episodic(tables, least=False)
    if small == large:
        raise NotHere("needs two ways of episodic learning")
    return small, large


def small_way_errs_more(tables: Tables) -> Ours:
    """Final test error of 2-way episodic learning, less that of the largest way."""
    return _less(_ends(tables, "error"), "error", *_ways(tables))


def near_supervised(*, largest: bool) -> Measure:
    """Share of the progress at which the tubes of episodic and supervised learning intersect."""

    def measure(tables: Tables) -> Ours:
        group = _ways(tables)[largest]
        wide = _along(tables, EPISODIC, "normalised")
        if group not in wide:
            raise NotHere("needs two seeds of each training")
        values = wide[group].dropna()
        near = values < NEAR
        return _of_means(near.mean(), f"{group}, {len(values)} values of progress", 2)

    return measure


def departs_late(tables: Tables) -> Ours:
    """Distance of 2-way from supervised learning, last third of its progress less the first."""
    early, late = _thirds(_along(tables, EPISODIC)[_ways(tables)[0]])
    return _of_means(late - early, f"{late:.3g} less {early:.3g} nats", 2)


def approaches_with_way(tables: Tables) -> Ours:
    """Rank correlation of distance from all classes with the number of classes of random sets."""
    classes = _groups(tables, WAYS).query("kind == 'random'")["classes"]
    wide = _along(tables, WAYS)
    wide = wide[[name for name in wide if name in classes.index]].dropna()
    if wide.shape[1] < 3 or wide.empty:
        raise NotHere(f"needs three numbers of classes in the comparison {WAYS}, at some progress")
    means = wide.mean()
    note = ", ".join(f"{classes[name]}: {value:.3g}" for name, value in means.items())
    return rank_correlation(classes[means.index].tolist(), means.tolist(), "random set", note)


def _methods(tables: Tables) -> tuple[str, list[str]]:
    methods = _groups(tables, METHODS)["method"]
    names = methods.index[methods == "fixmatch"], methods.index[methods.isin(CONTRASTIVE_METHODS)]
    if not all(map(len, names)):
        raise NotHere(f"needs FixMatch and contrastive learning in the comparison {METHODS}")
    return names[0][0], list(names[1])


def fixmatch_is_farther(*, late: bool) -> Measure:
    """Distance of FixMatch from supervised learning less that of contrastive learning.

    In tube radii; of the contrastive method that is farthest early, and nearest late.
    """

    def measure(tables: Tables) -> Ours:
        own, others = _methods(tables)
        wide = _along(tables, METHODS, "normalised")
        missing = {own, *others} - set(wide)
        if missing:
            raise NotHere(f"needs two seeds of {', '.join(sorted(missing))}")
        common = wide[[own, *others]].dropna()
        found = {name: _thirds(common[name])[late] for name in common}
        note = ", ".join(f"{name} {value:.3g}" for name, value in found.items())
        other = (min if late else max)(found[name] for name in others)
        return _of_means(found[own] - other, note, len(found))

    return measure


def fixmatch_accuracy(tables: Tables) -> Ours:
    """Final test error of FixMatch less that of supervised learning on all classes."""
    rows = _ends(tables, "error")
    if ALL not in set(rows["group"]):
        raise NotHere("needs trainings on all classes")
    return _less(rows, "error", _methods(tables)[0], ALL)


def pairs_fall_short(tables: Tables) -> Ours:
    """Final progress of contrastive learning of all classes, less that of two classes."""
    found = table_of(tables, "task_trainings").query("method == 'simclr'").drop_duplicates("group")
    whole = found.loc[found["classes"] == found["classes"].max(), "group"]
    pairs = found.loc[found["classes"] == 2, "group"]
    if pairs.empty or found["classes"].nunique() < 2:
        raise NotHere("needs contrastive learning of all classes, and of two")
    rows = _ends(tables, "progress")
    rows = rows[rows["group"].isin([*whole, *pairs])]
    rows = rows.assign(group=np.where(rows["group"].isin(whole), "all", "two"))
    return _less(rows, "progress", "all", "two")


def mixing(tables: Tables) -> Ours:
    """RMSD of the embedding from mixed classes, relative to its size; largest over comparisons.

    Classes are mixed at random into the largest number that the table has.
    """
    rows = table_of(tables, "task_projection").dropna(subset="rmsd")
    if rows.empty:
        raise NotHere("needs a comparison with more than two classes")
    rows = rows[rows["n_classes"] == rows["n_classes"].max()].reset_index(drop=True)
    found = {}
    for name, part in rows.groupby("comparison", sort=False):
        part = part.reset_index(drop=True)
        found[str(name)] = mean_over(part, "rmsd", unit="mixture", by=["draw"])
    return largest_of(found, f"{rows['n_classes'].iloc[0]} mixed classes")
