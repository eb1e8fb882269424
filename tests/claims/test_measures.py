import numpy as np
import pandas as pd
import pytest

from hyperribbon.claims import NotHere
from hyperribbon.claims import measures as of

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
    exact = of.progress_and_error("train")({"models": models.assign(error=1 - 2 * x)})
    assert exact[:3] == pytest.approx((1, 1, 1))
    noisy = models.assign(error=RNG.uniform(size=200))
    found = of.progress_and_error("train")({"models": noisy})
    assert found.value == pytest.approx(np.corrcoef(noisy["progress"], noisy["error"])[0, 1] ** 2)
    assert found.low < found.value < found.high < 0.2


def test_medians_and_differences_are_those_put_in():
    table = tubes()
    table["to_mean"] += (table["augmentation"] == "flip") * 3.0
    table["to_geodesic"] += (table["network"] == "ViT") * 2 + (table["split"] == "test") * 5
    found = of.augmentation_widens({"tubes": table})
    assert found.value == pytest.approx(3, abs=0.1)
    assert found.low > 2.8
    assert "4 pairs" in found.note
    assert of.nearest_to_geodesic("AllCNN")({"tubes": table}).value == pytest.approx(-2, abs=0.05)
    assert of.nearest_to_geodesic("ViT")({"tubes": table}).value == pytest.approx(2, abs=0.05)
    assert of.geodesic_test_less_train({"tubes": table}).value == pytest.approx(5)
    median = table.query("split == 'train'")["to_mean"].median()
    assert of.tube_width("train")({"tubes": table}).value == median
    table["to_geodesic"] = table["progress"] * (1 - table["progress"])
    assert of.geodesic_middle({"tubes": table}).low > 0.1


def test_what_a_study_lacks_is_said():
    table = tubes()
    for measure, tables, words in (
        (of.tube_width("train"), {"tubes": table.assign(to_mean=np.nan)}, "two seeds"),
        (of.augmentation_widens, {"tubes": table.assign(augmentation="none")}, "augmentation"),
        (of.nearest_to_geodesic("LeNet"), {"tubes": table}, "LeNet"),
        (of.away_of("ViT"), {"models": table.assign(away=False)}, "no model is away"),
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
    found = of.configuration_distance({"configuration_distances": table})
    assert found.value == pytest.approx(0.3)
    assert found.low <= 0.3 <= found.high
