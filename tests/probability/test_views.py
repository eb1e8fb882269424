"""Parts and projections of models, read where they are sliced."""

import numpy as np

from hyperribbon.probability import random_stochastic_projection
from hyperribbon.probability.views import Projected, Selection


class Read:
    """Models of which it is known how many were read."""

    def __init__(self, P):
        self.P, self.shape, self.dtype, self.count = P, P.shape, P.dtype, 0

    def __getitem__(self, key):
        found = self.P[key]
        self.count += 1 if found.ndim == 2 else len(found)
        return found


def test_no_more_is_read_than_is_selected(random_models):
    P = random_models(0, 6, 8, 3)
    read = Read(P)
    few = Selection(read, models=[4, 1, 2], samples=[7, 0])
    assert few.shape == (3, 2, 3) and len(few) == 3
    np.testing.assert_array_equal(few[1:, :1], P[[1, 2]][:, [7]])
    np.testing.assert_array_equal(few[0], P[4][[7, 0]])
    assert read.count == 3


def test_projected_models_are_projections_in_their_own_precision(random_models):
    P = random_models(0, 5, 4, 10).astype(np.float32)
    read = Read(P)
    few = Projected(read, 3, seed=1)
    found = few[2:4]
    assert found.dtype == few.dtype == np.float32
    assert few.shape == (5, 4, 3)
    np.testing.assert_array_equal(found, random_stochastic_projection(P, 3, 1)[2:4].astype("f4"))
    assert read.count == 2
