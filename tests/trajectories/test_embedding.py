"""Trajectories as points."""

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.trajectories.embedding import configuration_importance, embed_trajectories
from hyperribbon.trajectories.importance import variable_importance


def test_trajectories_with_gaps_are_left_out(random_models):
    x = np.random.default_rng(0).normal(size=(8, 3))
    D = ((x[:, None] - x) ** 2).sum(axis=-1)
    whole = D.copy()
    D[[2, 2, 6], [0, 1, 7]] = D[[0, 1, 7], [2, 2, 6]] = np.nan
    found = embed_trajectories(D, n_components=4)
    assert len(found.rows) == 6 and 2 not in found.rows
    np.testing.assert_array_equal(found.distance, whole[np.ix_(found.rows, found.rows)])
    expected = InPCA(4, metric="precomputed").fit(found.distance)
    np.testing.assert_allclose(found.inpca.eigenvalues_, expected.eigenvalues_, atol=1e-12)


def test_importance_is_of_configurations_whatever_their_seeds():
    x = np.array([0.0, 0.1, 0.2, 3.0, 3.1, 3.2])
    unknown = dict.fromkeys(["algorithm", "batch_size", "learning_rate", "weight_decay"])
    about = pd.DataFrame({"network": list("MMMNNN"), "optimiser": list("xyzxyz"), **unknown})
    about = about.assign(augmentation="none", configuration=list("abcdef"))
    twice = about.loc[about.index.repeat(2)].reset_index(drop=True)
    seeds = np.repeat(x, 2)
    found = configuration_importance(
        twice, (seeds[:, None] - seeds) ** 2, seeds + [0, 1] * 6, permutations=5, trees=20
    )
    expected = variable_importance(
        (x[:, None] - x) ** 2, about[["network", "optimiser"]], x + 0.5, permutations=5, trees=20
    )
    pd.testing.assert_frame_equal(found, expected)
