"""The steps null_model, metrics, subsets, joint, four_points and tables, on a small study."""

from copy import copy
from inspect import signature

import numpy as np
import pytest

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.neighbourhood import is_away
from hyperribbon.errors import StoreError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.shuffling import shuffled_by_model, shuffled_by_training
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.manifold import (
    distance,
    embed,
    four_points,
    joint,
    metrics,
    null_model,
    progress,
    subsets,
)

N_MODELS = 2 * 2 * 20


@pytest.fixture(scope="module")
def analysed(module_study):
    """Manifests of predictions, distances, embeddings and progress, and a call of a step."""
    study = module_study
    predictions = [study.train("a"), study.train("b")]
    for name in ("distance", "embedding", "progress", "tables"):
        (study.root / name).mkdir()
    paths = {
        name: [study.root / name / f"{split}.zarr" for split in SPLITS]
        for name in ("distance", "embedding", "progress")
    }
    manifests = {name: [p.with_suffix(".json") for p in stores] for name, stores in paths.items()}
    common = {"predictions": predictions, "threads": 1}
    for k, split in enumerate(SPLITS):
        distance.main(
            **common,
            split=split,
            geodesic_points=5,
            memory=1000,
            work=study.root / "work",
            code="1",
            output=paths["distance"][k],
        )
        embed.main(manifests["distance"][k], components=3, code="1", output=paths["embedding"][k])
        progress.main(**common, split=split, code="1", output=paths["progress"][k])

    def run(step, *names):
        output = [study.root / "tables" / f"{name}.csv" for name in names]
        known = {**common, **manifests, "models": 50, "draws": 2}
        known["output"] = output[0] if len(output) == 1 else output
        step.main(
            **{name: known[name] for name in signature(step.main).parameters if name in known}
        )
        return [table for _, table in read_tables(output).items()]

    return Models([store_path(path) for path in predictions]), manifests, run


def test_null_shares_how_far_models_got_and_no_more(analysed):
    models, manifests, run = analysed
    (table,) = run(null_model, "null_model")
    assert table.groupby(["split", "kind"])["draw"].nunique().to_dict() == {
        (split, kind): 1 if kind == "observed" else 2
        for split in SPLITS
        for kind in ("observed", "shuffled by training", "shuffled by model")
    }
    rows, parts = models.sample("train", 50)
    D = models.distances(store_path(manifests["distance"][0]))[1].oindex[rows, rows]
    expected = InPCA(50, metric="precomputed").fit(D).explained_stress_
    observed = table.query("split == 'train' and kind == 'observed'")
    np.testing.assert_allclose(observed["explained_stress"], expected)
    assert (observed["low"] <= observed["explained_stress"] + 1e-12).all()
    # All models of a training are shuffled alike, so that distances within it are as they were.
    labels = models.labels("train")
    by_training = shuffled_by_training(parts, labels, 0)
    within = pairwise_distance(by_training)[: len(parts[0]), : len(parts[0])]
    np.testing.assert_allclose(within, D[: len(parts[0]), : len(parts[0])], atol=1e-6)
    by_model = shuffled_by_model(parts, labels, 0)
    assert sum(map(len, by_model)) == 50
    assert not np.allclose(pairwise_distance(by_model), D, atol=1e-3)


def test_metrics_are_side_by_side(analysed):
    models, _, run = analysed
    table, embedding, curve = run(metrics, "metrics", "metric_embedding", "metric_geodesic")
    rows, parts = models.sample("test", 50)
    P = np.concatenate([P[:] for P in parts])
    assert list(table["metric"].unique()) == metrics.COMPARED
    for metric in metrics.COMPARED:
        own = table.query("split == 'test' and metric == @metric")
        fitted = InPCA(3, metric="precomputed").fit(
            pairwise_distance(P, metric=metric, floor=1e-30)
        )
        np.testing.assert_allclose(
            own["explained_stress"][:3], fitted.explained_stress_, rtol=1e-4, atol=1e-5
        )
        X = embedding.query("split == 'test' and metric == @metric")
        assert X["step"].tolist() == models.table["step"].iloc[rows].tolist()
        np.testing.assert_allclose(X[["pc1", "pc2"]], fitted.embedding_[:, :2], atol=1e-3)
    # Of PCA, what is explained of the pairwise distances is the variance.
    centred = (P - P.mean(axis=0)).reshape(50, -1)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    pca = table.query("split == 'test' and metric == 'euclidean'")["explained_pairwise_distance"]
    np.testing.assert_allclose(pca[:3], (variances.cumsum() / variances.sum())[:3], rtol=1e-4)
    assert curve["alpha"].max() < 1
    # The same configurations were drawn for all distances, so InPCA differs from itself by nothing.
    of_inpca = table.query("metric == 'bhattacharyya'")
    assert (of_inpca[["less_inpca_low", "less_inpca_high"]] == 0).all(axis=None)
    second = of_inpca.query("dimension == 2")
    assert (second["ratio_low"] <= second["ratio_high"]).all()
    assert table["ratio_low"].notna().sum() == len(second)


