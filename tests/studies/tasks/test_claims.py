"""Claims of chapter 3: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.tasks import measures
from hyperribbon.studies.tasks.claims import CLAIMS


def trainings(*rows):
    columns = ["group", "kind", "method", "way", "tasks", "classes"]
    return pd.DataFrame(rows, columns=columns)


def embedded(**groups):
    rows = [(name, group) for name, members in groups.items() for group in members]
    return pd.DataFrame(rows, columns=["comparison", "group"])


def distances(comparison, reference, **normalised):
    progress = np.linspace(0, 0.3, 10)
    rows = [
        (comparison, group, reference, s, value / 10, value)
        for group, values in normalised.items()
        for s, value in zip(progress, np.broadcast_to(values, 10), strict=True)
    ]
    columns = ["comparison", "group", "reference", "progress", "distance", "normalised"]
    return pd.DataFrame(rows, columns=columns)


def test_the_stress_is_that_of_the_embedding_and_its_interval_that_of_the_models():
    rows = [
        ("tasks", "with means", 3, 40, 0.81, np.nan, np.nan),
        ("tasks", "models", 3, 30, 0.79, 0.75, 0.83),
        ("tasks", "shuffled", 3, 30, 0.2, np.nan, np.nan),
        ("tasks", "shuffled", 3, 30, 0.3, np.nan, np.nan),
        ("tasks", "models", 4, 30, 0.9, 0.85, 0.95),
    ]
    columns = ["comparison", "kind", "dimension", "models", "explained_stress", "low", "high"]
    tables = {"task_stress": pd.DataFrame(rows, columns=columns)}
    ours = measures.stress_of("tasks")(tables)
    assert ours[:3] == (0.81, 0.75, 0.83)
    assert "40 points" in ours.note and "0.250" in ours.note
    with pytest.raises(NotHere, match="needs the comparison tree"):
        measures.stress_of("tree")(tables)
    above = measures.above_shuffled(tables)
    assert above.value == pytest.approx(0.54) and above.low == pytest.approx(0.5)


def checkpoints(**final):
    rows = [
        ("test", group, group, seed, step, value * step)
        for group, values in final.items()
        for seed, value in enumerate(values)
        for step in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["split", "group", "stage", "seed", "step", "progress"])


SUPERVISED = [
    ("all", "all", "supervised", np.nan, "all", 10),
    ("dogs", "node", "supervised", np.nan, "dogs", 2),
    ("animals", "node", "supervised", np.nan, "animals", 6),
    ("mixed", "random", "supervised", np.nan, "mixed", 5),
]


def test_shares_of_progress_are_of_last_checkpoints_and_of_the_right_groups():
    tables = {
        "task_trainings": trainings(*SUPERVISED),
        "task_embedding": embedded(tasks=["all", "dogs", "animals", "mixed"]),
        "task_checkpoints": checkpoints(
            all=[0.4, 0.5, 0.6], dogs=[0.2, 0.3, 0.25], animals=[0.3] * 3, mixed=[0.45] * 3
        ),
    }
    smallest = measures.share_of_smallest_node(tables)
    assert smallest.value == pytest.approx(0.5) and "dogs, 2 classes" in smallest.note
    assert smallest.low < 0.5 < smallest.high
    assert measures.share_of_random_classes(tables).value == pytest.approx(0.9)
    tables["task_embedding"] = embedded(tasks=["all", "mixed"])
    with pytest.raises(NotHere, match="a node of a tree"):
        measures.share_of_smallest_node(tables)


def test_diversity_compares_unseen_classes_of_sets_of_similar_size():
    rows = [
        (group, group, seed, k, seen, 0.0, value)
        for group, value in (("mixed", 0.3), ("animals", 0.2), ("dogs", 0.1))
        for seed in range(2)
        for k, seen in ((0, True), (1, False))
    ]
    columns = ["group", "stage", "seed", "class", "seen", "initial_progress", "progress"]
    classes = pd.DataFrame(rows, columns=columns)
    classes.loc[classes["seen"], "progress"] = 0.9
    tables = {
        "task_trainings": trainings(*SUPERVISED),
        "task_embedding": embedded(tasks=["all", "dogs", "animals", "mixed"]),
        "task_classes": classes,
    }
    ours = measures.diversity(tables)
    assert ours.value == pytest.approx(0.1) and "animals" in ours.note
    assert measures.progress_on_unseen(tables).value == pytest.approx(0.1)


def lengths(**by_group):
    rows = [
        ("train", group, group, seed, count, length * count, 1.0)
        for group, values in by_group.items()
        for seed, length in enumerate(values)
        for count in (6, 12)
    ]
    columns = ["split", "group", "stage", "seed", "checkpoints", "length", "displacement"]
    return pd.DataFrame(rows, columns=columns)


EPISODIC = [
    ("base", "all", "supervised", np.nan, "all", 10),
    ("two", "all", "prototypical", 2, "all", 10),
    ("five", "all", "prototypical", 5, "all", 10),
]


def test_lengths_are_compared_at_equal_counts_with_the_reference():
    tables = {
        "task_trainings": trainings(*EPISODIC),
        "task_embedding": embedded(episodic=["base", "two", "five"]),
        "task_lengths": lengths(base=[1, 1], two=[3, 5], five=[2, 2]),
        "task_distances": distances("episodic", "base", two=9.0, five=4.0),
    }
    ours = measures.length_ratio(tables)
    assert ours.value == pytest.approx(4) and "6: 4.00, 12: 4.00" in ours.note
    assert measures.larger_way_is_nearer(tables).value == pytest.approx(5)
    tables["task_embedding"] = embedded(episodic=["base"])
    with pytest.raises(NotHere, match="needs episodic learning"):
        measures.length_ratio(tables)


def test_measures_of_ways_are_ranked_by_the_number_of_classes():
    tables = {
        "task_trainings": trainings(
            *((name, "random", "supervised", np.nan, name, n) for name, n in WAYS.items())
        ),
        "task_embedding": embedded(ways=list(WAYS)),
        "task_groups": pd.DataFrame(
            {"split": "train", "group": list(WAYS), "end_distance_apart": [0.3, 0.2, 0.1]}
        ),
        "task_distances": distances("ways", "all", two=1.0, five=2.0, seven=3.0),
    }
    assert measures.over_ways("end_distance_apart")(tables).value == pytest.approx(-1)
    # Only at progress that all reach: there, radii fall with the classes, elsewhere they rise.
    rows = tables["task_distances"]
    rows["radius"] = 0.1 * rows["normalised"]
    early = rows["progress"] < 0.1
    rows.loc[early, "radius"] = 1 / rows["normalised"]
    tables["task_distances"] = rows[early | (rows["group"] != "two")]
    assert measures.radius_over_ways(tables).value == pytest.approx(-1)
    tables["task_groups"].loc[1, "end_distance_apart"] = np.nan
    with pytest.raises(NotHere, match="at least three"):
        measures.over_ways("end_distance_apart")(tables)


WAYS = {"two": 2, "five": 5, "seven": 7}


def test_excursions_are_ranked_by_epoch_within_each_task():
    rows = [
        (tasks, epoch, final, back)
        for tasks, scale in (("a", 1), ("b", 2))
        for epoch, final, back in ((1, 0.4 * scale, 0.1), (5, 0.2 * scale, 0), (9, 0.1 * scale, 0))
    ]
    columns = ["tasks", "start_epoch", "final", "backward_progress"]
    tables = {"task_excursions": pd.DataFrame(rows, columns=columns)}
    assert measures.late_departures("final")(tables).value == pytest.approx(-1)
    assert measures.latest_over_earliest(tables).value == pytest.approx(0.25)
    assert measures.earliest_goes_backwards(tables).value == pytest.approx(0.1)


def test_methods_are_nearer_than_other_tasks_only_if_the_worst_is():
    tables = {
        "task_trainings": trainings(
            *SUPERVISED,
            ("SimCLR", "all", "simclr", np.nan, "all", 10),
            ("FixMatch", "all", "fixmatch", np.nan, "all", 10),
        ),
        "task_embedding": embedded(
            tasks=["all", "dogs", "animals"], methods=["all", "SimCLR", "FixMatch"]
        ),
        "task_distances": pd.concat(
            [
                distances("tasks", "all", dogs=5.0, animals=3.0),
                distances("methods", "all", SimCLR=2.0, FixMatch=np.linspace(4, 1, 10)),
            ]
        ),
    }
    assert measures.methods_against_tasks(tables).value == pytest.approx(0.3 - 0.25)
    assert measures.fixmatch_approaches(tables).value == pytest.approx(-7 / 3)


def test_contrastive_learning_is_compared_in_radii_and_in_nats():
    tables = {
        "task_trainings": trainings(
            *SUPERVISED,
            ("SimCLR", "all", "simclr", np.nan, "all", 10),
            ("pair", "list", "simclr", np.nan, "pair", 2),
        ),
        "task_embedding": embedded(contrastive=["SimCLR", "all", "pair"]),
        "task_distances": distances("contrastive", "SimCLR", all=18.0, pair=5.5),
    }
    assert measures.contrastive_pairs(tables).value == pytest.approx(5.5)
    assert measures.supervised_from_contrastive(tables).value == pytest.approx(18)
    assert measures.contrastive_before_supervised(tables).value == pytest.approx(1.8 - 0.55)


def test_imprinting_is_compared_with_the_probe_of_the_same_network():
    rows = [
        (mapping, "a", seed, 9, error + 0.1 * seed)
        for mapping, error in (("imprinted", 0.5), ("linear_probe", 0.46))
        for seed in range(2)
    ]
    columns = ["mapping", "stage", "seed", "step", "error"]
    ours = measures.probe_less_imprinting({"mapping_models": pd.DataFrame(rows, columns=columns)})
    assert ours.value == pytest.approx(0.04)


def test_other_studies_cannot_judge_these_claims():
    found = judge(CLAIMS, {}, "other", "cifar10")
    assert set(found["verdict"]) == {"not comparable here"}
    assert found["claim"].is_unique
