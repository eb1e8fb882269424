import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.errors import DataError
from hyperribbon.trajectories import comparable
from hyperribbon.trajectories.factors import separate_factors
from hyperribbon.trajectories.importance import TO_GEODESIC, exchanges, variable_importance

pytestmark = pytest.mark.filterwarnings("ignore:Some inputs do not have OOB scores")  # few trees
GRID = pd.DataFrame(
    itertools.product("abcde", "xy", "pq"), columns=["network", "optimiser", "augmentation"]
)


def squared_distances(seed: int, noise: float = 1.0, **sizes: float) -> np.ndarray:
    """Of points that lie where some factors of the grid say, up to noise."""
    rng = np.random.default_rng(seed)
    points = noise * rng.normal(size=(len(GRID), 40))
    for name, size in sizes.items():
        codes = pd.factorize(GRID[name])[0]
        points += size * rng.normal(size=(codes.max() + 1, 40))[codes]
    return ((points[:, None] - points) ** 2).sum(axis=-1)


def test_the_factor_that_decides_is_found():
    D = squared_distances(0, network=2.0, optimiser=1.0)
    found = variable_importance(D, GRID, trees=20, permutations=49).set_index("factor")
    assert found.index.tolist() == ["network", "optimiser", "augmentation"]
    assert found["importance"]["network"] > 3 * found["importance"]["optimiser"] > 0
    assert found["p_value"]["network"] == found["p_value"]["optimiser"] == 0.02
    assert found["p_value"]["augmentation"] > 0.05
    assert abs(found["importance"]["augmentation"]) < 0.1
    assert found["levels"].tolist() == [5, 2, 2]
    assert (found["pairs"] == 190).all()
    assert (found["r_squared"] > 0.6).all()


@pytest.mark.slow
def test_p_values_of_a_factor_without_effect_are_uniform_beside_one_that_has():
    values = []
    for seed in range(25):
        D = squared_distances(seed, network=3.0)
        found = variable_importance(
            D, GRID[["network", "augmentation"]], trees=5, permutations=9, random_state=seed
        )
        values.append(found.set_index("factor").loc["augmentation", "p_value"])
    assert np.mean(values) == pytest.approx(0.5, abs=0.17)  # three standard errors
    assert np.mean(np.array(values) <= 0.2) < 0.45


def test_the_distance_to_the_geodesic_is_a_covariate_without_a_test():
    height = np.random.default_rng(1).uniform(0, 5, len(GRID))
    D = squared_distances(1, noise=0.3) + (height[:, None] - height) ** 2
    found = variable_importance(D, GRID, height, trees=10, permutations=19).set_index("factor")
    assert found.index[0] == TO_GEODESIC
    assert found["p_value"].isna().tolist() == [True, False, False, False]


def test_neither_the_order_of_configurations_nor_names_nor_processes_count():
    D = squared_distances(2, network=3.0)
    options = {"trees": 5, "permutations": 9}
    found = variable_importance(D, GRID, **options)
    renamed = GRID.assign(optimiser=GRID["optimiser"].map({"x": "zz", "y": "aa"}))
    pd.testing.assert_frame_equal(variable_importance(D, renamed, **options), found)
    pd.testing.assert_frame_equal(variable_importance(D, GRID, threads=2, **options), found)


def test_gaps_are_left_out_and_pairs_are_drawn():
    D = squared_distances(3, network=3.0)
    D[0, 1:] = D[1:, 0] = np.nan
    to_geodesic = np.where(np.arange(len(GRID)) == 0, np.nan, 0.1)
    options = {"trees": 5, "permutations": 3}
    assert (variable_importance(D, GRID, to_geodesic, **options)["pairs"] == 171).all()
    assert (variable_importance(D, GRID, max_pairs=50, **options)["pairs"] == 50).all()


def test_what_cannot_be_told_apart_has_no_row():
    D = squared_distances(4)
    tied = pd.DataFrame({"network": list("aabbccddee") * 2, "optimiser": list("vvwwxxyyzz") * 2})
    assert variable_importance(D, tied, trees=5, permutations=3).empty
    alone = pd.DataFrame({"network": range(20), "optimiser": "x"})
    assert variable_importance(D, alone, trees=5, permutations=3).empty
    assert variable_importance(D[:4, :4], GRID[:4]).empty
    assert "p_value" in variable_importance(D[:4, :4], GRID[:4])
    with pytest.raises(DataError, match=r"distance: shape \(20, 20\), expected \(3, 3\)"):
        variable_importance(D, GRID[:3])


def test_exchanges_stay_among_those_that_agree_in_the_others():
    others = [pd.factorize(GRID[name])[0] for name in ("network", "augmentation")]
    orders = exchanges(others, len(GRID), 20, np.random.default_rng(0))
    for order in orders:
        assert sorted(order) == list(range(len(GRID)))
        for code in others:
            np.testing.assert_array_equal(code[order], code)
    assert len({tuple(order) for order in orders}) > 10


def configurations(*rows):
    columns = ["optimiser", "algorithm", "batch_size", "learning_rate", "weight_decay"]
    return pd.DataFrame(rows, columns=columns).assign(network="N", augmentation="none")


def test_optimisers_come_apart_where_their_parts_say_all():
    table = configurations(
        ("S", "sgd", 10, 0.1, 0.0), ("S-wd", "sgd", 10, 0.1, 1e-3), ("A", "adam", 10, 1e-3, 0.0),
        ("A-half", "adam", 10, 5e-4, 0.0), ("A-wd", "adam", 10, 1e-3, 1e-5),
    )  # fmt: skip
    found = separate_factors(table)
    assert found["weight_decay"].tolist() == [1, 2, 1, 1, 2]
    assert found["learning_rate"].tolist() == [1, 1, 1, 2, 1]
    names = ["network", "optimiser", "augmentation"]
    other_schedule = configurations(("S", "sgd", 10, 0.1, 0.0), ("S-flat", "sgd", 10, 0.1, 0.0))
    assert separate_factors(other_schedule).columns.tolist() == names
    recorded = configurations(("S", "sgd", 10, 0.1, 0.0), ("mine", None, None, None, None))
    assert separate_factors(recorded).columns.tolist() == names


def test_as_few_as_possible_are_left_out():
    D = np.zeros((6, 6))
    assert comparable(D).tolist() == list(range(6))
    D[2] = D[:, 2] = np.nan
    D[2, 2] = 0
    assert comparable(D).tolist() == [0, 1, 3, 4, 5]
    assert comparable(np.full((3, 3), np.nan)).tolist() == []
