"""The samples that set two models apart."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.offsetbox import AnnotationBbox

import hyperribbon as hr
from hyperribbon.errors import DataError

LABELS = np.arange(8) % 3


@pytest.fixture
def explained(random_models):
    P, Q = random_models(0, 2, 8, 3)
    names = ["cat", "dog", "$x"]
    return hr.explain_progress(P, LABELS, Q, class_names=names)


def test_the_largest_contributions_are_at_the_top(explained):
    axes = hr.plot.samples(explained, count=3)
    values = explained.contribution.values
    largest = np.argsort(-abs(values))[:3]
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], values[largest])
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[0].startswith(f"sample {largest[0]} (")
    assert axes.yaxis_inverted()
    assert axes.get_xlabel() == "contribution to progress"
    assert "3 of 8 samples" in axes.get_title(loc="left")
    axes.figure.draw_without_rendering()


@pytest.mark.parametrize("shape", [(8, 5, 4), (8, 1, 5, 4), (8, 3, 5, 4), (8, 5, 4, 3)])
def test_images_are_shown_where_there_are(explained, shape):
    _, ax = plt.subplots()
    axes = hr.plot.samples(explained, images=np.arange(np.prod(shape)).reshape(shape), ax=ax)
    assert axes is ax
    assert sum(isinstance(one, AnnotationBbox) for one in axes.get_children()) == 8
    axes.figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": np.ones(3)}, "data: ndarray, expected what hr.explain_distance"),
        ({"images": np.ones((7, 5, 4))}, r"images: shape \(7, 5, 4\), expected \(8, height"),
        ({"images": np.ones((8, 64))}, r"images: shape \(8, 64\), expected"),
        ({"style": "network"}, "style = 'network': samples have no markers"),
    ],
)
def test_what_cannot_be_drawn(explained, options, words):
    with pytest.raises(DataError, match=words):
        hr.plot.samples(**{"data": explained} | options)
    assert not plt.get_fignums()
