"""What the claims of chapter 3 measure, from the tables of a study of tasks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hyperribbon.errors import DataError
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import largest_of, least_of, mean_over, ratio
from hyperribbon.reporting.statistics import (
    Tables,
    difference,
    exactly,
    share,
    weighted_mean,
    with_interval,
)
from hyperribbon.studies.tasks.names import (
    ALL,
    EPISODIC,
    TASKS,
    TREE,
)
from hyperribbon.studies.tasks.tree_tables import square, with_all_pairs
from hyperribbon.tasks import cophenetic

Measure = Callable[[Tables], Ours]
FINE_TUNED = ["tasks", "seed"]  # a task that is learned after departures from several epochs


def table_of(tables: Tables, name: str) -> pd.DataFrame:
    """A table of a study of tasks."""
    if name not in tables:
        raise NotHere("needs a study of tasks")
    return tables[name]


def trainings_of(tables: Tables) -> pd.DataFrame:
    """One row per group of trainings."""
    return table_of(tables, "task_trainings").drop_duplicates("group")


def stress_of(comparison: str) -> Measure:
    """Explained stress of three dimensions, with the interval of the models alone."""

    def measure(tables: Tables) -> Ours:
        rows = table_of(tables, "task_stress")
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
        ours, value = _of_models(alone), together["explained_stress"]
        more = value - ours.value
        drawn = f"{ours.drawn}, for the models alone"
        return ours._replace(
            value=value, low=ours.low + more, high=ours.high + more, note=note, drawn=drawn
        )

    return measure


def _of_models(row: pd.Series) -> Ours:
    """Explained stress of models without means."""
    one = np.isnan(row["low"])
    units = "1 configuration" if one else f"{row['configurations']:.0f} configurations"
    drawn = f"no interval: {units}" if one else f"{units} drawn with replacement"
    sample = f"{units}, {row['models']:.0f} models"
    return Ours(row["explained_stress"], row["low"], row["high"], "", drawn, sample)


def above_shuffled(tables: Tables) -> Ours:
    """Least difference of the explained stress from that of shuffled models, over comparisons."""
    found = {}
    for name, rows in table_of(tables, "task_stress").query("dimension == 3").groupby("comparison"):
        shuffled = mean_over(rows[rows["kind"] == "shuffled"], "explained_stress", unit="draw")
        found[str(name)] = difference(_of_models(rows[rows["kind"] == "models"].iloc[0]), shuffled)
    return least_of(found, digits=2)


def _share(tables: Tables, group: str, note: str) -> Ours:
    """Progress of a group at the end, relative to that of training on all classes."""
    rows = table_of(tables, "task_checkpoints").query("split == 'test'")
    ends = rows.groupby(["group", "stage", "seed"], sort=False)["progress"].last().reset_index()
    own, of_all = (_over_trainings(ends, "progress", name, "ratio") for name in (group, ALL))
    return ratio(own, of_all, note)


def _over_trainings(table: pd.DataFrame, column: str, group: str, scale: str = "") -> Ours:
    """Mean of a column over the trainings of a group."""
    rows, by = table[table["group"] == group], ["stage", "seed"]
    ours = mean_over(rows, column, unit="training", by=by, scale=scale)
    return ours._replace(sample=f"{len(rows[by].drop_duplicates())} trainings of {group}")


def compared(tables: Tables, comparison: str) -> pd.DataFrame:
    """One row per group of trainings in a comparison."""
    groups = table_of(tables, "task_embedding").query("comparison == @comparison")["group"].unique()
    found = trainings_of(tables)
    return found[found["group"].isin(groups)]


def share_of_smallest_node(tables: Tables) -> Ours:
    """Share of the progress that training on the node with the fewest classes makes."""
    nodes = compared(tables, TASKS).query("kind == 'node'")
    if nodes.empty or ALL not in set(compared(tables, TASKS)["group"]):
        raise NotHere("needs trainings on a node of a tree and on all classes")
    row = nodes.sort_values("classes").iloc[0]
    return _share(tables, row["group"], f"{row['group']}, {row['classes']} classes")


def share_of_random_classes(tables: Tables) -> Ours:
    """Share of the progress that training on random classes makes."""
    some = compared(tables, TASKS).query("kind == 'random'")
    if some.empty or ALL not in set(compared(tables, TASKS)["group"]):
        raise NotHere("needs trainings on random classes and on all classes")
    row = some.iloc[0]
    return _share(tables, row["group"], f"{row['group']}, {row['classes']} classes")


def diversity(tables: Tables) -> Ours:
    """Progress on unseen classes after training on random ones, less that after one phylum."""
    kinds = compared(tables, TASKS)
    random, nodes = kinds.query("kind == 'random'"), kinds.query("kind == 'node'")
    if random.empty or nodes.empty:
        raise NotHere("needs trainings on random classes and on nodes of a tree")
    size = random["classes"].iloc[0]
    nearest = nodes.iloc[(nodes["classes"] - size).abs().argsort().iloc[0]]
    groups = (random["group"].iloc[0], nearest["group"])
    rows = table_of(tables, "task_classes")
    rows = rows[~rows["seen"].astype(bool) & rows["group"].isin(groups)]
    means = rows.groupby(["group", "stage", "seed"])["progress"].mean().reset_index()
    about = f"{groups[0]} ({size} classes) less {groups[1]} ({nearest['classes']} classes)"
    first, second = (_over_trainings(means, "progress", name) for name in groups)
    return difference(first, second, about)


def progress_on_unseen(tables: Tables) -> Ours:
    """Least gain of progress on unseen classes during training, over groups of one comparison."""
    rows = table_of(tables, "task_classes")
    rows = rows[~rows["seen"].astype(bool) & rows["group"].isin(compared(tables, TASKS)["group"])]
    if rows.empty:
        raise NotHere("needs trainings on some of the classes")
    rows = rows.assign(gain=rows["progress"] - rows["initial_progress"])
    gains = rows.groupby(["group", "stage", "seed"], sort=False)["gain"].mean().reset_index()
    return least_of(
        {name: _over_trainings(gains, "gain", name) for name in gains["group"].unique()}
    )


def _tree_test(tables: Tables, of: str) -> pd.Series:
    """How distances between tasks agree with the tree of classes."""
    rows = table_of(tables, "task_tree_test")
    rows = rows[rows["measure"] == of]
    if rows.empty:
        raise NotHere(f"needs the comparison {TREE} of at least four nodes of a tree")
    return rows.iloc[0]


def mantel_p(of: str = "normalised") -> Measure:
    """Share of the orders of tasks that agree with the tree at least as well as the given one."""

    def measure(tables: Tables) -> Ours:
        row = _tree_test(tables, of)
        note = f"Mantel r = {row['mantel_r']:.2f}, p = {row['mantel_p']:.3f}"
        sample, orders = f"{row['tasks']} tasks", int(row["orders"])
        if row["exact"]:
            drawn = f"exact: all {orders:,} orders of the tasks"
            return exactly(row["mantel_p"], note, sample)._replace(drawn=drawn)
        ours = share(round(row["mantel_p"] * orders), orders, "order", note)
        return ours._replace(sample=sample)

    return measure


def cophenetic_correlation(tables: Tables) -> Ours:
    """Correlation of the clusters' cophenetic distances with those in the tree of classes."""
    row = _tree_test(tables, "normalised")
    pairs = table_of(tables, "task_tree")
    names = with_all_pairs(pairs, "normalised")
    edges, apart = (square(pairs, names, column) for column in ("edges", "normalised"))

    def statistic(weights: np.ndarray) -> float:
        drawn = np.repeat(np.arange(len(names)), weights.astype(int))
        few = np.ix_(drawn, drawn)
        try:
            return cophenetic(apart[few], edges[few])
        except DataError:  # all distances are equal
            return np.nan

    note = f"Mantel r = {row['mantel_r']:.2f}"
    ours = with_interval(statistic, pd.DataFrame({"task": names}), note, unit="task")
    return ours._replace(sample=f"{len(names)} tasks")


