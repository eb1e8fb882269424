"""Further claims of chapter 3: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.tasks import further_measures as measures
from hyperribbon.studies.tasks.further_claims import CLAIMS

GROUPS = [  # group, kind, method, way, classes
    ("all", "all", "supervised", np.nan, 10), ("dogs", "node", "supervised", np.nan, 2),
    ("birds", "node", "supervised", np.nan, 3), ("animals", "node", "supervised", np.nan, 6),
    ("mixed", "random", "supervised", np.nan, 5), ("two", "all", "prototypical", 2, 10),
    ("five", "all", "prototypical", 5, 10), ("r2", "random", "supervised", np.nan, 2),
    ("r5", "random", "supervised", np.nan, 5), ("r7", "random", "supervised", np.nan, 7),
    ("SimCLR", "all", "simclr", np.nan, 10), ("pair", "list", "simclr", np.nan, 2),
    ("FixMatch", "all", "fixmatch", np.nan, 10),
]  # fmt: skip
MEMBERS = {
    "tasks": ["all", "dogs", "birds", "animals", "mixed"], "episodic": ["all", "two", "five"],
    "ways": ["all", "r2", "r5", "r7"], "methods": ["all", "SimCLR", "FixMatch"],
}  # fmt: skip
STEPS = np.linspace(0, 1, 9)
# Distance of each group from the reference at the start and at the end, in nats.
DISTANCES = {
    "tasks": {"dogs": (0.1, 0.5), "birds": (0.1, 0.4), "animals": (0.1, 0.3), "mixed": (0, 0.2)},
    "episodic": {"two": (0.02, 0.3), "five": (0.01, 0.01)},
    "ways": {"r2": (0.3, 0.3), "r5": (0.2, 0.2), "r7": (0.1, 0.1)},
    "methods": {"SimCLR": (0.1, 0.1), "FixMatch": (0.4, 0.05)},
}


def tables():
    trainings = pd.DataFrame(GROUPS, columns=["group", "kind", "method", "way", "classes"])
    rows = [
        (comparison, group, "all", s, (1 - s) * first + s * last)
        for comparison, found in DISTANCES.items()
        for group, (first, last) in found.items()
        for s in STEPS
    ]
    distances = pd.DataFrame(
        rows, columns=["comparison", "group", "reference", "progress", "distance"]
    )
    progress = {"dogs": 0.2, "birds": 0.3, "animals": 0.4, "pair": 0.1, "SimCLR": 0.5}
    error = {"two": 0.5, "five": 0.3, "FixMatch": 0.22, "all": 0.2}
    checkpoints = pd.DataFrame([
        ("test", group, group, seed, k * progress.get(group, 0.6), error.get(group, 0.9))
        for group, *_ in GROUPS for seed in range(3) for k in (0, 1)
    ], columns=["split", "group", "stage", "seed", "progress", "error"])  # fmt: skip
    classes = pd.DataFrame([
        (group, group, seed, k, group == "all" or k < 2, 0.9 - 0.1 * k, 0.05 * k)
        for group in ("all", "dogs") for seed in range(3) for k in range(5)
    ], columns=["group", "stage", "seed", "class", "seen", "progress", "error"])  # fmt: skip
    return {
        "task_trainings": trainings,
        "task_embedding": pd.DataFrame(
            [(name, group) for name, groups in MEMBERS.items() for group in groups],
            columns=["comparison", "group"],
        ),
        "task_distances": distances.assign(normalised=20 * distances["distance"]),
        "task_checkpoints": checkpoints, "task_classes": classes,
    }  # fmt: skip


def test_tasks_on_all_classes():
    found = tables()
    assert measures.larger_phyla(found).value == pytest.approx(1)
    assert measures.progress_over_classes(found).value == pytest.approx(0.7)
    assert measures.progress_and_error_of_classes(found).value == pytest.approx(-1)
    # Of dogs, classes 0 and 1 are seen, with progress 0.9 and 0.8.
    assert measures.seen_less_unseen(found).value == pytest.approx(0.85 - 0.6)
    ours = measures.bifurcate(found)
    assert ours.value == pytest.approx(0.2 * 0.75) and ours.drawn.startswith("no interval")
    assert measures.random_is_nearest(found).value == pytest.approx(0.2 - 0.1)


def test_ways_of_episodic_learning():
    found = tables()
    assert measures.small_way_errs_more(found).value == pytest.approx(0.2)
    assert measures.near_supervised(largest=True)(found).value == 1
    assert measures.near_supervised(largest=False)(found).value == pytest.approx(1 / 9)
    assert measures.departs_late(found).value == pytest.approx(0.28 * 0.75)
    assert measures.approaches_with_way(found).value == pytest.approx(-1)
    found["task_embedding"] = found["task_embedding"].query("group != 'five'")
    with pytest.raises(NotHere, match="two ways"):
        measures.small_way_errs_more(found)


def test_methods():
    found = tables()
    early = measures.fixmatch_is_farther(late=False)(found).value
    late = measures.fixmatch_is_farther(late=True)(found).value
    assert early == pytest.approx(20 * (0.4 - 0.35 / 8 - 0.1))
    assert late == pytest.approx(20 * (0.05 + 0.35 / 8 - 0.1))
    assert measures.fixmatch_accuracy(found).value == pytest.approx(0.02)
    assert measures.pairs_fall_short(found).value == pytest.approx(0.4)
    short = found["task_distances"].query("progress < 0.5")
    with pytest.raises(NotHere, match="too little progress"):
        measures.fixmatch_is_farther(late=True)({**found, "task_distances": short})


def test_vertebrates_need_their_names():
    with pytest.raises(NotHere, match="needs the comparison tree"):
        measures.vertebrates_as_near(tables())
    rows = [
        ("tree", group, "conveyances", s, value)
        for s in STEPS for group, value in (("all", 1.0), ("vertebrates", 1.0 + (s > 0.7)))
    ]  # fmt: skip
    columns = ["comparison", "group", "reference", "progress", "distance"]
    found = {"task_distances": pd.DataFrame(rows, columns=columns)}
    assert measures.vertebrates_as_near(found).value == pytest.approx(6 / 9)


def test_the_worst_comparison_counts():
    stress = pd.DataFrame({
        "comparison": ["tasks", "episodic", "tasks"], "kind": ["models", "models", "shuffled"],
        "dimension": 3, "models": 50, "configurations": 5, "explained_stress": [0.8, 0.4, 0.1],
        "low": [0.7, 0.3, 0], "high": [0.9, 0.5, 0],
    })  # fmt: skip
    ours = measures.least_stress({"task_stress": stress})
    assert ours[:3] == (0.4, 0.3, 0.5)
    mixed = pd.DataFrame({
        "comparison": ["tasks", "tasks", "ways", "ways", "tasks"], "n_classes": [5, 5, 5, 5, 2],
        "draw": [0, 1, 0, 1, 0], "rmsd": [0.01, 0.03, 0.1, 0.2, 0.9],
    })  # fmt: skip
    assert measures.mixing({"task_projection": mixed}).value == pytest.approx(0.15)


def test_other_studies_cannot_judge_these_claims():
    found = judge(CLAIMS, {}, "other", "cifar10")
    assert set(found["verdict"]) == {"not comparable here"}
    assert found["claim"].is_unique
