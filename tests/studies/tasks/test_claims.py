"""Claims of chapter 3: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.tasks import mean_measures, measures
from hyperribbon.studies.tasks.claims import CLAIMS
from hyperribbon.studies.tasks.tree_tables import tree_tests


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
    table = pd.DataFrame(rows, columns=columns).assign(configurations=7, draw=[0, 0, 0, 1, 0])
    tables = {"task_stress": table}
    ours = measures.stress_of("tasks")(tables)
    assert ours[:3] == pytest.approx((0.81, 0.77, 0.85))  # that of the models is 0.02 lower
    assert ours.drawn == "7 configurations drawn with replacement, for the models alone"
    assert "40 points" in ours.note and "0.250" in ours.note
    with pytest.raises(NotHere, match="needs the comparison tree"):
        measures.stress_of("tree")(tables)
    above = measures.above_shuffled(tables)
    assert above.value == pytest.approx(0.54) and above.low < 0.5
    lone = table.assign(low=np.nan, high=np.nan)
    assert (
        "no interval: 1 configuration" in measures.stress_of("tasks")({"task_stress": lone}).drawn
    )


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
    assert 0 < smallest.low < 0.5 < smallest.high
    assert smallest.drawn == "both drawn independently: 3 trainings drawn with replacement"
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
    gain = measures.progress_on_unseen(tables)
    assert gain.value == pytest.approx(0.1) and "dogs 0.100" in gain.note
    assert gain.drawn.startswith("least of 3, each: no interval: 2 trainings that all agree")


def tree(scale, names="abcdefgh"):
    """Distances between tasks of two branches, and edges of the tree."""
    rows = [
        (a, b, 2 + 2 * ((i < 4) != (k < 4)), scale(i, k))
        for i, a in enumerate(names)
        for k, b in enumerate(names)
        if i < k
    ]
    pairs = pd.DataFrame(rows, columns=["group", "other_group", "edges", "normalised"])
    pairs = pairs.assign(distance=pairs["normalised"], at_the_end=pairs["normalised"])
    return {"task_tree": pairs, "task_tree_test": tree_tests(pairs)}


def test_distances_that_follow_the_tree_have_a_small_p_and_clusters_like_it():
    tables = tree(lambda i, k: 1 + ((i < 4) != (k < 4)) + 0.1 * ((i * k) % 3))
    ours = measures.mantel_p()(tables)
    assert ours.low <= ours.value <= ours.high < 0.05 and ours.sample == "8 tasks"
    assert "of 10000 orders" in ours.drawn
    few = measures.mantel_p("at_the_end")(tree(lambda i, k: 1 + i + k, "abcde"))
    assert few.low == few.value == few.high and few.drawn == "exact: all 120 orders of the tasks"
    agree = measures.cophenetic_correlation(tables)
    assert agree.value > 0.9 and agree.drawn == "8 tasks drawn with replacement"
    assert agree.low < agree.value < agree.high
    with pytest.raises(NotHere, match="at least four nodes"):
        measures.mantel_p()(tree(lambda i, k: 1 + i + k, "abc"))


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
        "task_lengths": lengths(base=[0.99, 1.01], two=[3, 5], five=[2, 2]),
        "task_distances": distances("episodic", "base", two=9.0, five=4.0),
    }
    ours = measures.length_ratio(tables)
    assert ours.value == pytest.approx(4) and "6: 4.00, 12: 4.00" in ours.note
    assert ours.low < 3 and ours.high > 5 and "2 trainings" in ours.drawn
    nearer = mean_measures.larger_way_is_nearer(tables)
    assert nearer.value == pytest.approx(5) and np.isnan(nearer.low)
    assert nearer.drawn == mean_measures.OF_MEANS and nearer.sample == "10 values of progress"
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
    ranks = mean_measures.over_ways("end_distance_apart")(tables)
    assert ranks.value == pytest.approx(-1) and ranks.drawn == "no interval: only 3 groups"
    # Only at progress that all reach: there, radii fall with the classes, elsewhere they rise.
    rows = tables["task_distances"]
    rows["radius"] = 0.1 * rows["normalised"]
    early = rows["progress"] < 0.1
    rows.loc[early, "radius"] = 1 / rows["normalised"]
    tables["task_distances"] = rows[early | (rows["group"] != "two")]
    assert mean_measures.radius_over_ways(tables).value == pytest.approx(-1)
    tables["task_groups"].loc[1, "end_distance_apart"] = np.nan
    with pytest.raises(NotHere, match="at least three"):
        mean_measures.over_ways("end_distance_apart")(tables)


WAYS = {"two": 2, "five": 5, "seven": 7}


def test_excursions_are_ranked_by_epoch_within_each_task_and_seed():
    rows = [
        (tasks, seed, epoch, final * (1 + 0.1 * seed), back)
        for tasks, scale in (("a", 1), ("b", 2))
        for seed in (0, 1)
        for epoch, final, back in ((1, 0.4 * scale, 0.1), (5, 0.2 * scale, 0), (9, 0.1 * scale, 0))
    ]
    columns = ["tasks", "seed", "start_epoch", "final", "backward_progress"]
    table = pd.DataFrame(rows, columns=columns)
    tables = {"task_excursions": table}
    ranks = measures.late_departures("final")(tables)
    assert ranks.value == pytest.approx(-1) and ranks.drawn.startswith("4 sequences")
    assert ranks.low == -1 and 0 < ranks.high < 0.3  # one of four could be at 1
    assert measures.latest_over_earliest(tables).value == pytest.approx(0.25)
    back = measures.earliest_goes_backwards(tables)
    assert back.value == pytest.approx(0.1) and "epoch 1: 0.100, epoch 5: 0.000" in back.note
    table.loc[0, "final"] = 0.02
    mixed = measures.late_departures("final")(tables)
    assert mixed.value == pytest.approx((-3 + 0.5) / 4) and mixed.low == -1 < 0 < mixed.high
    with pytest.raises(NotHere, match="at least 3 epochs"):
        measures.late_departures("final")({"task_excursions": table[table["start_epoch"] < 9]})


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
    assert mean_measures.methods_against_tasks(tables).value == pytest.approx(0.3 - 0.25)
    assert mean_measures.fixmatch_approaches(tables).value == pytest.approx(-7 / 3)


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
    pairs = mean_measures.contrastive_pairs(tables)
    assert pairs.value == pytest.approx(5.5) and pairs.drawn == "no interval: one class set"
    assert mean_measures.supervised_from_contrastive(tables).value == pytest.approx(18)
    assert mean_measures.contrastive_before_supervised(tables).value == pytest.approx(1.8 - 0.55)


def test_imprinting_is_compared_with_the_probe_of_the_same_network():
    rows = [
        (mapping, "a", seed, 9, error + (0.1 + 0.01 * error) * seed - 0.005 * error)
        for mapping, error in (("imprinted", 0.5), ("linear_probe", 0.46))
        for seed in range(2)
    ]
    columns = ["mapping", "stage", "seed", "step", "error"]
    ours = measures.probe_less_imprinting({"mapping_models": pd.DataFrame(rows, columns=columns)})
    assert ours.value == pytest.approx(0.04) and ours.drawn == "2 seeds drawn with replacement"


def test_other_studies_cannot_judge_these_claims():
    found = judge(CLAIMS, {}, "other", "cifar10")
    assert set(found["verdict"]) == {"not comparable here"}
    assert found["claim"].is_unique
