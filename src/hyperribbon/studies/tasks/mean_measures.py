"""What the claims of chapter 3 measure from mean trajectories, of which each group has one.

Trainings of a group are averaged before distances are taken, so that a study has nothing to draw
for an interval, unless several groups are of one kind.
"""

from __future__ import annotations

import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import mean_over
from hyperribbon.reporting.statistics import Tables, rank_correlation
from hyperribbon.studies.tasks.measures import (
    Measure,
    compared,
    episodic,
    reference_of,
    table_of,
    trainings_of,
)
from hyperribbon.studies.tasks.names import ALL, CONTRASTIVE, EPISODIC, METHODS, TASKS, WAYS

OF_MEANS = "no interval: one mean trajectory of each group"


def normalised(tables: Tables, comparison: str) -> pd.DataFrame:
    """Normalised distances from the first reference, one row per group and value of progress."""
    rows = table_of(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison].dropna(subset="normalised")
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison}, with two seeds of each training")
    return rows[rows["reference"] == reference_of(tables, comparison)]


def larger_way_is_nearer(tables: Tables) -> Ours:
    """Distance of 2-way episodic learning from supervised learning, less that of a larger way."""
    small, large = episodic(tables, least=True), episodic(tables, least=False)
    if small == large:
        raise NotHere("needs two ways")
    wide = normalised(tables, EPISODIC).pivot(
        index="progress", columns="group", values="normalised"
    )
    both = wide[[small, large]].dropna()
    if both.empty:
        raise NotHere("the two ways reach no progress in common")
    means = both.mean()
    note = f"in tube radii: {small} {means[small]:.1f}, {large} {means[large]:.1f}"
    return _of_means(means[small] - means[large], note, f"{len(both)} values of progress")


def radius_over_ways(tables: Tables) -> Ours:
    """Rank correlation of tube radius and number of classes, at progress that all sets reach."""
    wide = _common(tables, WAYS, "radius")
    return _ranked(tables, wide.mean().rename("value"), f"at {len(wide)} values of progress")


def over_ways(column: str) -> Measure:
    """Rank correlation of a measure of groups with their number of classes, on train samples."""

    def measure(tables: Tables) -> Ours:
        rows = table_of(tables, "task_groups").query("split == 'train'").set_index("group")
        return _ranked(tables, rows[column].rename("value"))

    return measure


def _ranked(tables: Tables, values: pd.Series, note: str = "") -> Ours:
    """Rank correlation of values of the sets of random classes with their number."""
    classes = compared(tables, WAYS).query("kind == 'random'").set_index("group")["classes"]
    found = pd.concat([classes, values], axis=1, join="inner").dropna().sort_values("classes")
    if len(found) < 3:
        raise NotHere(f"needs the comparison {WAYS} of at least three numbers of classes")
    each = ", ".join(f"{row.classes:.0f}: {row.value:.3g}" for row in found.itertuples())
    return rank_correlation(found["classes"], found["value"], "group", f"{each} {note}".strip())


def _common(tables: Tables, comparison: str, column: str) -> pd.DataFrame:
    """A column of distances by progress (rows) and group, where all random sets are."""
    rows = table_of(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison]
    names = compared(tables, comparison).query("kind == 'random'")["group"]
    wide = rows[rows["group"].isin(names)].pivot_table(
        index="progress", columns="group", values=column
    )
    return wide.dropna()


