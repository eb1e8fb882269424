"""Embeddings: coordinates with a known answer."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.manifold.claims import pictures as claims

RNG = np.random.default_rng(0)


def models(split="train", spread=1.0, **columns):
    table = pd.DataFrame({
        "split": split, "configuration": np.repeat(["a", "b", "c", "d"], 30),
        "seed": np.tile(np.repeat(range(3), 10), 4), "checkpoint": np.tile(range(10), 12),
        "error": np.tile(np.linspace(0.9, 0, 10), 12), "away": False, "distance_to_truth": 1.0,
    })  # fmt: skip
    X = np.outer(np.linspace(-1, 1, 10), [1, 0, 0])
    X = np.tile(X, (12, 1)) + spread * RNG.normal(0, 0.1, (120, 3))
    return table.assign(**dict(zip(claims.SHOWN, X.T, strict=True))).assign(**columns)


def dimensions(*kinds):
    kind = [{"s": "space-like", "t": "time-like"}[k] for k in kinds]
    return pd.DataFrame({"split": "train", "dimension": range(1, len(kind) + 1), "kind": kind})


def test_intervals_to_the_truth_have_the_signature():
    near = models(distance_to_truth=0.1)
    near[claims.SHOWN] = [3.0, 4.0, 0.0]
    end = pd.DataFrame({"split": "train", "alpha": [0, 1.0], "pc1": 0.0, "pc2": 0.0, "pc3": 0.0})
    found = {"models": near, "geodesic": end, "explained_stress": dimensions(*"sts")}
    assert claims.negative_to_truth(found).value == 1
    assert claims.far_to_truth(found).value == pytest.approx(5)
    assert claims.negative_to_truth({**found, "explained_stress": dimensions(*"sst")}).value == 0
    with pytest.raises(NotHere, match="0.2 nats"):
        claims.far_to_truth({**found, "models": models()})


def test_a_geodesic_in_its_own_embedding_is_captured():
    length, alpha = np.arccos(10**-0.5), np.linspace(0, 1, 20)
    D = -np.log(np.cos(length * (alpha[:, None] - alpha)))
    centred = np.eye(20) - 1 / 20
    values, vectors = np.linalg.eigh(-centred @ D @ centred / 2)
    order = np.argsort(-np.abs(values))[:10]
    kinds = ["s" if value > 0 else "t" for value in values[order]]
    X = vectors[:, order] * np.sqrt(np.abs(values[order]))
    names = [f"pc{k + 1}" for k in range(10)]
    table = pd.DataFrame(X, columns=names).assign(alpha=alpha, split="train")
    summary = {"quantity": ["length of the geodesic"], "value": [f"{length:.4f}"]}
    found = {
        "geodesic": table, "explained_stress": dimensions(*kinds), "summary": pd.DataFrame(summary),
        "models": models(),
    }  # fmt: skip
    assert claims.geodesic_captured(found).value == pytest.approx(1, abs=1e-3)
    found["geodesic"] = table.assign(**dict.fromkeys(names[1:], 0.0))
    assert claims.geodesic_captured(found).value < 0.99


def test_signs_of_four_points():
    rows = [
        ("all models", points, s, k, kind)
        for points, s, kinds in (("all", np.nan, "sts"), ("four", 0.3, "stt"), ("four", 0.2, "sss"))
        for k, kind in enumerate(kinds)
    ]
    columns = ["selection", "points", "s", "dimension", "kind"]
    table = pd.DataFrame(rows, columns=columns).assign(split="train")
    table["kind"] = table["kind"].map({"s": "space-like", "t": "time-like"})
    assert claims.like_signs(0.3)(
        {"four_points": table, "models": models()}
    ).value == pytest.approx(2 / 3)
    near = pd.concat([table, table.assign(selection="near the manifold")])
    assert claims.space_like("four")({"four_points": near, "models": models()}).value == 3
    assert claims.space_like("all")({"four_points": near, "models": models()}).value == 2
    with pytest.raises(NotHere, match="near progress 0.1"):
        claims.like_signs(0.1)({"four_points": table, "models": models()})
    with pytest.raises(NotHere, match="no model is away"):
        claims.space_like("all")({"four_points": table, "models": models()})


def test_spreads():
    both = pd.concat([models(), models("test", spread=5.0)])
    assert claims.spread_at_equal_error({"models": both}).value > 0.2
    architectures = pd.DataFrame({
        "configuration": list("abcd"), "network": list("abcd"), "parameters": 1, "optimiser": "O",
        "architecture": ["fully_connected", "convmixer"] * 2, "algorithm": "sgd", "batch_size": 1,
        "weight_decay": 0.0, "augmentation": "none",
    })  # fmt: skip
    test = models("test", error=0.35)
    wide = test["configuration"].isin(["a", "c"])
    test.loc[wide, claims.SHOWN] *= 3
    found = {"models": test, "configurations": architectures}
    assert claims.spread_midway(found).low > 0
    with pytest.raises(NotHere, match="ConvMixer"):
        claims.spread_midway({**found, "models": test[wide]})


def test_embeddings_are_compared_in_relation_to_their_size():
    base = models()
    base["away"] = base["checkpoint"] == 3
    last = base["checkpoint"] == 9
    scaled = base.assign(**{name: 10 * base[name] for name in claims.SHOWN})
    apart = scaled.copy()
    apart.loc[last, "pc2"] += 30 * RNG.standard_normal(last.sum())
    parts = {"bhattacharyya": base, "euclidean": scaled, "symmetric_kl": apart}
    line = np.outer(np.linspace(-1, 1, 50), [1, 0, 0])
    curve = pd.DataFrame(line, columns=claims.SHOWN)
    curves = {"bhattacharyya": 1, "euclidean": 10, "symmetric_kl": 10}
    found = {
        "models": base,
        "metric_embedding": pd.concat(
            part.drop(columns="away").assign(metric=name) for name, part in parts.items()
        ),
        "metric_geodesic": pd.concat(
            (curve * size).assign(metric=name, split="train") for name, size in curves.items()
        ),
    }
    for quantity in ("from_geodesic", "spread_away", "spread_of_ends"):
        ours = claims.embedding_less_inpca("euclidean", quantity)(found)
        assert ours.value == pytest.approx(0, abs=1e-9)
    assert claims.embedding_less_inpca("symmetric_kl", "spread_of_ends")(found).low > 0
    found["models"] = base.assign(away=False)
    with pytest.raises(NotHere, match="no model is away"):
        claims.embedding_less_inpca("euclidean", "spread_away")(found)


def test_mixtures_and_shares_of_pairs():
    rows = [("samples", 1000, 0, 0.9), ("classes", 5, 0, 0.8), ("classes", 5, 1, 0.9),
            ("classes", 2, 0, 0.1)]  # fmt: skip
    table = pd.DataFrame(rows, columns=["kind", "size", "draw", "explained_pairwise_distance"])
    table = table.assign(split="test", dimension=3)
    assert claims.mixed_classes("test")({"subsets": table}).value == pytest.approx(-0.05)
    with pytest.raises(NotHere, match="two classes"):
        claims.mixed_classes("test")({"subsets": table[:1]})
    both = pd.concat([models(), models("test")])
    joint = pd.DataFrame({
        "split": ["train", "test", "test"], "axes": ["train", "test", "train"], "dimension": 3,
        "explained_pairwise_distance": [0.8, 0.6, 0.5], "low": [0.7, 0.5, 0.4],
        "high": [0.9, 0.7, 0.6],
    })  # fmt: skip
    ours = claims.pairwise_on_test({"joint_explained": joint, "models": both})
    assert ours.value == pytest.approx(-0.2) and ours.low == pytest.approx(-0.2 - 0.1 * 2**0.5)
    with pytest.raises(NotHere, match="10 models"):
        claims.joint("train")({"joint_explained": joint})
    found = claims.joint("train")({"joint_explained": joint.assign(dimension=10), "models": both})
    assert found[:3] == (0.5, 0.4, 0.6)
    spectrum = pd.DataFrame({"split": "train", "eigenvalue": [4.0, 2.0, -1.0, 0.5]})
    assert claims.third_eigenvalue({"explained_stress": spectrum, "models": both}).value == -0.25
