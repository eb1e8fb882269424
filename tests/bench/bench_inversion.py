"""Trainings whose class manifolds are followed: many stacked against one by one (arXiv:2303.05161).

    make bench

The plain way trains one network after another by autograd, and computes class manifolds and the
misclassified of each epoch. Both are 784-20-2 tanh networks on 8,192 samples, with as many threads.
One epoch of a network takes 4 * 8192 * 784 * 20 operations in two products, forward and for the
gradient. The plain way spends most of its time on the same products, with 20 columns instead of
1,000. So what is required is a share of the fastest product; beside the quotient of both ways is
printed what it would be at that limit. Exits with 1 if one falls short.
"""

import sys

import numpy as np
import torch
from measuring import FAILED, best_of, product_limit, report, report_share
from torch import nn

from hyperribbon.representations.class_manifolds import class_manifolds
from hyperribbon.representations.class_training import tanh_stack, train_manifolds
from hyperribbon.training.parallel import set_up

N, FEATURES, WIDTH, SEEDS, THREADS = 8192, 784, 20, 50, 2
EPOCHS, EPOCHS_ALONE = 10, 20
RATE = 0.2


def plain(state, x, labels, epochs):
    """One network by a tutorial's loop: radii, and the misclassified, of each epoch."""
    network = nn.Sequential(nn.Linear(FEATURES, WIDTH), nn.Tanh(), nn.Linear(WIDTH, 2))
    network.load_state_dict(state)
    optimiser = torch.optim.SGD(network.parameters(), lr=RATE)
    y, radii, wrong = torch.from_numpy(labels), [], []
    for _ in range(epochs + 1):
        hidden = network[:2](x)
        logits = network[2](hidden)
        radii.append(class_manifolds(hidden.detach().numpy(), labels).radii)
        wrong.append((logits.argmax(dim=1) != y).numpy())
        optimiser.zero_grad()
        nn.functional.cross_entropy(logits, y).backward()
        optimiser.step()
    return np.stack(radii), np.stack(wrong)


def states(stack):
    """Initial weights of each network, by the names of the plain one."""
    for state in stack.state_dicts():
        yield dict(zip(("0.weight", "0.bias", "2.weight", "2.bias"), state.values(), strict=True))


def main() -> None:
    set_up(THREADS)
    rng = np.random.default_rng(0)
    classes = rng.integers(10, size=N)
    centres = rng.normal(size=(10, FEATURES))
    x = torch.from_numpy(centres[classes] + 4 * rng.normal(size=(N, FEATURES))).float()
    labels = classes % 2
    arguments = {"steps": EPOCHS, "learning_rate": RATE}
    print(f"\n{SEEDS} trainings of {FEATURES}-{WIDTH}-2 on {N:,} samples, {THREADS} threads")

    def stacked():
        return train_manifolds(
            tanh_stack(range(SEEDS), FEATURES, 2, [WIDTH]), x, labels, **arguments
        )

    first = next(states(tanh_stack([0], FEATURES, 2, [WIDTH])))
    slow = best_of(4, plain, first, x, labels, EPOCHS_ALONE) / (EPOCHS_ALONE + 1)
    fast = best_of(4, stacked) / (EPOCHS + 1) / SEEDS
    found = stacked()
    radii, wrong = plain(first, x, labels, EPOCHS)
    error = np.abs(found.radii[0, :, 0] - radii).max()
    apart = (found.wrong(N)[0] != wrong).mean()
    report("one by one, an epoch of a network", f"{1e3 * slow:.2f} ms")
    report("stacked, an epoch of a network", f"{1e3 * fast:.2f} ms")
    report("times as fast", f"{slow / fast:.1f}", "1.5", slow >= 1.5 * fast)
    operations = (2 * EPOCHS + 1) / (EPOCHS + 1) * 2 * N * FEATURES * WIDTH
    shapes = [(SEEDS * WIDTH, FEATURES, 1024), (SEEDS * WIDTH, 1024, FEATURES)]
    limit = product_limit(torch.float32, THREADS, shapes, sides=(1024, 2048))
    report_share("share of the fastest product", operations / fast, limit, 0.5)
    report("times as fast at that limit", f"{slow * limit.rate / operations:.1f}")
    report("largest difference of a radius", f"{error:.1e}", "1e-4", error < 1e-4)
    report("samples classified otherwise", f"{apart:.1e}", "1e-3", apart < 1e-3)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