def fixmatch_approaches(tables: Tables) -> Ours:
    """Normalised distance of FixMatch in the last third of its progress, less the first third's."""
    group = compared(tables, METHODS).query("method == 'fixmatch'")["group"]
    if group.empty:
        raise NotHere("needs FixMatch")
    rows = normalised(tables, METHODS)
    rows = rows[rows["group"] == group.iloc[0]].sort_values("progress")["normalised"].to_numpy()
    if len(rows) < 6:
        raise NotHere("FixMatch reaches too little progress")
    early, late = (part.mean() for part in (rows[: len(rows) // 3], rows[-(len(rows) // 3) :]))
    note = f"in tube radii: {early:.1f}, then {late:.1f}"
    return _of_means(late - early, note, f"{len(rows)} values of progress")


def _of_means(value: float, note: str, sample: str) -> Ours:
    """A number from mean trajectories, which a study has one of for each group."""
    return Ours(float(value), note=note, drawn=OF_MEANS, sample=sample)


def methods_against_tasks(tables: Tables) -> Ours:
    """How much nearer other methods are to supervised learning than other tasks are (nats)."""
    far, near = _distances(tables, TASKS), _distances(tables, METHODS)
    tasks = compared(tables, TASKS).query("method == 'supervised'")["group"]
    methods = compared(tables, METHODS).query("method != 'supervised'")["group"]
    return _least_difference(
        far[[g for g in far if g in set(tasks)]], near[[g for g in near if g in set(methods)]]
    )


def _distances(tables: Tables, comparison: str) -> pd.DataFrame:
    """Distance from the mean trajectory of all classes (nats), by progress (rows) and group."""
    rows = table_of(tables, "task_distances")
    rows = rows[(rows["comparison"] == comparison) & (rows["reference"] == ALL)]
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison} with the reference {ALL}")
    return rows.pivot(index="progress", columns="group", values="distance")


def _least_difference(far: pd.DataFrame, near: pd.DataFrame) -> Ours:
    """Least mean difference of two groups' distances, each at progress that both reach."""
    found = {}
    for a in far:
        for b in near:
            both = pd.concat([far[a], near[b]], axis=1, keys=["far", "near"]).dropna()
            if len(both) > 1 and a != b:
                found[f"{a} less {b}"] = float((both["far"] - both["near"]).mean())
    if not found:
        raise NotHere("needs groups that reach some progress in common")
    least = min(found, key=found.__getitem__)
    note = ", ".join(f"{name} {value:.4f}" for name, value in found.items())
    return _of_means(found[least], f"least: {least}; nats: {note}", f"{len(found)} pairs of groups")


def contrastive_pairs(tables: Tables) -> Ours:
    """Distance of contrastive learning of two classes from that of all, in tube radii.

    Averaged over the first 45% of the values of progress, and over the sets of two classes.
    """
    rows = normalised(tables, CONTRASTIVE)
    groups = compared(tables, CONTRASTIVE).query("method == 'simclr' and classes == 2")["group"]
    rows = rows[rows["group"].isin(groups)]
    if rows.empty:
        raise NotHere("needs contrastive learning of two classes")
    limit = 0.45 * table_of(tables, "task_distances")["progress"].max()
    means = rows[rows["progress"] <= limit].groupby("group")["normalised"].mean().reset_index()
    note = ", ".join(f"{row.group} {row.normalised:.1f}" for row in means.itertuples())
    ours = mean_over(means, "normalised", note, unit="class set", by=["group"])
    return ours._replace(sample=f"{len(means)} class set{'s' * (len(means) != 1)}")


def supervised_from_contrastive(tables: Tables) -> Ours:
    """Distance of supervised learning of all classes from contrastive learning, in tube radii."""
    rows = normalised(tables, CONTRASTIVE).query("group == @ALL")
    if rows.empty:
        raise NotHere(f"needs {ALL} in the comparison {CONTRASTIVE}")
    return _of_means(rows["normalised"].mean(), "", f"{len(rows)} values of progress")


def contrastive_before_supervised(tables: Tables) -> Ours:
    """Distance of supervised learning less that of contrastive learning, least over pairs."""
    rows = normalised(tables, CONTRASTIVE)
    wide = rows.pivot(index="progress", columns="group", values="distance")
    kinds = compared(tables, CONTRASTIVE).set_index("group")["method"]
    of = {kind: [g for g in wide if kinds[g] == kind] for kind in ("supervised", "simclr")}
    if not all(of.values()):
        raise NotHere("needs contrastive and supervised learning that reach some progress")
    return _least_difference(wide[of["supervised"]], wide[of["simclr"]])


def joint_against_tasks(tables: Tables) -> Ours:
    """How much nearer joint training on tasks is to all classes than the nearest of its tasks."""
    joint = trainings_of(tables).query("method == 'joint'")
    if joint.empty:
        raise NotHere("needs the method joint")
    row = joint.iloc[0]
    wide = _distances(tables, TASKS)
    parts = [name for name in str(row["tasks"]).split("+") if name in wide]
    if row["group"] not in wide or not parts:
        raise NotHere(f"needs it and its tasks in the comparison {TASKS}")
    return _least_difference(wide[parts], wide[[row["group"]]])