def test_all_samples_give_the_original(analysed, monkeypatch):
    _, _, run = analysed
    monkeypatch.setattr(subsets, "SIZES", [4, 8])
    table, embedding = run(subsets, "subsets", "subset_embedding")
    sizes = table.groupby(["split", "kind"])["size"].unique().map(sorted).to_dict()
    assert sizes["train", "samples"] == [4, 8, 12]
    assert sizes["test", "samples"] == [4, 8]  # the last is all
    assert sizes["train", "classes"] == [2]
    assert (table.query("size >= 8 and split == 'test'")["rmsd"] == 0).all()
    assert set(embedding["size"]) == {2, 4, 8}


def test_test_models_lie_in_the_axes_of_train(analysed):
    _, manifests, run = analysed
    coordinates, explained, curve = run(joint, "joint", "joint_explained", "joint_geodesic")
    store = open_dataset(store_path(manifests["embedding"][0]))
    train = coordinates.query("split == 'train'")[["pc1", "pc2", "pc3"]]
    np.testing.assert_allclose(train, store["embedding"].values, atol=1e-6)
    assert len(coordinates) == 2 * N_MODELS
    np.testing.assert_allclose(
        curve[["pc1", "pc2", "pc3"]], store["geodesic_embedding"].values, atol=1e-6
    )
    less = explained.query("axes != split")
    assert (less["less_own_low"] <= less["less_own_high"]).iloc[0]
    assert explained.query("axes == split")["less_own_low"].isna().all()
    own = explained.query("split == 'train'")["explained_pairwise_distance"]
    np.testing.assert_allclose(own, store["explained_pairwise_distance"][: len(own)])


def test_four_points_explain_what_they_can(analysed):
    models, manifests, run = analysed
    table, coordinates = run(four_points, "four_points", "four_point_embedding")
    four = table.query("points == 'four'")
    assert len(four)
    assert four.groupby(["split", "selection", "s"])["dimension"].max().eq(3).all()
    assert (four["explained_pairwise_distance"] <= 1).all()
    assert (four["low"] <= four["explained_pairwise_distance"]).all()
    assert (four["rmsd_low"] <= four["rmsd_high"]).equals(four["rmsd"].notna())
    less = table.query("points == 'four less all'").set_index(["split", "selection", "s"])
    whole = table.query("points == 'all'").set_index(["split", "selection", "dimension"])
    for at, row in less.iterrows():
        three = four.query("dimension == 3").set_index(["split", "selection", "s"]).loc[at]
        of_all = whole.loc[(*at[:2], row["dimension"])]
        difference = three["explained_pairwise_distance"] - of_all["explained_pairwise_distance"]
        assert row["explained_pairwise_distance"] == pytest.approx(difference)
    # Random models are partly worse than ignorance; without them, all is as if they were not there.
    store, matrix = models.distances(store_path(manifests["distance"][0]))
    near = np.flatnonzero(~is_away(store["geodesic_distance"].values[-1], 3))
    assert 10 < len(near) < N_MODELS
    alone = InPCA(10, metric="precomputed").fit(matrix.oindex[near, near])
    found = table.query("split == 'train' and selection == 'near the manifold'")
    np.testing.assert_allclose(
        found.query("points == 'all'")["explained_pairwise_distance"],
        alone.explained_pairwise_distance_,
        atol=1e-6,
    )
    assert found["models"].eq(len(near)).all()
    counts = coordinates.query("split == 'train'").groupby("points").size()
    shown = ["all", "four"] if (found["s"] == four_points.SHOWN).any() else ["all"]
    assert counts.to_dict() == dict.fromkeys(shown, len(near))


def test_distances_of_other_models_are_refused(analysed):
    models, manifests, _ = analysed
    path = store_path(manifests["distance"][0])
    other = copy(models)
    other.table = models.table.assign(step=0)
    with pytest.raises(StoreError, match=r"train\.zarr: of other models than the predictions"):
        other.distances(path)
