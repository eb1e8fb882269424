"""Claims of chapter 2: what is put into tables is what is measured of them, with its interval."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting import rules
from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.reporting.verdicts import NOT_COMPARABLE
from hyperribbon.studies.corners import claims as corners
from hyperribbon.studies.corners import further_claims
from hyperribbon.studies.manifold.claims import chapter2, manifold, progress, trajectories

RNG = np.random.default_rng(0)


def tubes(**columns):
    n = 400
    table = pd.DataFrame(
        {
            "configuration": np.repeat([f"c{k}" for k in range(8)], n // 8),
            "network": np.repeat(["AllCNN", "ViT"], n // 2),
            "optimiser": np.tile(np.repeat(["A", "B"], n // 8), 4),
            "augmentation": np.tile(np.repeat(["none", "flip"], n // 4), 2),
            "progress": np.tile(np.linspace(0, 1, n // 8), 8),
            "to_mean": RNG.uniform(0.9, 1.1, n),
            "to_geodesic": RNG.uniform(0.9, 1.1, n),
        }
    ).assign(**columns)
    return pd.concat([table.assign(split="train"), table.assign(split="test")], ignore_index=True)


def test_regression():
    x = RNG.uniform(size=200)
    models = pd.DataFrame(
        {"configuration": np.repeat(range(10), 20), "split": "train", "progress": x}
    )
    near = progress.progress_and_error("train")({"models": models.assign(error=1 - 2 * x + x**9)})
    assert 0.7 < near.low < near.value < near.high < 1
    noisy = models.assign(error=RNG.uniform(size=200))
    found = progress.progress_and_error("train")({"models": noisy})
    assert found.value == pytest.approx(np.corrcoef(noisy["progress"], noisy["error"])[0, 1] ** 2)
    assert 0 <= found.low <= found.value < found.high < 0.2
    assert found.drawn == "10 configurations drawn with replacement"


def test_medians_and_differences_are_those_put_in():
    table = tubes()
    table["to_mean"] += (table["augmentation"] == "flip") * 3.0
    table["to_geodesic"] += (table["network"] == "ViT") * 2 + (table["split"] == "test") * 5
    found = trajectories.augmentation_widens({"tubes": table})
    assert found.value == pytest.approx(3, abs=0.1)
    assert found.low > 2.8
    assert "4 pairs" in found.note
    nearest = trajectories.nearest_to_geodesic("AllCNN")({"tubes": table})
    assert nearest.value == pytest.approx(2, abs=0.05)
    assert nearest.first == 1
    other = trajectories.nearest_to_geodesic("ViT")({"tubes": table})
    assert other.value == pytest.approx(-2, abs=0.05)
    assert other.first == 0
    assert trajectories.geodesic_test_less_train({"tubes": table}).value == pytest.approx(5)
    median = table.query("split == 'train'")["to_mean"].median()
    assert trajectories.tube_width("train")({"tubes": table}).value == median
    apart = 1 + 0.01 * pd.factorize(table["configuration"])[0]
    table["to_geodesic"] = apart * table["progress"] * (1 - table["progress"])
    assert trajectories.geodesic_middle({"tubes": table}).low > 0.1


def test_what_a_study_lacks_is_said():
    table = tubes()
    for measure, tables, words in (
        (trajectories.tube_width("train"), {"tubes": table.assign(to_mean=np.nan)}, "two seeds"),
        (
            trajectories.augmentation_widens,
            {"tubes": table.assign(augmentation="none")},
            "augmentation",
        ),
        (trajectories.nearest_to_geodesic("LeNet"), {"tubes": table}, "LeNet"),
        (manifold.away_of("ViT"), {"models": table.assign(away=False)}, "no model is away"),
    ):
        with pytest.raises(NotHere, match=words):
            measure(tables)


def test_distances_of_configurations_count_each_pair_once():
    table = pd.DataFrame(
        {
            "split": "train",
            "configuration": ["a", "a", "a", "b", "b", "c"],
            "other": ["a", "b", "c", "b", "c", "c"],
            "distance": [9.0, 0.1, 0.2, 9.0, 0.6, 9.0],
        }
    )
    found = trajectories.configuration_distance({"configuration_distances": table})
    assert found.value == pytest.approx(0.3)
    assert found.low <= 0.3 <= found.high


def test_tubes_and_distances_of_configurations_are_drawn_together():
    """Configurations whose tubes are half as wide as they are far from others."""
    names, table = list("abcdef"), tubes()
    size = dict(zip(names, (4.0, 4.2, 4.4, 4.6, 4.8, 5.0), strict=True))
    table = table.assign(
        configuration=np.tile(np.repeat(names, 2), len(table) // 12 + 1)[: len(table)]
    )
    table["to_mean"] = table["configuration"].map(size) / 4
    pairs = [(a, b) for a in names for b in names if a < b]
    distances = pd.DataFrame(pairs, columns=["configuration", "other"]).assign(
        split="train", distance=[(size[a] + size[b]) / 4 for a, b in pairs]
    )
    tables = {"tubes": table, "configuration_distances": distances}
    ours = trajectories.tube_in_configuration_distances(tables)
    widths = table.query("split == 'train'")["to_mean"]
    assert ours.value == pytest.approx(widths.median() - distances["distance"].median())
    assert ours.low < ours.value < ours.high < 0
    with pytest.raises(NotHere, match="no two configurations"):
        trajectories.tube_in_configuration_distances(
            tables | {"configuration_distances": distances.assign(distance=np.nan)}
        )


def ensembles(**error):
    kinds = {"arithmetic": 0.2, "geometric": 0.18, "harmonic": 0.1} | error
    rows = [
        {"configuration": c, "kind": kind, "checkpoint": k, "seeds": 3,
         "error": e * (1 + 0.01 * c) + 0.5 * (k == 0), "progress": 1 - e * (1 + 0.01 * c)}
        for c in range(6) for kind, e in kinds.items() for k in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(split="test")


def test_of_ensembles_the_last_checkpoint_counts():
    others = ["arithmetic", "geometric"]
    found = progress.harmonic_less_arithmetic({"ensembles": ensembles()})
    assert found.value == pytest.approx(-10.25)
    assert -10.6 < found.low < found.value < found.high < -9.9
    found = progress.harmonic_is_best(*others)({"ensembles": ensembles()})
    assert (found.value, found.first) == (pytest.approx(8.2), 1)  # compared with the geometric one
    assert found.sample == "6 configurations with up to 3 seeds"
    found = progress.harmonic_is_farthest(*others)({"ensembles": ensembles(harmonic=0.19)})
    assert (found.value, found.first) == (pytest.approx(-0.01025), 0)
    for measure in (progress.harmonic_is_best(*others), progress.harmonic_less_arithmetic):
        with pytest.raises(NotHere, match="one seed"):
            measure({"ensembles": ensembles().iloc[:0]})


def test_the_larger_network_is_compared_at_equal_updates():
    configurations = pd.DataFrame(
        {"configuration": ["s", "l", "x"], "architecture": ["resnet", "resnet", "vit"],
         "parameters": [10, 99, 50]}
    )  # fmt: skip
    models = pd.DataFrame(
        [
            {"split": "train", "configuration": c, "optimiser": "A", "augmentation": "none",
             "step": step, "progress": p}
            for c, ahead in (("s", 0.0), ("l", 0.2), ("x", 0.9))
            for step, p in ((0, 0.0), (1, 0.1 + ahead), (2, 0.3 + ahead))
        ]
    )  # fmt: skip
    found = progress.larger_is_faster({"configurations": configurations, "models": models})
    assert found.value == pytest.approx(0.2)
    one_size = configurations.assign(parameters=10)
    with pytest.raises(NotHere, match="two sizes"):
        progress.larger_is_faster({"configurations": one_size, "models": models})


def importance(**values):
    values = {"network": 0.5, "algorithm": 0.2, "augmentation": 0.1} | values
    table = pd.DataFrame({"factor": values.keys(), "importance": values.values()})
    return table.assign(split="train")


def test_the_first_factor_is_compared_with_the_next_without_some_configurations():
    table = pd.concat([importance(**{"distance to geodesic": 0.9})], ignore_index=True).assign(
        p_value=[0.01, 0.02, 0.3, np.nan], permutations=99, pairs=45,
        arrangements=[100.0, 50, 20, np.nan],
    )  # fmt: skip
    noise = np.linspace(-0.05, 0.05, 5)
    without = pd.concat(
        [importance(network=0.5 + x).assign(left_out=k) for k, x in enumerate(noise)]
    )
    tables = {"importance": table, "importance_without": without}
    ours = trajectories.architecture_first("train")(tables)
    assert ours.value == pytest.approx(0.3)
    assert ours.low < 0.3 < ours.high
    assert ours.first > 0.95
    assert "network 0.50, algorithm 0.20" in ours.note
    second = trajectories.optimisation_second("train")(tables)
    assert (second.value, second.first) == (pytest.approx(0.1), 1)
    with pytest.raises(NotHere, match="too few"):
        trajectories.architecture_first("test")(tables)
    # Without the one network of a kind, a factor may have no importance.
    lost = without[(without["left_out"] > 0) | (without["factor"] != "algorithm")]
    unknown = trajectories.architecture_first("train")(tables | {"importance_without": lost})
    assert np.isnan([unknown.low, unknown.high, unknown.first]).all()
    none = trajectories.architecture_first("train")(tables | {"importance_without": without[:0]})
    assert np.isnan(none.low)


@pytest.mark.parametrize(("p_value", "high"), [(0.01, 0.037), (0.06, 0.114)])
def test_a_p_value_has_the_interval_of_its_permutations(p_value, high):
    table = importance().assign(p_value=p_value, permutations=99, arrangements=50)
    ours = trajectories.architecture_by_chance("train")({"importance": table})
    assert ours.value == p_value
    assert ours.high == pytest.approx(high, abs=0.001)
    few = table.assign(arrangements=12)  # no p-value could be below 0.05
    with pytest.raises(NotHere, match="too few configurations agree"):
        trajectories.architecture_by_chance("train")({"importance": few})


def models(configurations=5, seeds=3, **columns):
    rows = [
        {"configuration": f"c{c}", "network": "AllCNN" if c < 2 else "ViT", "seed": s,
         "checkpoint": k, "step": 10 * k, "error": 0.9 - 0.45 * k - 0.001 * c, "away": False,
         "distance_to_ignorance": 0.1 * c + 0.01 * s + k, "distance_to_truth": 3 - k - 0.1 * c}
        for c in range(configurations) for s in range(seeds) for k in range(3)
    ]  # fmt: skip
    table = pd.DataFrame(rows).assign(**columns)
    return pd.concat([table.assign(split=split) for split in ("train", "test")], ignore_index=True)


def test_where_trainings_begin_and_end():
    table = models()
    begin = manifold.first_distance({"models": table})
    starts = table.query("split == 'test' and step == 0")["distance_to_ignorance"]
    assert begin.value == pytest.approx(np.quantile(starts, 0.75))
    assert begin.low < begin.value < begin.high
    assert begin.note == "the largest is 0.42"
    end = manifold.last_distance("test")({"models": table})
    ends = table.query("split == 'test' and step == 20")["distance_to_truth"]
    assert end.value == pytest.approx(np.quantile(ends, 0.75))
    with pytest.raises(NotHere, match="at most 10%"):
        manifold.last_distance("test")({"models": table.assign(error=0.5)})
    with pytest.raises(NotHere, match="step 0"):
        manifold.first_distance({"models": table.query("step > 0")})


def test_the_share_away_is_one_of_configurations():
    """Three seeds of one configuration are not three witnesses."""
    table = models()
    table.loc[
        table["network"].eq("AllCNN") & (table["seed"] == 0) & (table["step"] > 0), "away"
    ] = True
    ours = manifold.away_of("AllCNN")({"models": table})
    assert ours.value == 1
    assert ours.sample == "2 of 2 configurations"
    assert ours.note == "22.22% of its models"
    assert manifold.away_of("ViT")({"models": table}).value == 0


def test_intervals_of_sampled_models_are_moved_to_the_value_of_all():
    stress = pd.DataFrame(
        {"split": "train", "dimension": [1, 2, 3], "explained_stress": [0.7, 0.8, 0.9],
         "eigenvalue": [10.0, -4.0, 1.0]}
    )  # fmt: skip
    null = pd.DataFrame(
        {"split": "train", "kind": ["observed", "shuffled by model"], "dimension": 3,
         "explained_stress": [0.88, 0.5], "low": [0.85, np.nan], "high": [0.99, np.nan],
         "models": 40}
    )  # fmt: skip
    metrics = pd.DataFrame(
        {"split": "train", "metric": ["bhattacharyya"] * 3 + ["symmetric_kl"] * 3,
         "dimension": [1, 2, 3] * 2, "eigenvalue": [5.0, -2.5, 1.0] * 2,
         "explained_stress": [0.7, 0.8, 0.88, 0.71, 0.82, 0.9],
         "ratio_low": [np.nan, -0.6, np.nan] * 2, "ratio_high": [np.nan, -0.3, np.nan] * 2,
         "less_inpca_low": [0.0] * 3 + [-0.02] * 3, "less_inpca_high": [0.0] * 3 + [0.05] * 3,
         "models": 40}
    )  # fmt: skip
    tables = {
        "explained_stress": stress, "null_model": null, "metrics": metrics, "models": models(),
    }  # fmt: skip
    ours = manifold.stress("train", 3)(tables)
    assert ours[:3] == pytest.approx((0.9, 0.87, 1.0))
    assert ours.drawn == "5 configurations drawn with replacement, of 40 rows"
    assert ours.sample == "5 configurations, 15 trainings, 45 models"
    # Sampled models without those that decide the value tell nothing of it.
    other = null.assign(explained_stress=0.7, low=0.6, high=0.8)
    lacking = manifold.stress("train", 3)(tables | {"null_model": other})
    assert lacking.value == 0.9 and np.isnan([lacking.low, lacking.high]).all()
    assert lacking.drawn == "no interval: the 40 models to draw from have another value"
    unknown = manifold.stress("train", 2)(tables)
    assert np.isnan(unknown.low) and unknown.drawn.startswith("no interval")
    with pytest.raises(NotHere, match="fewer than 9 models"):
        manifold.stress("train", 9)(tables)
    second = manifold.second_eigenvalue(tables)
    assert second[:3] == pytest.approx((-0.4, -0.5, -0.2))
    less = manifold.iskl_less_inpca(tables)
    assert less[:4] == (pytest.approx(0.02), -0.02, 0.05, "0.900 and 0.880")


def test_four_points_are_compared_with_the_original_in_pairs_of_draws():
    whole = pd.DataFrame(
        {"points": "all", "dimension": [3, 8], "explained_pairwise_distance": [0.8, 0.9]}
    )
    four = pd.DataFrame(
        {"points": "four", "dimension": [3], "explained_pairwise_distance": [0.75],
         "s": 0.2, "low": 0.1, "high": 0.99, "rmsd": 0.05, "rmsd_low": 0.04, "rmsd_high": 0.07}
    )  # fmt: skip
    less = pd.DataFrame(
        {"points": "four less all", "s": 0.2, "dimension": [3, 8],
         "explained_pairwise_distance": [-0.05, -0.15], "low": [-0.06, -0.2],
         "high": [-0.03, -0.1]}
    )  # fmt: skip
    table = pd.concat([whole, four, less]).assign(split="train", models=43)
    tables = {"four_points": table, "models": models()}
    ours = manifold.four_points(0.2, 3)(tables)
    assert ours[:3] == (pytest.approx(-0.05), -0.06, -0.03)
    assert ours.note == "0.75 and 0.80; without models that are away from the manifold"
    assert ours.sample == "5 configurations, 15 trainings, 45 models, of which 43 count"
    ours = manifold.four_points(0.2, 8)(tables)
    assert ours[:3] == (pytest.approx(-0.15), -0.2, -0.1)
    assert manifold.four_points_rmsd(tables)[:3] == (0.05, 0.04, 0.07)
    for measure in (manifold.four_points(0.3, 3), manifold.four_points_rmsd):
        with pytest.raises(NotHere, match="no models"):
            measure(tables | {"four_points": table.assign(s=0.4)})


def test_sets_of_samples_are_drawn():
    draws = [0.78, 0.8, 0.79]
    table = pd.DataFrame(
        {"split": "train", "kind": "samples", "dimension": 3, "models": 50,
         "size": [50] * 3 + [400], "draw": [0, 1, 2, 0],
         "explained_pairwise_distance": [*draws, 0.81]}
    )  # fmt: skip
    ours = manifold.few_samples("train", 50)({"subsets": table})
    assert ours.value == pytest.approx(-0.02)
    assert ours.low < -0.03 and ours.high > -0.01  # three sets tell little
    assert ours.drawn == "3 random subsets drawn with replacement"
    assert ours.sample == "50 models, 3 random subsets of samples"
    with pytest.raises(NotHere, match="more than 400 train samples"):
        manifold.few_samples("train", 400)({"subsets": table})


def test_axes_of_train_are_compared_with_those_of_test():
    table = pd.DataFrame(
        {"split": "test", "axes": ["test"] * 2 + ["train"] * 2, "dimension": [1, 2] * 2,
         "explained_pairwise_distance": [0.5, 0.56, 0.4, 0.52],
         "less_own_low": [np.nan] * 2 + [-0.2, -0.06],
         "less_own_high": [np.nan] * 2 + [-0.1, -0.01]}
    )  # fmt: skip
    ours = manifold.train_axes_on_test({"joint_explained": table, "models": models()})
    assert ours[:3] == (pytest.approx(-0.04), -0.06, -0.01)
    assert ours.note == "0.52 and 0.56 in 2 dimensions"


def test_every_claim_says_what_where_and_by_which_rule():
    assert len({claim.text + claim.source for claim in chapter2.CLAIMS}) == len(chapter2.CLAIMS)
    for claim in chapter2.CLAIMS:
        assert claim.source.startswith(("Fig", "Table", "section"))
        assert not np.isnan(claim.rule.region(claim.published)).any()
        if "first" in claim.text.lower() and "factor" in claim.text:
            assert claim.rule == rules.FIRST


def test_a_study_of_corners_judges_only_the_claims_about_these():
    own = [*chapter2.CORNERS, *further_claims.CLAIMS]
    others = [claim for claim in chapter2.CLAIMS if claim not in own]
    assert {claim.check for claim in others} == {corners.without_corners}
    assert {claim.check for claim in own} == {corners.with_corners}
    verdicts = judge(others, {"rejoining": None}, "corners", "cifar10")["verdict"]
    assert (verdicts == NOT_COMPARABLE).all()
    verdicts = judge(own, {}, "no corners", "cifar10")["verdict"]
    assert (verdicts == NOT_COMPARABLE).all()
