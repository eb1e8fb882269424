"""All models in an embedding of four points."""

import numpy as np
import pytest

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.four_points import averages_at, embed_four_points
from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import ignorance, truth
from hyperribbon.probability.progress_average import progress_weighted_sums

LABELS = np.arange(12) % 3


@pytest.fixture
def trajectories(random_models):
    """Three trainings, and the progress that their models are said to have made."""
    return [random_models(k, 6, 12, 3) for k in range(3)], np.linspace(0, 0.7, 18)


def test_averages_are_of_all_trainings(trajectories):
    parts, progress = trajectories
    sums, weights = progress_weighted_sums(np.concatenate(parts), progress, [0.4, 0.6])
    found = averages_at(parts, progress, [0.4], threads=2)
    np.testing.assert_allclose(found[0.4], sums / weights[:, None, None])


def test_values_that_no_model_is_near_are_left_out(trajectories):
    parts, progress = trajectories
    assert list(averages_at(parts, progress, [0.1, 0.3, 0.4])) == [0.3, 0.4]  # 0.9 is far
    assert list(embed_four_points(parts, progress, LABELS)) == [0.3, 0.4]


def test_models_are_placed_among_the_four_points(trajectories):
    parts, progress = trajectories
    (found,) = embed_four_points(parts, progress, LABELS, values=[0.4], threads=1).values()
    averages = averages_at(parts, progress, [0.4])[0.4]
    four = np.stack([ignorance(12, 3), *averages, truth(LABELS, 3)])
    inpca = InPCA(3, metric="precomputed").fit(pairwise_distance(four, floor=FLOOR))
    np.testing.assert_allclose(found.inpca.embedding_, inpca.embedding_, atol=1e-9)
    expected = inpca.transform(pairwise_distance(np.concatenate(parts), four, floor=FLOOR))
    np.testing.assert_allclose(found.embedding, expected, atol=1e-7)


def test_progress_of_other_models_is_refused(trajectories):
    parts, progress = trajectories
    with pytest.raises(DataError, match=r"progress: shape \(17,\), expected \(18,\)"):
        embed_four_points(parts, progress[1:], LABELS)
