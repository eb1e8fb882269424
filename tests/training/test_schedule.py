from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.training.schedule import checkpoint_steps


@pytest.mark.parametrize("batch", [100, 200, 500, 1000])
@pytest.mark.parametrize("epochs", [200, 300])
def test_agrees_with_the_oracle(o2, batch, epochs):
    expected = o2["checkpoint_steps"][f"bs{batch}_ep{epochs}"]
    assert checkpoint_steps(epochs, 50_000 // batch) == expected


def test_agrees_with_the_oracle_on_synthetic_data(o2):
    assert checkpoint_steps(200, 5000 // 200) == o2["checkpoint_steps"]["bs200_synth5000"]


def test_number_of_checkpoints_in_the_thesis():
    assert [len(checkpoint_steps(200, 50_000 // batch)) for batch in (200, 500, 1000)] == [
        67,
        62,
        67,
    ]


@given(epochs=st.integers(1, 400), steps_per_epoch=st.integers(1, 600))
def test_increases_from_initialisation_to_the_last_step(epochs, steps_per_epoch):
    steps = checkpoint_steps(epochs, steps_per_epoch)
    assert steps[0] == 0
    assert steps[-1] == epochs * steps_per_epoch
    assert all(a < b for a, b in pairwise(steps))
    assert all(isinstance(step, int) for step in steps)


@given(epochs=st.integers(2, 250), steps_per_epoch=st.integers(1, 300))
def test_a_shorter_training_has_the_beginning_of_the_schedule(epochs, steps_per_epoch):
    shorter = checkpoint_steps(epochs - 1, steps_per_epoch)
    assert set(shorter[:-1]) <= set(checkpoint_steps(epochs, steps_per_epoch))
