"""Progress on classes, lengths, tubes, excursions and the tree of classes (chapter 3)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hyperribbon.reporting.panels import legend_below, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, OTHERS, LeftOut, ordered, palette
from hyperribbon.studies.tasks.figures import Tables, colours_of, groups_of
from hyperribbon.studies.tasks.names import EPISODIC, TASKS, WAYS

MAPPINGS = {
    "imprinted": "imprinting (3.2.1)",
    "unit_features": "imprinting, features of unit length",
    "prototypes": "Euclidean prototypes",
    "linear_probe": "linear probe",
}


def class_progress(tables: Tables) -> Figure:
    """Progress on classes that were trained on and on others, and by epoch (3.2)."""
    groups = groups_of(tables, TASKS)
    colours = colours_of(tables, TASKS)
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(2.4 * COLUMN, COLUMN), width_ratios=(1.6, 1)
    )
    classes = tables["task_classes"]
    for k, group in enumerate(groups):
        own = classes[classes["group"] == group]
        means = own.groupby(["class", "seen"], as_index=False)["progress"].mean()
        for seen, place, alpha in ((True, k - 0.18, 0.35), (False, k + 0.18, 0.8)):
            values = means.loc[means["seen"] == seen, "progress"].to_numpy()
            if not len(values):
                continue
            if len(values) > 2 and np.ptp(values) > 0:
                body = left.violinplot([values], [place], widths=0.32, showextrema=False)
                for part in body["bodies"]:
                    part.set(facecolor=colours[group], alpha=alpha, linewidth=0)
            left.plot(
                np.full(len(values), place), values, "o", markersize=2.5, color=colours[group]
            )
            left.plot([place - 0.12, place + 0.12], [values.mean()] * 2, color="black", linewidth=1)
    left.set_xticks(range(len(groups)), groups, rotation=25, ha="right")
    left.set_ylabel("progress on a class, at the end")
    left.set_title("left of each pair: classes trained on; right: other classes")
    checkpoints = tables["task_checkpoints"].query("split == 'test'")
    for group in groups:
        own = checkpoints[checkpoints["group"] == group].groupby("epoch")["progress"]
        right.plot(own.mean().index, own.mean(), color=colours[group], label=group)
        right.fill_between(
            own.mean().index, own.min(), own.max(), color=colours[group], alpha=0.2, linewidth=0
        )
    right.set(xlabel="epoch", ylabel="progress, all classes")
    right.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def tree_agreement(tables: Tables) -> Figure:
    """Distance of mean trajectories against edges between tasks in the tree of classes."""
    pairs = tables["task_tree"]
    if pairs["at_the_end"].notna().sum() < 3:
        raise LeftOut("Fewer than three pairs of nodes of the tree are compared.")
    tests = tables["task_tree_test"].set_index("measure")
    figure, panels = plt.subplots(1, 2, figsize=(2.4 * COLUMN, 1.15 * COLUMN))
    labels = {
        "normalised": "distance at equal progress / tube radius",
        "at_the_end": "distance of the last models (nats)",
    }
    for axes, (measure, label) in zip(panels, labels.items(), strict=True):
        known = pairs.dropna(subset=measure)
        axes.plot(known["edges"], known[measure], "o", markersize=4, color=COLOURS[0])
        means = known.groupby("edges")[measure].mean()
        axes.plot(means.index, means, color="black", linewidth=1)
        # Names on both sides in turn, as points with as many edges may be near each other.
        for k, row in enumerate(known.sort_values(["edges", measure]).itertuples()):
            side = 1 if k % 2 else -1
            axes.annotate(
                f"{row.group}, {row.other_group}", (row.edges, getattr(row, measure)),
                (4 * side, 0), fontsize=4, textcoords="offset points", va="center", color="0.35",
                ha="left" if side > 0 else "right",
            )  # fmt: skip
        if measure in tests.index:
            row = tests.loc[measure]
            axes.set_title(
                f"Mantel r = {row['mantel_r']:.2f}, p = {row['mantel_p']:.3f}, "
                f"{row['tasks']:.0f} tasks"
            )
        axes.set(xlabel="edges between the tasks in the tree", ylabel=label)
        axes.set_xlim(pairs["edges"].min() - 1.3, pairs["edges"].max() + 1.3)
        axes.set_xticks(sorted(pairs["edges"].unique()))
    return figure


def ways(tables: Tables) -> Figure:
    """Spread of trainings on few classes, and their distance from the truth, by number (3.5)."""
    groups = groups_of(tables, WAYS)
    classes = tables["task_trainings"].drop_duplicates("group").set_index("group")["classes"]
    found = tables["task_groups"].query("split == 'train'").set_index("group").loc[groups]
    found = found.assign(classes=classes.loc[groups]).sort_values("classes")
    sizes, style = found["classes"], {"markersize": 4, "color": COLOURS[0]}
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.95 * COLUMN))
    panels[0].plot(sizes, found["end_distance_apart"], "o-", label="last models", **style)
    panels[0].plot(sizes, found["mean_radius"], "s--", label="radius of the tube", **style)
    panels[1].plot(sizes, found["distance_to_truth"], "o-", **style)
    panels[0].set_ylabel("distance (nats)")
    panels[1].set_ylabel("distance to the truth at the end (nats)")
    for axes in panels:
        axes.set_xticks(sorted(set(sizes)))
        axes.set_xlabel("classes of a task")
    panels[0].legend()
    return figure


def task_lengths(tables: Tables) -> Figure:
    """Riemannian length against the number of checkpoints, and relative to the displacement."""
    lengths = tables["task_lengths"].query("split == 'test'")
    groups = list(dict.fromkeys(lengths["group"]))
    shown = highlighted(tables, EPISODIC, groups)
    figure, panels = plt.subplots(1, 2, figsize=(2.4 * COLUMN, 1.25 * COLUMN))
    shared = lengths.groupby("checkpoints")["group"].nunique()
    most = shared.index[shared == shared.max()].max()  # the largest count that most groups have
    for group in groups:
        own = lengths[lengths["group"] == group].groupby("checkpoints")["length"].mean()
        label = group if group in shown else None
        panels[0].plot(
            own.index, own, "o-", markersize=3, color=shown.get(group, "0.8"), label=label,
            zorder=2 + (group in shown),
        )  # fmt: skip
    counts = sorted(lengths["checkpoints"].unique())
    panels[0].set(xscale="log", yscale="log", ylabel="Riemannian length (radians)")
    panels[0].set_xticks(counts, [str(n) for n in counts])
    panels[0].minorticks_off()
    panels[0].set_xlabel("checkpoints")
    panels[0].legend()
    ends = lengths[lengths["checkpoints"] == most]
    ratios = (ends["length"] / ends["displacement"]).groupby(ends["group"], sort=False)
    means = ratios.mean()
    at = np.arange(len(means))
    panels[1].barh(at, means, color=[shown.get(group, "0.8") for group in means.index])
    panels[1].set_yticks(at, means.index, fontsize=5)
    panels[1].invert_yaxis()
    panels[1].set_xlabel(f"length / displacement, {most} checkpoints")
    return figure


def highlighted(tables: Tables, comparison: str, groups: list[str]) -> dict[str, str]:
    """Colours of the groups of a comparison; of all groups, if the study does not make it."""
    if comparison in set(tables["task_embedding"]["comparison"]):
        return {g: c for g, c in colours_of(tables, comparison).items() if g in groups}
    return palette(groups, [*COLOURS, *OTHERS])


def excursions(tables: Tables) -> Figure:
    """How far fine-tuning moves a network, by the epoch from which it starts."""
    found = tables["task_excursions"]
    if found.empty:
        raise LeftOut("Nothing is fine-tuned.")
    figure, panels = wrapped(3, 0.9, most=3)
    for (tasks, rows), colour in zip(found.groupby("tasks", sort=False), COLOURS, strict=False):
        for axes, column in zip(panels, ("final", "length", "backward_progress"), strict=True):
            means = rows.groupby("start_epoch")[column].mean()
            axes.plot(means.index, means, color=colour, label=tasks)
            axes.plot(rows["start_epoch"], rows[column], "o", markersize=3, color=colour)
    labels = ("distance to the start (nats)", "Riemannian length (radians)", "backward progress")
    for axes, label in zip(panels, labels, strict=True):
        axes.set(xlabel="epoch of departure", ylabel=label)
        epochs = sorted(found["start_epoch"].unique())
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xticks(epochs, [f"{epoch:g}" for epoch in epochs], minor=False)
        axes.minorticks_off()
        axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    legend_below(figure, panels[:1])
    return figure


def mappings(tables: Tables) -> Figure:
    """The same networks under four ways to predict the classes from their features."""
    points, models = tables["mapping_embedding"], tables["mapping_models"]
    names = [name for name in MAPPINGS if name in set(points["mapping"])]
    groups = list(dict.fromkeys(points["group"]))
    shown = highlighted(tables, TASKS, groups)
    size = 2.5 * COLUMN, 1.3 * COLUMN
    figure, panels = plt.subplots(2, len(names), figsize=size, squeeze=False)
    for axes in panels[1, 1:]:
        axes.sharex(panels[1, 0])
        axes.sharey(panels[1, 0])
    stress = tables["mapping_stress"].query("dimension == 3 and kind == 'models'")
    for name, upper, lower in zip(names, *panels, strict=True):
        own = points[points["mapping"] == name]
        for (group, _, _), run in own.groupby(["group", "stage", "seed"], sort=False):
            style = {"color": shown.get(group, "0.8"), "zorder": 2 + (group in shown)}
            label = group if group in shown else None
            upper.plot(
                run["pc1"], run["pc2"], ".-", markersize=3, linewidth=0.6, label=label, **style
            )
        explained = stress.loc[stress["mapping"] == name, "explained_stress"].iloc[0]
        upper.set_title(f"{MAPPINGS[name]}\n{explained:.0%} in three dimensions", fontsize=7)
        rows = models[models["mapping"] == name]
        colours = rows["group"].map(lambda group: shown.get(group, "0.8"))
        lower.scatter(1 - rows["error"], rows["progress"], s=5, linewidth=0, color=colours)
        lower.set_xlabel("test accuracy")
        upper.set_xlabel("PC1")
    panels[0, 0].set_ylabel("PC2")
    panels[1, 0].set_ylabel("progress")
    legend_below(figure, panels[0])
    return figure


def imprinting_quality(tables: Tables) -> Figure:
    """Accuracy of imprinting against that of a trained linear probe on the same features."""
    models = tables["mapping_models"]
    wide = models.pivot_table(
        index=["group", "stage", "seed", "step"], columns="mapping", values="error"
    )
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, 1.15 * COLUMN))
    shades = ordered([name for name in MAPPINGS if name != "linear_probe"])
    for name, colour in shades.items():
        axes.plot(
            1 - wide["linear_probe"], 1 - wide[name], "o", markersize=2.5, color=colour,
            label=MAPPINGS[name],
        )  # fmt: skip
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    axes.set(xlabel="test accuracy of a linear probe", ylabel="test accuracy")
    low = float(np.nanmin(1 - wide.to_numpy())) - 0.02
    high = float(np.nanmax(1 - wide.to_numpy())) + 0.02
    axes.set(xlim=(low, high), ylim=(low, high))
    axes.legend()
    return figure
