"""Tubes and the geodesic: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import tubes as claims

NETWORKS = {"AllCNN": "allcnn", "Small": "wide_resnet", "Large": "wide_resnet", "ViT": "vit"}
PROGRESS = np.linspace(0, 0.95, 20)


def configurations():
    rows = [
        {
            "configuration": f"{network}-{optimiser}-{augmentation}", "network": network,
            "architecture": architecture, "parameters": 100 * (1 + (network == "Large")),
            "optimiser": optimiser, "algorithm": optimiser.lower(), "batch_size": 10,
            "weight_decay": 0.0, "augmentation": augmentation,
        }
        for network, architecture in NETWORKS.items()
        for optimiser in ("SGD", "Adam")
        for augmentation in ("none", "flip")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def tables(width=None, geodesic=None):
    """Tubes of width 1 at distance 1 from the geodesic, but for what functions of rows add."""
    rows = configurations().merge(pd.DataFrame({"seed": range(2)}), how="cross")
    rows = rows.merge(pd.DataFrame({"progress": PROGRESS}), how="cross")
    rows = rows.merge(pd.DataFrame({"split": ["train", "test"]}), how="cross")
    rows["to_mean"] = 1.0 + (0 if width is None else width(rows))
    rows["to_geodesic"] = 1.0 + (0 if geodesic is None else geodesic(rows))
    ends = rows.groupby(["split", "configuration", "network", "seed"])["to_geodesic"].mean()
    names = configurations()["configuration"]
    i, j = np.triu_indices(len(names))
    pairs = {"split": "train", "configuration": names[i].array, "other": names[j].array}
    return {
        "configurations": configurations(), "tubes": rows.drop(columns="algorithm"),
        "trajectories": ends.rename("distance_to_geodesic").reset_index(),
        "configuration_distances": pd.DataFrame(pairs).assign(distance=0.25),
    }  # fmt: skip


def test_widths_are_compared_at_equal_progress():
    found = tables(
        lambda rows: 1.0 * (rows["network"] == "ViT") + (rows["split"] == "test") * rows["progress"]
    )
    assert claims.widest_over_narrowest("train", "network")(found).value == pytest.approx(2)
    assert claims.widest_over_narrowest("train", "optimiser")(found).value == pytest.approx(1)
    assert claims.differ_more_on_test(found).value < 0  # a wider tube hides the difference
    assert claims.ends_differ_more_on_test(found).value == pytest.approx(PROGRESS[-1])
    assert claims.widening(found).value == pytest.approx(0.5, abs=1e-12)
    assert claims.width_throughout(found).value == pytest.approx(1)
    wider = tables(lambda rows: 3.0 * (rows["augmentation"] == "flip"))
    ours = claims.augmentation_widens_on_test(wider)
    assert ours.value == pytest.approx(3) and "8 pairs" in ours.note


def test_the_first_network_is_compared_with_the_next():
    found = tables(
        geodesic=lambda rows: (
            rows["network"].map({"Large": 0.4, "Small": 0.1, "AllCNN": -0.3, "ViT": 0.0})
            + 0.2 * ((rows["split"] == "test") & (rows["network"] != "ViT"))
        )
    )
    assert claims.large_is_farthest(found).value == pytest.approx(0.3)
    # On test ViT is at 1, AllCNN at 0.9.
    assert claims.nearest_to_geodesic_on_test("AllCNN")(found).value == pytest.approx(0.1)
    assert claims.farther_on_test(found).value == pytest.approx(0)
    assert "allcnn 0.2" in claims.farther_on_test(found).note
    assert claims.far_at_large_progress(found).value == pytest.approx(1 - (0.9 + 1.3 + 1.6) / 3)
    assert claims.geodesic_is_far(found).value == pytest.approx(1.05 - 0.25)


def test_optimisers_are_compared_midway():
    found = tables(
        geodesic=lambda rows: (
            (rows["optimiser"] == "Adam")
            * rows["network"].map({"AllCNN": 0.5, "ViT": 0.2, "Small": 0.1, "Large": 0.1})
            * rows["progress"].between(0.3, 0.699)
        )
    )
    assert claims.optimisers_differ("AllCNN")(found).value == pytest.approx(0.3)
    with pytest.raises(NotHere, match="LeNet"):
        claims.optimisers_differ("LeNet")(found)


def test_what_a_study_lacks_is_said():
    found = tables()
    found["tubes"] = found["tubes"].assign(to_mean=np.nan)
    for measure in (claims.width_throughout, claims.widening, claims.differ_more_on_test):
        with pytest.raises(NotHere, match="two seeds"):
            measure(found)
    one = found["tubes"]["network"] == "AllCNN"
    found["tubes"] = found["tubes"][one]
    for measure, words in (
        (claims.nearest_to_geodesic_on_test("AllCNN"), "another one"),
        (claims.far_at_large_progress, "attention-based"),
        (claims.widest_over_narrowest("test", "network", "to_geodesic"), "two values"),
    ):
        with pytest.raises(NotHere, match=words):
            measure(found)
