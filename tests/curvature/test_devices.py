"""Everything on a GPU is what it is on the CPU."""

import itertools
from copy import deepcopy

import numpy as np
import pytest
import torch

from hyperribbon.curvature import Hessian, Problem, norm_bounds, reduced_models, spectral_density
from hyperribbon.curvature.survey import survey
from hyperribbon.pac_bayes.certificate import certify

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def moved(problem: Problem, device: str) -> Problem:
    """The same, its network on a device; samples come from the CPU."""
    network = deepcopy(problem.network).to(device)
    return Problem(network, problem.inputs, problem.targets, problem.loss)


@pytest.mark.parametrize(
    ("architecture", "device"),
    [
        *itertools.product(["fully_connected", "lenet", "vit"], ["cpu"]),
        pytest.param("wide_resnet", "cpu", marks=pytest.mark.slow),
        *(
            pytest.param(architecture, "cuda", marks=needs_gpu)
            for architecture in ["fully_connected", "lenet", "vit", "wide_resnet"]
        ),
    ],
)
def test_spectra_and_reduced_models(problem_of, architecture, device):
    problem = problem_of(architecture)
    there = moved(problem, device)
    ours, theirs = survey(problem, 3), survey(there, 3)
    assert theirs.spectra.keys() == ours.spectra.keys()
    for name, values in ours.spectra.items():
        scale = np.nanmax(np.abs(values))
        np.testing.assert_allclose(theirs.spectra[name], values, atol=1e-9 * scale, err_msg=name)
    if ours.fisher is not None:
        errors = [reduced_models(s.fisher, p, [0.01]).errors
                  for s, p in ((ours, problem), (theirs, there))]  # fmt: skip
        np.testing.assert_allclose(*errors)
    densities = [spectral_density(Hessian(p), steps=5, probes=2) for p in (problem, there)]
    np.testing.assert_allclose(densities[1].nodes, densities[0].nodes, atol=1e-8)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_gpu)])
def test_certificates_and_bounds(small_problem, device):
    there = moved(small_problem, device)
    initial = 0.9 * small_problem.flat_weights()
    found = [certify(p, p, initial, 3).certificate for p in (small_problem, there)]
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)
    network = torch.nn.Sequential(
        torch.nn.Linear(5, 4, bias=False), torch.nn.ReLU(), torch.nn.Linear(4, 5, bias=False)
    )
    plain = Problem(network.double().eval(), small_problem.inputs, small_problem.targets)
    measured = [[b.measured for b in norm_bounds(p)] for p in (plain, moved(plain, device))]
    np.testing.assert_allclose(*measured, rtol=1e-8)
