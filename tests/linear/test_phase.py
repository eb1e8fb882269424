import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.linear import phase_diagram, ribbon_dimension, trajectory_covariance


def test_it_is_the_mean_dimension_of_each_place():
    found = phase_diagram([0.2, 1.0], [1, 30, 10**6], [0.1, 20.0], n=12, draws=4, random_state=5)
    true = np.random.default_rng(5).standard_normal((4, 12))
    for slope in (0.2, 1.0):
        eigenvalues = np.exp(-slope * np.arange(12))
        for ratio in (0.1, 20.0):
            y = ratio * np.sqrt(eigenvalues) * true
            P = trajectory_covariance(eigenvalues, y, step_size=1.0, steps=30).total
            dimensions = ribbon_dimension(P)
            place = found.sel(slope=slope, ratio=ratio, steps=30)
            assert place["dimension"] == dimensions.mean()
            assert place["standard_error"] == pytest.approx(dimensions.std(ddof=1) / 2)
    assert found["dimension"].dims == ("ratio", "slope", "steps")
    assert found.attrs == {"n": 12, "draws": 4, "fraction": 0.95, "step_size": 1.0}


def test_threads_and_other_places_change_nothing():
    alone = phase_diagram([0.3], [10, 100], [2.0], n=10, draws=3)
    many = phase_diagram([0.1, 0.3, 2.0], [10, 100], [0.5, 2.0], n=10, draws=3, threads=2)
    some = many.sel(slope=[0.3], ratio=[2.0])
    np.testing.assert_array_equal(some["dimension"], alone["dimension"])
    assert np.isnan(phase_diagram([1.0], [5], [1.0], n=4, draws=1)["standard_error"]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ratios": [0.0, 1.0]}, r"ratios = \[0. 1.\]: expected a list of numbers above 0"),
        ({"slopes": []}, "slopes = "),
        ({"steps": [0]}, "steps: 0 among them"),
        ({"n": 1}, "n = 1: expected an integer, 2 or more"),
        ({"draws": 0}, "draws = 0: expected an integer, 1 or more"),
        ({"step_size": 2.0}, "diverges"),
        ({"fraction": 1.0}, "fraction = 1.0"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    arguments = {"slopes": [1.0], "steps": [3], "ratios": [1.0], "n": 4} | arguments
    with pytest.raises(DataError, match=message):
        phase_diagram(**arguments)
