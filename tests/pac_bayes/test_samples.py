import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.samples import (
    BoundedSamples,
    PriorSamples,
    refuse_overlap,
    set_aside,
)

X, Y = np.random.default_rng(0).normal(size=(30, 2, 3)), np.arange(30) % 3


@given(st.integers(1, 28), st.integers(0, 100))
def test_every_sample_is_in_one_part(size, seed):
    prior, bounded = set_aside(X, Y, size, seed)
    assert (len(prior), len(bounded)) == (size, 30 - size)
    both = torch.cat([prior.inputs, bounded.inputs]).double().numpy()
    order = np.lexsort(both[:, 0].T), np.lexsort(X[:, 0].T)
    np.testing.assert_allclose(both[order[0]], X[order[1]], rtol=1e-6)
    targets = torch.cat([prior.targets, bounded.targets]).numpy()
    np.testing.assert_array_equal(targets[order[0]], Y[order[1]])


def test_a_fraction_and_seeds():
    parts = [set_aside(X, Y, 0.2, seed) for seed in (1, 1, 2)]
    assert [len(prior) for prior, _ in parts] == [6, 6, 6]
    assert torch.equal(parts[0].prior.inputs, parts[1].prior.inputs)
    assert not torch.equal(parts[0].prior.inputs, parts[2].prior.inputs)


def test_a_sample_in_both_is_refused_whatever_its_precision_and_target():
    prior = PriorSamples(X[:5].astype(np.float32), Y[:5])
    refuse_overlap(prior, BoundedSamples(X[5:], Y[5:]))
    with pytest.raises(DataError, match="2 of the prior's 5 .* such as sample 3") as refused:
        refuse_overlap(prior, BoundedSamples(X[3:], Y[3:] * 0))
    assert "\n" not in str(refused.value)


def test_the_sign_of_zero_makes_no_other_sample():
    with pytest.raises(DataError, match="1 of the prior's 1"):
        refuse_overlap(PriorSamples([[0.0, 1.0]], [0]), BoundedSamples([[-0.0, 1.0]], [1]))


def test_copies_that_could_be_in_both_parts_are_refused():
    with pytest.raises(DataError, match="are among the bounded ones"):
        set_aside(np.repeat(X, 20, axis=0), np.repeat(Y, 20), 0.5)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: BoundedSamples(X, Y[:-1]), "inputs: 30 samples and 29 targets"),
        (lambda: BoundedSamples(X, Y / 2), "targets: float32 of shape .*cross-entropy"),
        (lambda: BoundedSamples(X, np.eye(30)), "targets: .*expected integer classes"),
        (lambda: set_aside(X, Y, 29), "size: 29, expected an integer, 1 to 28"),
        (lambda: set_aside(X, Y, 0.99), "size: 30"),
        (lambda: set_aside(X, Y, 1.5), "size: 1.5"),
        (
            lambda: refuse_overlap(BoundedSamples(X, Y), BoundedSamples(X, Y)),
            "prior_samples: Bound",
        ),
        (lambda: refuse_overlap(PriorSamples(X, Y), PriorSamples(X, Y)), "bounded: PriorSamples"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DataError, match=message):
        call()
