"""How far apart trainings are, on made-up distances."""

import numpy as np
import pandas as pd

from hyperribbon.trajectories.separation import separation


def test_separation_is_of_models_at_the_same_checkpoint_that_differ_in_one_factor():
    about = pd.DataFrame(
        [(n, "SGD", b, s) for n in "AB" for b in (20, 50) for s in range(2)],
        columns=["network", "optimiser", "batch_size", "seed"],
    )
    checkpoints = 3
    D = np.full((len(about) * checkpoints,) * 2, 1e9)  # of other checkpoints, not to be used
    for k in range(checkpoints):
        for i, a in about.iterrows():
            for j, b in about.iterrows():
                D[i * checkpoints + k, j * checkpoints + k] = (
                    1e6 * (a["seed"] == b["seed"])  # of one seed, not to be used
                    + (1 + k)
                    + 10 * (a["network"] != b["network"])
                    + 100 * (a["batch_size"] != b["batch_size"])
                )
    found = separation(D, about, ["network", "optimiser", "batch_size"], checkpoints)
    assert set(found["factor"]) == {"network", "batch_size"}  # there is one optimiser only
    assert found["within"].tolist() == [1, 2, 3] * 2
    assert found.query("factor == 'network'")["between"].tolist() == [11, 12, 13]
    assert found.query("factor == 'batch_size'")["between"].tolist() == [101, 102, 103]
    assert (found["settings"] == 2).all()
    np.testing.assert_allclose(found["low"], found["between"] / found["within"])


def test_its_interval_is_of_the_settings_of_the_other_factors():
    about = pd.DataFrame(
        [(n, b, s) for n in "AB" for b in range(6) for s in range(2)],
        columns=["network", "batch_size", "seed"],
    )
    differ = about["network"].to_numpy()[:, None] != about["network"].to_numpy()
    D = np.where(differ, 2.0 + about["batch_size"].to_numpy()[:, None] % 2, 1.0)
    row = separation(D, about, ["network", "batch_size"], 1).query("factor == 'network'").iloc[0]
    assert row["between"] / row["within"] == 2.5 and row["settings"] == 6
    assert 1.7 < row["low"] < 2.3 and 2.7 < row["high"] < 3.3
    alone = about[about["batch_size"] == 0]
    few = separation(D[:2, :2], about.iloc[[0, 1]], ["network", "batch_size"], 1)
    one = separation(D[np.ix_(alone.index, alone.index)], alone, ["network", "batch_size"], 1)
    assert few.empty and np.isnan(one["low"].iloc[0])