def reference_of(tables: Tables, comparison: str) -> str:
    """The group from whose mean trajectory a comparison shows distances."""
    rows = table_of(tables, "task_distances")
    rows = rows[rows["comparison"] == comparison]
    if rows.empty:
        raise NotHere(f"needs the comparison {comparison}")
    return str(rows["reference"].iloc[0])


def length_ratio(tables: Tables) -> Ours:
    """Length of 2-way episodic training over that of supervised learning, at equal counts."""
    two_way, reference = episodic(tables, least=True), reference_of(tables, EPISODIC)
    rows = table_of(tables, "task_lengths").query("split == 'train'")
    both = rows[rows["group"].isin([two_way, reference])]
    ratios = {}
    for count, part in both.groupby("checkpoints"):
        if part["group"].nunique() == 2:
            first = _over_trainings(part, "length", two_way, "ratio")
            ratios[count] = ratio(first, _over_trainings(part, "length", reference, "ratio"))
    if not ratios:
        raise NotHere("needs trainings that did not diverge")
    note = ", ".join(f"{count}: {ours.value:.2f}" for count, ours in ratios.items())
    return ratios[max(ratios)]._replace(note=f"by checkpoints: {note}")


def episodic(tables: Tables, *, least: bool) -> str:
    """The group of episodic learning with the smallest way, or with the largest."""
    found = compared(tables, EPISODIC).query("method == 'prototypical'").sort_values("way")
    if found.empty:
        raise NotHere(f"needs episodic learning in the comparison {EPISODIC}")
    return str(found["group"].iloc[0 if least else -1])


