"""Speed of stacked training, beside a plain PyTorch loop over the networks, in one run.

Fully-connected networks of one and two hidden layers of 512 on 200 features and 5 classes, SGD with
Nesterov's momentum (thesis 2.5.5). The plain loop trains one network after another, its samples in
memory (no DataLoader), with as many threads. Both and a large matrix product, by MKL and by oneDNN,
are measured in turn; all are medians over the turns. Where others use the machine, take one thread:
threads that wait for each other measure the others.

The floor is 6 * B * sum(in * out) floating-point operations a network and step: 2 forward, 2 for
the gradients of the weights, 2 for those of the inputs, which the first layer does not need;
"needed" leaves these out.
"""

import argparse
import time
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from hyperribbon.config import SGDConfig
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.training.parallel import keep_freed_memory
from hyperribbon.training.stacked import StackedFullyConnected, _products
from hyperribbon.training.stacked_loop import train_stacked

FEATURES, CLASSES = 200, 5
CONFIG = SGDConfig(
    algorithm="sgd", learning_rate=0.05, momentum=0.9, nesterov=True, weight_decay=1e-5
)


def peaks(n=1024, repetitions=5):
    """GFLOP/s of a product of large matrices by torch's `mm` (MKL) and by oneDNN."""
    a, b = torch.randn(n, n), torch.randn(n, n)
    found = []
    for product in (torch.mm, lambda a, b: _products(a[None], b[None])):
        product(a, b)
        start = time.perf_counter()
        for _ in range(repetitions):
            product(a, b)
        found.append(repetitions * 2 * n**3 / (time.perf_counter() - start) / 1e9)
    return np.array(found)


def plain(widths, x, labels, batch_size, epochs):
    """Seconds a step of one network, by the loop of a tutorial."""
    network = FullyConnected((FEATURES,), CLASSES, widths)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-5
    )
    steps = len(x) // batch_size
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * steps)
    start = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimiser.zero_grad()
            cross_entropy(network(x[batch]), labels[batch]).backward()
            optimiser.step()
            scheduler.step()
    return (time.perf_counter() - start) / (epochs * steps)


def stacked(size, widths, x, labels, batch_size, epochs):
    """Seconds a step of one network of a stack."""
    seeds = range(size)
    stack = StackedFullyConnected.from_seeds(seeds, (FEATURES,), CLASSES, widths=widths)
    start = time.perf_counter()
    train_stacked(
        stack,
        CONFIG,
        x,
        labels,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        checkpoints=[],
        calibrate=False,
    )
    return (time.perf_counter() - start) / (epochs * (len(x) // batch_size) * size)


def bench(widths, batch_size, sizes, turns, seconds):
    """Measure an architecture and batch size, and print a line a stack size."""
    x = torch.randn(4 * batch_size, FEATURES)
    labels = torch.randint(CLASSES, (len(x),))
    once = plain(widths, x, labels, batch_size, 3)
    products = [a * b for a, b in pairwise([FEATURES, *widths, CLASSES])]
    floor, needed = (batch_size * (6 * sum(products) - less) for less in (0, 2 * products[0]))
    found = {size: [] for size in sizes}
    for turn in range(turns + 1):
        for size in sizes:
            epochs = max(1, round(seconds / once / 4))
            before = peaks()
            slow = plain(widths, x, labels, batch_size, epochs)
            fast = stacked(size, widths, x, labels, batch_size, max(1, round(epochs / size)))
            if turn:  # the first warms up
                found[size].append((slow, fast, *(before + peaks()) / 2))
    for size in sizes:
        slow, fast, mkl, onednn = np.array(found[size]).T
        highest = np.maximum(mkl, onednn) * 1e9
        share = [np.median(work / fast / highest) for work in (floor, needed)]
        print(
            f"{'-'.join(map(str, widths)):8} {batch_size:5} {size:5} {1 / np.median(slow):9.0f} "
            f"{1 / np.median(fast):9.0f} {np.median(slow / fast):6.2f} {np.median(mkl):5.0f} "
            f"{np.median(onednn):6.0f} {share[0]:6.2f} {share[1]:7.2f}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--batches", type=int, nargs="+", default=[100, 200, 500])
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3, help="of a measurement")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    print(
        f"networks x steps a second, {args.threads} threads, {FEATURES} features; mkl, onednn: "
        "GFLOP/s of a product of 1024 x 1024; floor, needed: operations over time, of the higher"
    )
    print(
        f"{'widths':8} {'batch':>5} {'stack':>5} {'plain':>9} {'stacked':>9} {'ratio':>6} "
        f"{'mkl':>5} {'onednn':>6} {'floor':>6} {'needed':>7}"
    )
    for layers in args.layers:
        for batch_size in args.batches:
            bench([512] * layers, batch_size, args.sizes, args.turns, args.seconds)
