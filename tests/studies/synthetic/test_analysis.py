"""What is asked of trainings on synthetic data, on made-up models."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from hyperribbon.errors import HyperribbonError
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.studies.synthetic.analysis import (
    Trainings,
    embed,
    geodesic_table,
    of_corners,
    stress_table,
)


@pytest.fixture
def stored(tmp_path):
    """Three trainings of four checkpoints, of which the second diverged."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=(3, 4, 10)).astype(np.float32)
    P[1, 2:] = np.nan
    training, checkpoint = ("training",), ("training", "checkpoint")
    names = np.array(["A", "A", "B"], dtype=object)
    dataset = xr.Dataset(
        {
            "train_predictions": ((*checkpoint, "train_sample", "class"), P),
            "train_error": (checkpoint, np.arange(12.0).reshape(3, 4)),
            "diverged_step": (training, [-1, 7, -1]),
        },
        {
            **{name: (training, [0, 1, 0]) for name in ("batch_size", "weight_decay", "corner")},
            "seed": (training, [3, 4, 5]),
            **dict.fromkeys(("network", "optimiser"), (training, names)),
            "step": (checkpoint, np.tile([0, 1, 5, 10], (3, 1))),
            "fraction": ("checkpoint", [0, 0.1, 0.5, 1.0]),
            "train_label": ("train_sample", np.zeros(10, int)),
        },
    )
    write_dataset(dataset, tmp_path / "grid-1.zarr")
    return P, tmp_path / "grid-1.zarr"


def test_a_training_that_diverged_is_left_out_but_named(stored):
    P, path = stored
    trainings = Trainings(path)
    np.testing.assert_array_equal(trainings.predictions("train"), P[[0, 2]])
    models = trainings.models()
    assert models["seed"].tolist() == [3] * 4 + [5] * 4
    assert models["step"].tolist() == [0, 1, 5, 10] * 2
    assert models["network"].tolist() == ["A"] * 4 + ["B"] * 4
    np.testing.assert_array_equal(trainings.predictions("train", [1]), P[[2]])
    assert trainings.models([1])["seed"].tolist() == [5] * 4
    ends = trainings.ends(["train"])
    assert ends["diverged_step"].tolist() == [-1, 7, -1]
    assert ends["train_error"].tolist() == [3, 7, 11]


def test_if_all_diverged_it_says_so(stored, tmp_path):
    dataset = xr.open_zarr(stored[1]).load()
    dataset["diverged_step"][:] = 2
    write_dataset(dataset, tmp_path / "none.zarr")
    with pytest.raises(HyperribbonError, match=r"none\.zarr: every training diverged"):
        Trainings(tmp_path / "none.zarr")


def test_the_geodesic_begins_at_ignorance_and_ends_at_the_truth():
    labels = np.arange(20) % 3
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(3), size=(30, 20))
    P[0], P[1] = 1 / 3, np.eye(3)[labels]
    D, inpca = embed(P)
    curve = geodesic_table(inpca, P, labels)
    found = curve[["pc1", "pc2", "pc3"]].to_numpy()
    np.testing.assert_allclose(found[[0, -1]], inpca.embedding_[:2, :3], atol=1e-6)
    stress = stress_table(D, inpca, np.arange(30) % 5)
    assert stress["dimension"].tolist() == list(range(1, 31))
    assert stress["explained_stress"].is_monotonic_increasing
    assert (stress["low"] <= stress["explained_stress"]).all()


def test_as_many_trainings_of_few_corners_as_of_many():
    rows = [(o, c, s) for o in "ab" for c, n in {1: 8, 2: 4, 3: 2, 4: 2}.items() for s in range(n)]
    table = pd.DataFrame(rows, columns=["optimiser", "corner", "seed"])
    for corners in (1, 2, 4):
        some = table.iloc[of_corners(table, corners, 16)]
        assert len(some) == 16
        assert (some.groupby(["optimiser", "corner"]).size() == 8 // corners).all()
