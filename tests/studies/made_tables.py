"""Tidy tables of a made-up study, as the steps leave them."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.panels import WIDEST
from hyperribbon.reporting.style import apply_style
from hyperribbon.storage.tables import read_tables, write_table

SPLITS = ("train", "test")
NETWORKS = {"Small": "wide_resnet", "Large": "wide_resnet", "ViT": "vit"}
OPTIMISERS = {"SGD-10": ("sgd", 10, 0.0), "SGD-20": ("sgd", 20, 0.0), "Adam": ("adam", 10, 0.0)}


@pytest.fixture
def style():
    """Figures as the workflow draws them, closed at the end."""
    apply_style()
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def made():
    """Tables that were made before, by what was asked for."""
    return {}


@pytest.fixture
def assert_legible():
    """Function that checks a figure as wide as the report shows it: its text, and its legends."""

    def check(figure):
        assert figure.get_figwidth() <= WIDEST + 1e-9
        texts = [text for text in figure.findobj(plt.Text) if text.get_text()]
        assert min(text.get_fontsize() for text in texts) >= 6
        figure.draw_without_rendering()
        for legend in [*figure.legends, *(axes.get_legend() for axes in figure.axes)]:
            if legend:
                box = legend.get_window_extent()
                assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
                assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1

    return check


@pytest.fixture
def make_tables(made, tmp_path):
    """Function that makes the tables, read from their files."""

    def make(
        networks=NETWORKS, optimisers=OPTIMISERS, augmentations=("none", "flip"), seeds=2, reach=0.9
    ):
        asked = networks, optimisers, augmentations, seeds, reach
        if repr(asked) not in made:
            for name, table in tables_of(*asked).items():
                write_table(table, tmp_path / f"{name}.csv")
            made[repr(asked)] = read_tables(sorted(tmp_path.glob("*.csv")))
        return {name: table.copy() for name, table in made[repr(asked)].items()}

    return make


def tables_of(networks, optimisers, augmentations, seeds, reach):
    rng = np.random.default_rng(0)
    about = [
        {
            "configuration": f"{network}-{optimiser}-{augmentation}-0",
            "network": network,
            "architecture": architecture,
            "parameters": 100 * (k + 1),
            "optimiser": optimiser,
            "algorithm": optimisers[optimiser][0],
            "learning_rate": 0.1,
            "batch_size": optimisers[optimiser][1],
            "weight_decay": optimisers[optimiser][2],
            "augmentation": augmentation,
        }
        for (k, (network, architecture)), optimiser, augmentation in itertools.product(
            enumerate(networks.items()), optimisers, augmentations
        )
    ]
    about = pd.DataFrame(about)
    names = ["configuration", "network", "optimiser", "augmentation"]
    trainings = about[names].merge(pd.DataFrame({"seed": range(seeds)}), how="cross")
    trainings = pd.DataFrame({"split": SPLITS}).merge(trainings, how="cross")
    steps = pd.DataFrame({"checkpoint": range(6), "step": [0, 1, 10, 40, 80, 100]})
    models = trainings.merge(steps, how="cross").assign(epoch=lambda table: table["step"] / 10)
    models["progress"] = reach * models["step"] / 100
    models["error"] = models["loss"] = 1 - models["progress"]
    models["stage"] = "direct"
    models["near_geodesic"] = np.where(models["progress"] < 0.4, "0.02", "none")
    models["near_end"] = np.where(models["step"] > 50, models["network"] + " none", "none")
    for k in (1, 2, 3):
        models[f"pc{k}"] = rng.normal(size=len(models))
    grid = pd.DataFrame({"progress": np.linspace(0, 1, 20)})
    tubes = trainings.merge(grid[grid["progress"] < reach], how="cross")
    tubes["to_geodesic"] = rng.uniform(size=len(tubes))
    tubes["to_mean"] = rng.uniform(size=len(tubes)) if seeds > 1 else np.nan
    place = about["network"].map({name: k for k, name in enumerate(networks)}).to_numpy()
    place = place + rng.uniform(0, 0.1, len(about))
    i, j = np.triu_indices(len(about))
    pairs = {"configuration": about["configuration"][i].array,
             "other": about["configuration"][j].array,
             "distance": np.where(reach > 0, (place[i] - place[j]) ** 2, np.nan)}  # fmt: skip
    distances = pd.DataFrame({"split": SPLITS}).merge(pd.DataFrame(pairs), how="cross")
    stress = pd.DataFrame({"dimension": range(1, 5), "eigenvalue": [4.0, 2.0, -1.0, 0.1]})
    stress = stress.assign(kind=["space-like", "space-like", "time-like", "space-like"])
    stress = stress.assign(explained_stress=[0.6, 0.8, 0.9, 1.0])
    stress = pd.DataFrame({"split": SPLITS}).merge(stress, how="cross")
    few = len(about) < 4
    points = trainings.assign(pc1=1.0, pc2=rng.normal(size=len(trainings)), pc3=0.0)
    importance = pd.DataFrame(
        {
            "factor": ["network", "distance to geodesic", "optimiser"],
            "levels": [3, None, 3],
            "importance": [0.4, 0.1, -0.01],
            "std": [0.05, 0.02, 0.02],
            "p_value": [0.01, None, 0.6],
            "arrangements": [99, None, 40],
            "r_squared": 0.8,
            "pairs": 100,
        }
    )
    importance = pd.DataFrame({"split": SPLITS}).merge(importance, how="cross")
    summary = {f"R^2 of progress and error, {split}": "0.9" for split in SPLITS}
    summary |= {"length of the geodesic": "1.25"}
    curve = pd.DataFrame({"alpha": np.linspace(0, 1, 5), "pc1": 0.0, "pc2": 0.0, "pc3": 0.0})
    return manifold_tables(models, curve, seeds, few) | {
        "configurations": about,
        "configuration_distances": distances,
        "explained_stress": stress,
        "geodesic": pd.DataFrame({"split": SPLITS}).merge(curve, how="cross"),
        "importance": importance.iloc[:0] if few else importance,
        "models": models,
        "summary": pd.DataFrame(summary.items(), columns=["quantity", "value"]).assign(note=""),
        "trajectories": trainings.assign(length=rng.uniform(1, 3, len(trainings))),
        "trajectory_embedding": points.iloc[:0] if few else points,
        "trajectory_stress": stress.iloc[:0] if few else stress,
        "tubes": tubes,
    }


def manifold_tables(models, curve, seeds, few):
    """Tables of the rules of the manifold; of one training, nothing is away, near or shared."""
    both = pd.DataFrame({"split": SPLITS})
    dimensions = pd.DataFrame({"dimension": range(1, 4), "kind": "space-like"})
    dimensions["explained_stress"] = dimensions["explained_pairwise_distance"] = [0.5, 0.7, 0.8]
    by_split = both.merge(dimensions, how="cross")
    curve = both.merge(curve, how="cross")

    def of(column, *values):
        return pd.DataFrame({column: values})

    selections = of("selection", "all models", "near the manifold").iloc[: 1 if few else 2]
    points = pd.DataFrame({"points": ["all", "four"], "s": [np.nan, 0.2], "rmsd": [np.nan, 0.1]})
    sizes = pd.DataFrame({"kind": ["samples", "samples", "classes"], "size": [10, 100, 2]})
    found = sizes[:0] if few else sizes[sizes["size"] != 100]
    strata = ["split", "network", "optimiser", "augmentation", "step", "epoch"]
    away = models.groupby(strata, sort=False).size().rename("models").reset_index()
    kinds = of("kind", "single network", "arithmetic", "sqrt_arithmetic", "geometric", "harmonic",
               "bhattacharyya", "jeffreys")  # fmt: skip
    scores = models[models["seed"] == 0].drop(columns="seed").merge(kinds, how="cross")
    scores = scores.assign(seeds=seeds).iloc[: 0 if seeds == 1 else None]
    chosen = scores["configuration"] == models["configuration"].iloc[0]
    places = scores[chosen & (scores["kind"] != "single network")]
    metrics = of("metric", "bhattacharyya", "symmetric_kl", "geodesic", "euclidean")
    nulls = of("kind", "observed", "shuffled by training", "shuffled by model")
    explained = both.merge(of("axes", "train", "test"), how="cross").iloc[[0, 2, 3]]
    return {
        "away": away.assign(away=0 if few else 1),
        "ensembles": scores,
        "ensemble_embedding": places,
        "four_points": by_split.merge(selections, how="cross").merge(points, how="cross"),
        "four_point_embedding": models.merge(points[["points"]], how="cross"),
        "joint_embedding": models,
        "joint_explained": explained.merge(dimensions, how="cross"),
        "joint_geodesic": curve[curve["split"] == "train"],
        "metrics": by_split.merge(metrics, how="cross"),
        "metric_embedding": models.merge(metrics, how="cross"),
        "metric_geodesic": curve.merge(metrics, how="cross"),
        "null_model": by_split.drop(columns="kind")
        .merge(nulls, how="cross")
        .merge(of("draw", 0, 1), how="cross"),
        "subsets": by_split.drop(columns="kind")
        .merge(sizes, how="cross")
        .merge(of("draw", 0, 1), how="cross"),
        "subset_embedding": models.merge(found, how="cross"),
    }
