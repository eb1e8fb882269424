"""The step ensembles, as its rule runs it."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.probability import centroid, progress
from hyperribbon.probability.centroids import KINDS
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.studies.manifold import distance, embed, ensembles
from hyperribbon.studies.manifold import progress as progress_step


def run(study, predictions, made):
    """Both tables."""
    output = [study.root / f"{name}.csv" for name in ("ensembles", "ensemble_embedding")]
    ensembles.main(predictions, **made, threads=2, output=tuple(output))
    return [pd.read_csv(path) for path in output]


def steps_before(study, predictions):
    """Manifests of both splits, by the names of the stores."""
    made = {"distance": [], "embedding": [], "progress": []}
    for name in made:
        (study.root / name).mkdir()
    for split in SPLITS:
        paths = {name: study.root / name / f"{split}.zarr" for name in made}
        for name, path in paths.items():
            made[name].append(path.with_suffix(".json"))
        common = {"predictions": predictions, "split": split, "code": "1", "threads": 2}
        distance.main(
            **common,
            geodesic_points=3,
            memory=1000,
            work=study.root / "work",
            output=paths["distance"],
        )
        embed.main(made["distance"][-1], components=4, code="1", output=paths["embedding"])
        progress_step.main(**common, output=paths["progress"])
    return made


def test_centroids_of_seeds(study):
    predictions = [
        study.train("b"),
        study.train("c", seeds=1),
        study.train("a", seeds=4, diverged=(1,)),
    ]
    scores, places = run(study, predictions, steps_before(study, predictions))
    models = Models([store_path(path) for path in predictions])
    assert ensembles.configuration_of_most_seeds(models) == "a"
    assert set(scores["configuration"]) == {"a", "b"}
    assert scores.groupby("configuration")["seeds"].unique().to_dict() == {"a": [3], "b": [2]}
    assert len(scores) == 2 * 2 * 20 * (len(KINDS) + 1)

    labels, trajectories = models.labels("test"), list(models.trajectories("test"))
    P = np.stack([seed[7] for seed in trajectories[-3:]])
    found = scores.query("split == 'test' and configuration == 'a' and checkpoint == 7")
    found = found.set_index("kind")
    q = centroid(P, "harmonic")
    assert found.loc["harmonic", "progress"] == pytest.approx(progress(q, labels))
    assert found.loc["harmonic", "error"] == (q.argmax(axis=1) != labels).mean()
    single = found.loc[ensembles.SINGLE]
    assert single["progress"] == pytest.approx(progress(P, labels).mean())
    assert (single["loss"], single["step"], single["epoch"]) == (0.5, 7, 1.4)

    # At first, all seeds of the study's are at ignorance, and so is their centroid.
    assert set(places["configuration"]) == {"a"}
    assert len(places) == 2 * 20 * len(KINDS)
    embedding = open_dataset(study.root / "embedding" / "test.zarr")["embedding"].values
    first = places.query("split == 'test' and checkpoint == 0")
    expected = np.repeat(embedding[-60, None, :3], len(KINDS), axis=0)
    np.testing.assert_allclose(first[["pc1", "pc2", "pc3"]], expected, atol=1e-5)


def test_single_seeds_are_no_ensemble(study):
    predictions = [study.train("a", seeds=1), study.train("b", diverged=(0,))]
    not_read = dict.fromkeys(["distance", "embedding", "progress"], (None, None))
    scores, places = run(study, predictions, not_read)
    assert list(scores)[:2] == ["split", "configuration"]
    assert list(places)[-3:] == ["pc1", "pc2", "pc3"]
    assert len(scores) == len(places) == 0


def test_among_equals_allcnn_then_the_first(study):
    def chosen(*names):
        return ensembles.configuration_of_most_seeds(
            Models([store_path(study.train(n)) for n in names])
        )

    assert chosen("b", "a") == "b"
    assert chosen("b", "xAllCNN", "a") == "xAllCNN"


@pytest.mark.slow
def test_recordings_without_epochs_have_scores_too(study):
    predictions = [study.train("a", steps_per_epoch=None), study.train("b", steps_per_epoch=None)]
    scores, places = run(study, predictions, steps_before(study, predictions))
    assert scores["epoch"].isna().all()
    assert len(scores) == 2 * 2 * 20 * (len(KINDS) + 1)
    assert scores["error"].notna().all()
    assert len(places) == 2 * 20 * len(KINDS)