def _departures(tables: Tables, epochs: int) -> pd.DataFrame:
    """Trainings that depart from at least some number of epochs."""
    rows = table_of(tables, "task_excursions")
    if rows.empty or rows["start_epoch"].nunique() < epochs:
        raise NotHere(f"needs fine-tuning from at least {epochs} epochs")
    return rows


def late_departures(column: str) -> Measure:
    """Rank correlation of what fine-tuning changes with the epoch from which it starts.

    Mean over tasks and seeds.
    """

    def measure(tables: Tables) -> Ours:
        rows = _departures(tables, 3)
        found = [
            (*key, spearmanr(part["start_epoch"], part[column]).statistic)
            for key, part in rows.groupby(FINE_TUNED)
            if part["start_epoch"].nunique() > 2
        ]
        ranks = pd.DataFrame(found, columns=[*FINE_TUNED, "rank"])
        along = rows.groupby("start_epoch")[column].mean()
        note = ", ".join(f"epoch {epoch:g}: {value:.3f}" for epoch, value in along.items())
        return mean_over(ranks, "rank", note, unit="sequence", by=FINE_TUNED, bounds=(-1, 1))

    return measure


def latest_over_earliest(tables: Tables) -> Ours:
    """Distance that fine-tuning travels from the last checkpoint, over that from the first."""
    rows = _departures(tables, 2)
    found = rows.pivot_table(index=FINE_TUNED, columns="start_epoch", values="final")
    ends = found.iloc[:, [0, -1]].dropna().set_axis(["first", "last"], axis=1).reset_index()
    if ends.empty:
        raise NotHere("needs fine-tuning of one task from the first and the last epoch")

    def statistic(weights: np.ndarray) -> float:
        return weighted_mean(ends["last"], weights) / weighted_mean(ends["first"], weights)

    note = f"{ends['last'].mean():.3f} of {ends['first'].mean():.3f} nats"
    return with_interval(statistic, ends, note, unit="sequence", by=FINE_TUNED, scale="ratio")


def earliest_goes_backwards(tables: Tables) -> Ours:
    """Backward progress of fine-tuning from the first epochs, largest mean over departures."""
    return largest_of(
        {
            f"epoch {epoch:g}:": mean_over(
                part, "backward_progress", unit="sequence", by=FINE_TUNED
            )
            for epoch, part in _departures(tables, 1).groupby("start_epoch")
        }
    )


def probe_less_imprinting(tables: Tables) -> Ours:
    """Accuracy of a linear probe, less that of imprinting, of the same features."""
    rows = table_of(tables, "mapping_models")
    wide = rows.pivot_table(index=["stage", "seed", "step"], columns="mapping", values="error")
    less = (wide["imprinted"] - wide["linear_probe"]).reset_index(name="less")
    return mean_over(less.rename(columns={"stage": "configuration"}), "less")
