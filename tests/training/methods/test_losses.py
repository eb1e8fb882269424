"""Losses of the methods: against the oracle, against their formulas written out, and at limits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.autograd import gradcheck
from torch.nn.functional import cross_entropy

from hyperribbon.training.methods.barlow_twins import barlow_twins_loss
from hyperribbon.training.methods.fixmatch import fixmatch_loss
from hyperribbon.training.methods.prototypical import prototypical_loss
from hyperribbon.training.methods.simclr import nt_xent

EXACT = {"rtol": 0, "atol": 1e-10}


def views(o10):
    return [o10[name].clone().requires_grad_() for name in ("z_a", "z_b")]


def random_views(seed, n=6, width=4):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, n, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("k", range(3))
def test_values_of_two_views_are_those_of_the_oracle(o10, k):
    a, b = views(o10)
    found = nt_xent(a, b, o10["ntxent_temperatures"][k].item())
    torch.testing.assert_close(found, o10["ntxent"][k], **EXACT)
    found = barlow_twins_loss(a, b, o10["barlow_lambdas"][k].item())
    torch.testing.assert_close(found, o10["barlow"][k], **EXACT)


def test_gradients_of_two_views_are_those_of_the_oracle(o10):
    a, b = views(o10)
    for found, name in (
        (nt_xent(a, b, 0.5), "ntxent_grad_{}_T05"),
        (barlow_twins_loss(a, b, o10["barlow_lambdas"][0].item()), "barlow_grad_{}"),
    ):
        for gradient, view in zip(torch.autograd.grad(found, (a, b)), "ab", strict=True):
            torch.testing.assert_close(gradient, o10[name.format(view)], **EXACT)


def test_prototypes_classify_as_in_the_oracle(o10):
    names = "support", "support_labels", "query", "query_labels"
    found = prototypical_loss(*(o10[name] for name in names), 5)
    torch.testing.assert_close(found, o10["proto_loss_squared_euclidean"], **EXACT)


@pytest.mark.parametrize("k", range(3))
def test_samples_without_labels_cost_as_in_the_oracle(o10, k):
    threshold = o10["fm_thresholds"][k].item()
    found = fixmatch_loss(o10["fm_logits_weak"], o10["fm_logits_strong"], threshold)
    torch.testing.assert_close(found, o10["fm_unsupervised"][k], **EXACT)
    labelled = cross_entropy(o10["fm_logits_labelled"], o10["fm_labels"])
    torch.testing.assert_close(labelled + found, o10["fm_total"][k], **EXACT)


@given(seed=st.integers(0, 1000), temperature=st.floats(0.1, 2))
def test_nt_xent_is_its_formula(seed, temperature):
    z = torch.cat(list(random_views(seed))).numpy()
    n = len(z) // 2
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    expected = []
    for i in range(2 * n):
        weights = np.exp(z @ z[i] / temperature)
        partner = (i + n) % (2 * n)
        expected.append(-np.log(weights[partner] / (weights.sum() - weights[i])))
    found = nt_xent(*random_views(seed), temperature)
    assert found.item() == pytest.approx(np.mean(expected), rel=1e-10)


@given(seed=st.integers(0, 1000), redundancy=st.floats(0, 2))
def test_barlow_twins_is_its_formula(seed, redundancy):
    a, b = random_views(seed)
    correlation = np.corrcoef(a.numpy(), b.numpy(), rowvar=False)[:4, 4:]
    weights = np.where(np.eye(4, dtype=bool), 1, redundancy)
    expected = (weights * (correlation - np.eye(4)) ** 2).sum()
    assert barlow_twins_loss(a, b, redundancy).item() == pytest.approx(expected, rel=1e-9)


@given(seed=st.integers(0, 1000), scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_losses_of_two_views_do_not_depend_on_scales_or_order(seed, scale, shift):
    a, b = random_views(seed)
    order = torch.randperm(len(a), generator=torch.Generator().manual_seed(seed))
    for loss, other in ((nt_xent, scale * a), (barlow_twins_loss, scale * a + shift)):
        expected = loss(a, b, 0.5)
        for found in (loss(other, b, 0.5), loss(b, a, 0.5), loss(a[order], b[order], 0.5)):
            torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, 3.7])
def test_a_dead_unit_costs_its_diagonal_and_has_no_gradient(value):
    """In one view or in both, of float32 as in training."""
    a, b = random_views(0)
    a, b = a.float(), b.float()
    rest = barlow_twins_loss(a[:, 1:], b[:, 1:], 0.1)
    a[:, 0] = value
    a.requires_grad_()
    for other in (b, b.index_fill(1, torch.tensor([0]), value)):
        loss = barlow_twins_loss(a, other, 0.1)
        # Nothing but the diagonal if the unit is dead in both.
        assert loss.isfinite()
        if other is not b:
            torch.testing.assert_close(loss, rest + 1)
        (gradient,) = torch.autograd.grad(loss, a)
        assert gradient.isfinite().all()
        assert not gradient[:, 0].any()
        assert gradient[:, 1:].any()


def test_queries_are_nearest_to_their_prototypes():
    generator = torch.Generator().manual_seed(0)
    centres = 10 * torch.eye(3, dtype=torch.float64)
    labels = torch.arange(12) % 3
    features = centres[labels] + 0.1 * torch.randn(12, 3, generator=generator)
    assert prototypical_loss(features, labels, features, labels, 3) < 1e-6
    assert prototypical_loss(features, labels, features, (labels + 1) % 3, 3) > 50
    order = torch.randperm(12, generator=generator)
    queries = torch.randn(4, 3, generator=generator).double()
    torch.testing.assert_close(
        prototypical_loss(features[order], labels[order], queries, labels[:4], 3),
        prototypical_loss(features, labels, queries, labels[:4], 3),
    )


def test_gradients_are_those_of_differences():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(6) % 2

    def draw(n, width):
        x = torch.randn(n, width, generator=generator, dtype=torch.float64)
        return x.requires_grad_()

    assert gradcheck(
        lambda s, q: prototypical_loss(s, labels, q, labels, 2), (draw(6, 3), draw(6, 3))
    )
    weak = 5 * draw(6, 4)
    assert gradcheck(lambda strong: fixmatch_loss(weak, strong, 0.7), (draw(6, 4),))
    a, b = draw(5, 3), draw(5, 3)
    assert gradcheck(lambda a, b: nt_xent(a, b, 0.3), (a, b))
    assert gradcheck(lambda a, b: barlow_twins_loss(a, b, 0.2), (a, b))


def test_no_gradient_flows_through_the_weak_view():
    weak = torch.randn(4, 3, dtype=torch.float64).requires_grad_()
    strong = torch.randn(4, 3, dtype=torch.float64).requires_grad_()
    fixmatch_loss(weak, strong, 0.0).backward()
    assert weak.grad is None
    assert strong.grad.any()
