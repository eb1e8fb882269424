"""What each dimension of an embedding explains."""

import numpy as np

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.tables import dimension_table


def test_time_like_dimensions_are_named(random_distances):
    inpca = InPCA(20, metric="precomputed").fit(random_distances(0, 20))
    table = dimension_table(inpca)
    assert table["dimension"].tolist() == list(range(1, 21))
    time_like = table["kind"] == "time-like"
    np.testing.assert_array_equal(time_like, inpca.signature_ < 0)
    assert 0 < time_like.sum() < 20
    np.testing.assert_array_equal(table["explained_stress"], inpca.explained_stress_)
