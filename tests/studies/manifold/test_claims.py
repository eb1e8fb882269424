import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import manifold, progress, trajectories

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
    exact = progress.progress_and_error("train")({"models": models.assign(error=1 - 2 * x)})
    assert exact[:3] == pytest.approx((1, 1, 1))
    noisy = models.assign(error=RNG.uniform(size=200))
    found = progress.progress_and_error("train")({"models": noisy})
    assert found.value == pytest.approx(np.corrcoef(noisy["progress"], noisy["error"])[0, 1] ** 2)
    assert found.low < found.value < found.high < 0.2


def test_medians_and_differences_are_those_put_in():
    table = tubes()
    table["to_mean"] += (table["augmentation"] == "flip") * 3.0
    table["to_geodesic"] += (table["network"] == "ViT") * 2 + (table["split"] == "test") * 5
    found = trajectories.augmentation_widens({"tubes": table})
    assert found.value == pytest.approx(3, abs=0.1)
    assert found.low > 2.8
    assert "4 pairs" in found.note
    assert trajectories.nearest_to_geodesic("AllCNN")({"tubes": table}).value == pytest.approx(
        -2, abs=0.05
    )
    assert trajectories.nearest_to_geodesic("ViT")({"tubes": table}).value == pytest.approx(
        2, abs=0.05
    )
    assert trajectories.geodesic_test_less_train({"tubes": table}).value == pytest.approx(5)
    median = table.query("split == 'train'")["to_mean"].median()
    assert trajectories.tube_width("train")({"tubes": table}).value == median
    table["to_geodesic"] = table["progress"] * (1 - table["progress"])
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


def ensembles(**error):
    kinds = {"arithmetic": 0.2, "geometric": 0.18, "harmonic": 0.1} | error
    rows = [
        {"configuration": c, "kind": kind, "checkpoint": k, "seeds": 3,
         "error": e + 0.5 * (k == 0) + 0.01 * c, "progress": 1 - e}
        for c in range(6) for kind, e in kinds.items() for k in range(2)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(split="test")


def test_of_ensembles_the_last_checkpoint_counts():
    others = ["arithmetic", "geometric"]
    found = progress.harmonic_error_less(*others)({"ensembles": ensembles()})
    assert found[:3] == pytest.approx((-8, -8, -8))
    assert found.note == "6 configurations with up to 3 seeds"
    found = progress.harmonic_progress_less(*others)({"ensembles": ensembles(harmonic=0.19)})
    assert found.value == pytest.approx(-0.01)
    with pytest.raises(NotHere, match="one seed"):
        progress.harmonic_error_less(*others)({"ensembles": ensembles().iloc[:0]})


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


def test_the_first_factor_is_compared_with_the_next():
    table = pd.DataFrame(
        {
            "split": "train",
            "factor": ["network", "algorithm", "augmentation", "distance to geodesic"],
            "importance": [0.5, 0.2, 0.1, 0.9],
            "std": [0.01, 0.01, 0.01, 0.01],
            "p_value": [0.01, 0.02, 0.3, np.nan],
            "arrangements": [100.0, 50, 20, np.nan],
        }
    )
    tables = {"importance": table}
    assert trajectories.architecture_first("train")(tables).value == pytest.approx(0.3)
    assert trajectories.optimisation_second("train")(tables).value == pytest.approx(0.1)
    assert trajectories.architecture_by_chance("train")(tables).value == 0.01
    with pytest.raises(NotHere, match="too few"):
        trajectories.architecture_first("test")(tables)
