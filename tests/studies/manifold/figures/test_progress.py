"""Progress against time."""

import numpy as np
import pytest

from hyperribbon.studies.manifold.figures.progress import progress_epoch, updates


@pytest.mark.parametrize(("draw", "first"), [(progress_epoch, 0.1), (updates, 1.0)])
def test_training_begins_before_the_first_step(make_tables, style, draw, first):
    """Step 0 is drawn and in view, apart from the first step after it."""
    figure = draw(make_tables())
    for axes in figure.axes:
        starts = [np.min(line.get_xdata()) for line in axes.lines if len(line.get_xdata())]
        assert starts and set(starts) == {0}
        left, right = axes.get_xlim()
        assert left < 0
        assert right >= 10 * first
        to_pixels = axes.transData.transform
        assert to_pixels((first, 0))[0] - to_pixels((0, 0))[0] > 0.05 * axes.bbox.width
        assert "0" in [tick.get_text() for tick in axes.get_xticklabels()]


def test_a_study_of_initialisations_alone(make_tables, style):
    tables = make_tables()
    tables["models"] = tables["models"].query("step == 0")
    for draw in (progress_epoch, updates):
        draw(tables).draw_without_rendering()
