"""Which samples two families share."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.storage.shared_samples import NotShared, Samples, shared_samples

LABELS = np.arange(40) % 4  # of a source


def of_source(places, *, n_classes=4, labels=LABELS, **keys) -> Samples:
    """Samples of a study, by their positions in the source."""
    index = np.asarray(places)
    data = {"name": "digits", "train_size": len(index), "image_size": 8, **keys}
    return Samples(n_classes, labels[index], data, index)


places = st.lists(st.integers(0, 39), min_size=1, unique=True)


@given(places, places)
def test_samples_of_a_source_are_found_by_their_positions_in_it(ours, theirs):
    common = [k for k in ours if k in theirs]
    if not common:
        with pytest.raises(NotShared, match="other samples of digits"):
            shared_samples(of_source(ours), of_source(theirs))
        return
    here, there = shared_samples(of_source(ours), of_source(theirs))
    assert [ours[k] for k in here] == [theirs[k] for k in there]
    assert sorted(common) == sorted(ours[k] for k in here)
    assert (np.diff(here) > 0).all() or ours == theirs


def test_size_resolution_and_split_do_not_make_another_source():
    other = of_source([3, 1, 2], train_size=30, split_seed=5, image_size=16, groups=None)
    here, there = shared_samples(of_source([1, 2, 5]), other)
    assert (here.tolist(), there.tolist()) == ([0, 1], [1, 2])


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (of_source([1, 2], name="mnist"), r"other data \(data.name = mnist, not digits\)"),
        (of_source([1, 2], seed=3), r"other data \(data.seed = 3, not None\)"),
        (of_source([1, 2], n_classes=2), "2 classes, not 4"),
        (of_source([1, 2], labels=(LABELS + 1) % 4), "other labels: sample 0 has 2, not 1"),
    ],
)
def test_what_is_not_the_same_is_not_shared(other, reason):
    with pytest.raises(NotShared, match=reason):
        shared_samples(of_source([1, 2]), other)


def recorded(hashes=None, labels=(0, 1, 2, 3), n_classes=4) -> Samples:
    hashes = None if hashes is None else np.array(hashes, np.uint64)
    return Samples(n_classes, None if labels is None else np.array(labels), hashes=hashes)


def test_recorded_samples_are_found_by_hashes_of_their_inputs():
    here, there = shared_samples(recorded([5, 6, 7, 8]), recorded([8, 1, 6, 2], (3, 0, 1, 0)))
    assert (here.tolist(), there.tolist()) == ([1, 3], [2, 0])


def test_equal_hashes_are_equal_samples_even_if_one_is_there_twice():
    here, there = shared_samples(recorded([5, 5, 7, 8]), recorded([5, 5, 7, 8]))
    assert here.tolist() == there.tolist() == [0, 1, 2, 3]


def test_labels_decide_where_nothing_else_is_known():
    """Also of other features of the same samples, whose hashes have nothing in common."""
    for other in (recorded(), recorded([1, 2, 3, 4]), of_source([0, 1, 2, 3])):
        here, there = shared_samples(recorded([5, 6, 7, 8]), other)
        assert here.tolist() == there.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (recorded(labels=(0, 1, 3, 2)), "other labels: sample 2 has 3, not 2"),
        (recorded(labels=(0, 1, 2)), "3 samples, not 4, and nothing tells"),
        (recorded(labels=None), "nothing tells which samples are the same, not even labels"),
        (recorded([5, 6], (1, 1)), "other labels: sample 0 has 1, not 0"),
    ],
)
def test_recorded_samples_that_are_not_the_same(other, reason):
    with pytest.raises(NotShared, match=reason):
        shared_samples(recorded([5, 6, 7, 8]), other)


def test_some_samples_are_taken_with_all_that_is_known():
    taken = of_source([4, 9, 2]).taken(np.array([2, 0]))
    assert taken.places.tolist() == [2, 4]
    assert taken.labels.tolist() == LABELS[[2, 4]].tolist()
    assert taken.hashes is None
