"""What the claims of chapter 3 measure, from the tables of a study of tasks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hyperribbon.numerics.bootstrap import bootstrap_interval, bootstrap_mean
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import Tables, weighted_mean
from hyperribbon.studies.tasks.names import (
    ALL,
    CONTRASTIVE,
    EPISODIC,
    METHODS,
    TASKS,
    TREE,
    WAYS,
)

Measure = Callable[[Tables], Ours]


def _table(tables: Tables, name: str) -> pd.DataFrame:
    if name not in tables:
        raise NotHere("needs a study of tasks")
    return tables[name]


def _trainings(tables: Tables) -> pd.DataFrame:
    """One row per group of trainings."""
    return _table(tables, "task_trainings").drop_duplicates("group")


def stress_of(comparison: str) -> Measure:
    """Explained stress of three dimensions, with the interval of the models alone."""

    def measure(tables: Tables) -> Ours:
        rows = _table(tables, "task_stress")
        rows = rows[(rows["comparison"] == comparison) & (rows["dimension"] == 3)]
        if rows.empty:
            raise NotHere(f"needs the comparison {comparison}")
        together = rows[rows["kind"] == "with means"].iloc[0]
        alone = rows[rows["kind"] == "models"].iloc[0]
        null = rows.loc[rows["kind"] == "shuffled", "explained_stress"].mean()
        note = (
            f"{together['models']} points; the {alone['models']} models alone "
            f"{alone['explained_stress']:.3f}, shuffled within classes {null:.3f}"
        )
        return Ours(together["explained_stress"], alone["low"], alone["high"], note)

    return measure


def above_shuffled(tables: Tables) -> Ours:
    """Least difference of the explained stress from that of shuffled models, over comparisons."""
    rows = _table(tables, "task_stress").query("dimension == 3")
    wide = rows.pivot_table(index="comparison", columns="kind", values="explained_stress")
    if wide.empty:
        raise NotHere("needs a comparison")
    less = wide["models"] - wide["shuffled"]
    low = rows.query("kind == 'models'").set_index("comparison")["low"] - wide["shuffled"]
    least = less.idxmin()
    note = ", ".join(f"{name} {value:.2f}" for name, value in less.items())
    return Ours(less.min(), low[least], np.nan, note)


def _share(tables: Tables, group: str, note: str) -> Ours:
    """Progress of a group at the end, relative to that of training on all classes."""
    rows = _table(tables, "task_checkpoints").query("split == 'test'")
    ends = rows.groupby(["group", "stage", "seed"], sort=False)["progress"].last().reset_index()
    return _of_two(ends, "progress", (group, ALL), np.divide)._replace(note=note)


def _of_two(
    table: pd.DataFrame,
    column: str,
    groups: tuple[str, str],
    combine: Callable[[float, float], float],
) -> Ours:
    """A number from the means of two groups, with an interval from resampled trainings."""
    chosen = table[table["group"].isin(groups)].reset_index(drop=True)
    first = (chosen["group"] == groups[0]).to_numpy()

    def statistic(weights: np.ndarray) -> float:
        means = (weighted_mean(chosen[column][k], weights[k]) for k in (first, ~first))
        return float(combine(*means))

    value = statistic(np.ones(len(chosen)))
    units = chosen["group"] + chosen["stage"] + chosen["seed"].astype(str)
    low, high = bootstrap_interval(statistic, units, value)
    return Ours(value, float(low), float(high))


def _compared(tables: Tables, comparison: str) -> pd.DataFrame:
    groups = _table(tables, "task_embedding").query("comparison == @comparison")["group"].unique()
    found = _trainings(tables)
    return found[found["group"].isin(groups)]


def share_of_smallest_node(tables: Tables) -> Ours:
    """Share of the progress that training on the node with the fewest classes makes."""
    nodes = _compared(tables, TASKS).query("kind == 'node'")
    if nodes.empty or ALL not in set(_compared(tables, TASKS)["group"]):
        raise NotHere("needs trainings on a node of a tree and on all classes")
    row = nodes.sort_values("classes").iloc[0]
    return _share(tables, row["group"], f"{row['group']}, {row['classes']} classes")


def share_of_random_classes(tables: Tables) -> Ours:
    """Share of the progress that training on random classes makes."""
    some = _compared(tables, TASKS).query("kind == 'random'")
    if some.empty or ALL not in set(_compared(tables, TASKS)["group"]):
        raise NotHere("needs trainings on random classes and on all classes")
    row = some.iloc[0]
    return _share(tables, row["group"], f"{row['group']}, {row['classes']} classes")


def diversity(tables: Tables) -> Ours:
    """Progress on unseen classes after training on random ones, less that after one phylum."""
    kinds = _compared(tables, TASKS)
    random, nodes = kinds.query("kind == 'random'"), kinds.query("kind == 'node'")
    if random.empty or nodes.empty:
        raise NotHere("needs trainings on random classes and on nodes of a tree")
    size = random["classes"].iloc[0]
    nearest = nodes.iloc[(nodes["classes"] - size).abs().argsort().iloc[0]]
    groups = (random["group"].iloc[0], nearest["group"])
    rows = _table(tables, "task_classes")
    rows = rows[~rows["seen"].astype(bool) & rows["group"].isin(groups)]
    means = rows.groupby(["group", "stage", "seed"])["progress"].mean().reset_index()
    about = f"{groups[0]} ({size} classes) less {groups[1]} ({nearest['classes']} classes)"
    return _of_two(means, "progress", groups, np.subtract)._replace(note=about)


def progress_on_unseen(tables: Tables) -> Ours:
    """Least gain of progress on unseen classes during training, over groups of one comparison."""
    rows = _table(tables, "task_classes")
    rows = rows[~rows["seen"].astype(bool) & rows["group"].isin(_compared(tables, TASKS)["group"])]
    if rows.empty:
        raise NotHere("needs trainings on some of the classes")
    gain = (rows["progress"] - rows["initial_progress"]).groupby(rows["group"]).mean()
    note = ", ".join(f"{group} {value:.3f}" for group, value in gain.items())
    return Ours(gain.min(), note=note)


def agreement(column: str, of: str = "normalised") -> Measure:
    """How distances between tasks agree with the tree of classes."""

    def measure(tables: Tables) -> Ours:
        rows = _table(tables, "task_tree_test")
        rows = rows[rows["measure"] == of]
        if rows.empty:
            raise NotHere(f"needs the comparison {TREE} of at least four nodes of a tree")
        row = rows.iloc[0]
        note = f"{row['tasks']} tasks; Mantel r = {row['mantel_r']:.2f}, p = {row['mantel_p']:.3f}"
        return Ours(row[column], note=note)

    return measure


def reference_of(tables: Tables, comparison: str) -> str:
    """The group from whose mean trajectory a comparison shows distances."""
    rows = _table(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison]
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison}")
    return str(rows["reference"].iloc[0])


def length_ratio(tables: Tables) -> Ours:
    """Length of 2-way episodic training over that of supervised learning, at equal counts."""
    two_way, reference = _episodic(tables, least=True), reference_of(tables, EPISODIC)
    rows = _table(tables, "task_lengths").query("split == 'train'")
    ratios = {
        count: _of_two(part, "length", (two_way, reference), np.divide)
        for count, part in rows[rows["group"].isin([two_way, reference])].groupby("checkpoints")
    }
    if not ratios:
        raise NotHere("needs trainings that did not diverge")
    note = ", ".join(f"{count}: {ours.value:.2f}" for count, ours in ratios.items())
    return ratios[max(ratios)]._replace(note=f"by checkpoints: {note}")


def _episodic(tables: Tables, *, least: bool) -> str:
    found = _compared(tables, EPISODIC).query("method == 'prototypical'").sort_values("way")
    if found.empty:
        raise NotHere(f"needs episodic learning in the comparison {EPISODIC}")
    return str(found["group"].iloc[0 if least else -1])


def normalised(tables: Tables, comparison: str) -> pd.DataFrame:
    """Normalised distances from the first reference, one row per group and value of progress."""
    rows = _table(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison].dropna(subset="normalised")
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison}, with two seeds of each training")
    return rows[rows["reference"] == reference_of(tables, comparison)]


def larger_way_is_nearer(tables: Tables) -> Ours:
    """Distance of 2-way episodic learning from supervised learning, less that of a larger way."""
    small, large = _episodic(tables, least=True), _episodic(tables, least=False)
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
    return Ours(float(means[small] - means[large]), note=note)


def radius_over_ways(tables: Tables) -> Ours:
    """Rank correlation of tube radius and number of classes, at progress that all sets reach."""
    wide = _common(tables, WAYS, "radius")
    return _ranked(tables, wide.mean().rename("value"), f"at {len(wide)} values of progress")


def over_ways(column: str) -> Measure:
    """Rank correlation of a measure of groups with their number of classes, on train samples."""

    def measure(tables: Tables) -> Ours:
        rows = _table(tables, "task_groups").query("split == 'train'").set_index("group")
        return _ranked(tables, rows[column].rename("value"))

    return measure


def _ranked(tables: Tables, values: pd.Series, note: str = "") -> Ours:
    """Rank correlation of values of the sets of random classes with their number."""
    classes = _compared(tables, WAYS).query("kind == 'random'").set_index("group")["classes"]
    found = pd.concat([classes, values], axis=1, join="inner").dropna().sort_values("classes")
    if len(found) < 3:
        raise NotHere(f"needs the comparison {WAYS} of at least three numbers of classes")
    each = ", ".join(f"{row.classes:.0f}: {row.value:.3g}" for row in found.itertuples())
    value = float(spearmanr(found["classes"], found["value"]).statistic)
    return Ours(value, note=f"{each} {note}".strip())


def _common(tables: Tables, comparison: str, column: str) -> pd.DataFrame:
    """A column of distances by progress (rows) and group, where all random sets are."""
    rows = _table(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison]
    names = _compared(tables, comparison).query("kind == 'random'")["group"]
    wide = rows[rows["group"].isin(names)].pivot_table(
        index="progress", columns="group", values=column
    )
    return wide.dropna()


def fixmatch_approaches(tables: Tables) -> Ours:
    """Normalised distance of FixMatch in the last third of its progress, less the first third's."""
    group = _compared(tables, METHODS).query("method == 'fixmatch'")["group"]
    if group.empty:
        raise NotHere("needs FixMatch")
    rows = normalised(tables, METHODS)
    rows = rows[rows["group"] == group.iloc[0]].sort_values("progress")["normalised"].to_numpy()
    if len(rows) < 6:
        raise NotHere("FixMatch reaches too little progress")
    early, late = (part.mean() for part in (rows[: len(rows) // 3], rows[-(len(rows) // 3) :]))
    return Ours(float(late - early), note=f"in tube radii: {early:.1f}, then {late:.1f}")


def methods_against_tasks(tables: Tables) -> Ours:
    """How much nearer other methods are to supervised learning than other tasks are (nats)."""
    far, near = _distances(tables, TASKS), _distances(tables, METHODS)
    tasks = _compared(tables, TASKS).query("method == 'supervised'")["group"]
    methods = _compared(tables, METHODS).query("method != 'supervised'")["group"]
    return _least_difference(
        far[[g for g in far if g in set(tasks)]], near[[g for g in near if g in set(methods)]]
    )


def _distances(tables: Tables, comparison: str) -> pd.DataFrame:
    """Distance from the mean trajectory of all classes (nats), by progress (rows) and group."""
    rows = _table(tables, "task_distances")
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
    return Ours(found[least], note=f"least: {least}; nats: {note}")


def late_departures(column: str) -> Measure:
    """Rank correlation of what fine-tuning changes with the epoch from which it starts."""

    def measure(tables: Tables) -> Ours:
        rows = _table(tables, "task_excursions")
        if rows.empty or rows["start_epoch"].nunique() < 3:
            raise NotHere("needs fine-tuning from at least three epochs")
        means = rows.groupby(["tasks", "start_epoch"])[column].mean().reset_index()
        found = [
            spearmanr(part["start_epoch"], part[column]).statistic
            for _, part in means.groupby("tasks")
        ]
        along = means.groupby("start_epoch")[column].mean()
        note = ", ".join(f"epoch {epoch:g}: {value:.3f}" for epoch, value in along.items())
        return Ours(float(np.mean(found)), note=note)

    return measure


def latest_over_earliest(tables: Tables) -> Ours:
    """Distance that fine-tuning travels from the last checkpoint, over that from the first."""
    rows = _table(tables, "task_excursions")
    if rows.empty or rows["start_epoch"].nunique() < 2:
        raise NotHere("needs fine-tuning from two epochs")
    means = rows.groupby("start_epoch")["final"].mean()
    note = f"{means.iloc[-1]:.3f} of {means.iloc[0]:.3f} nats"
    return Ours(float(means.iloc[-1] / means.iloc[0]), note=note)


def earliest_goes_backwards(tables: Tables) -> Ours:
    """Backward progress of fine-tuning from the first epochs, largest mean over departures."""
    rows = _table(tables, "task_excursions")
    if rows.empty:
        raise NotHere("needs fine-tuning")
    means = rows.groupby("start_epoch")["backward_progress"].mean()
    note = ", ".join(f"epoch {epoch:g}: {value:.3f}" for epoch, value in means.items())
    return Ours(float(means.max()), note=note)


def contrastive_pairs(tables: Tables) -> Ours:
    """Distance of contrastive learning of two classes from that of all, in tube radii.

    Averaged over the first 45% of the values of progress, and over the sets of two classes.
    """
    rows = normalised(tables, CONTRASTIVE)
    groups = _compared(tables, CONTRASTIVE).query("method == 'simclr' and classes == 2")["group"]
    rows = rows[rows["group"].isin(groups)]
    if rows.empty:
        raise NotHere("needs contrastive learning of two classes")
    limit = 0.45 * _table(tables, "task_distances")["progress"].max()
    means = rows[rows["progress"] <= limit].groupby("group")["normalised"].mean()
    note = ", ".join(f"{group} {value:.1f}" for group, value in means.items())
    return Ours(float(means.mean()), note=note)


def supervised_from_contrastive(tables: Tables) -> Ours:
    """Distance of supervised learning of all classes from contrastive learning, in tube radii."""
    rows = normalised(tables, CONTRASTIVE).query("group == @ALL")
    if rows.empty:
        raise NotHere(f"needs {ALL} in the comparison {CONTRASTIVE}")
    return Ours(float(rows["normalised"].mean()))


def contrastive_before_supervised(tables: Tables) -> Ours:
    """Distance of supervised learning less that of contrastive learning, least over pairs."""
    rows = normalised(tables, CONTRASTIVE)
    wide = rows.pivot(index="progress", columns="group", values="distance")
    kinds = _compared(tables, CONTRASTIVE).set_index("group")["method"]
    of = {kind: [g for g in wide if kinds[g] == kind] for kind in ("supervised", "simclr")}
    if not all(of.values()):
        raise NotHere("needs contrastive and supervised learning that reach some progress")
    return _least_difference(wide[of["supervised"]], wide[of["simclr"]])


def joint_against_tasks(tables: Tables) -> Ours:
    """How much nearer joint training on tasks is to all classes than the nearest of its tasks."""
    joint = _trainings(tables).query("method == 'joint'")
    if joint.empty:
        raise NotHere("needs the method joint")
    row = joint.iloc[0]
    wide = _distances(tables, TASKS)
    parts = [name for name in str(row["tasks"]).split("+") if name in wide]
    if row["group"] not in wide or not parts:
        raise NotHere(f"needs it and its tasks in the comparison {TASKS}")
    return _least_difference(wide[parts], wide[[row["group"]]])


def probe_less_imprinting(tables: Tables) -> Ours:
    """Accuracy of a linear probe, less that of imprinting, of the same features."""
    rows = _table(tables, "mapping_models")
    wide = rows.pivot_table(index=["stage", "seed", "step"], columns="mapping", values="error")
    less = (wide["imprinted"] - wide["linear_probe"]).reset_index(name="less")
    mean = bootstrap_mean(less["less"].to_numpy(), less["stage"])
    return Ours(*mean, f"{len(less)} networks")
