"""Imprinting against the forward passes that the features come from.

    make bench

Weights from all samples and predictions of all samples, on the CPU with as many threads as the
passes of a small network on small images, which are about the fastest that features can be had.
Exits with 1 if imprinting takes more than a twentieth of them.
"""

import sys

import torch
from measuring import FAILED, best_of, report

from hyperribbon.networks import build_network
from hyperribbon.tasks import imprint, imprinted_predictions

IMAGES, SHAPE = 500, (3, 16, 16)
SIZES = [(5_000, 64, 10), (50_000, 512, 100)]  # samples, features, classes
SHARE = 0.05


def forward() -> float:
    """Seconds per image of a forward pass, in evaluation mode."""
    torch.manual_seed(0)
    network = build_network("wide_resnet", SHAPE, 10, depth=10, width=8, widen_factor=2)
    network = network.eval().to(memory_format=torch.channels_last)
    images = torch.randn(IMAGES, *SHAPE).to(memory_format=torch.channels_last)
    assert network.features(images[:1]).shape[1] == SIZES[0][1]
    return best_of(5, network.features, images) / IMAGES


def mapped(features, labels, n_classes):
    """Predictions of the samples that the weights are from."""
    return imprinted_predictions(features, imprint(features, labels, n_classes))


def main() -> None:
    print(f"\nImprinting, {torch.get_num_threads()} threads")
    with torch.inference_mode():
        pass_ = forward()
        report(
            "forward pass of WideResNet-10 on 16 x 16 pixels, per image", f"{1e6 * pass_:.0f} us"
        )
        for n, width, n_classes in SIZES:
            features = torch.rand(n, width)
            labels = torch.randint(n_classes, (n,))
            for kind, given in (("tensors", features), ("arrays", features.numpy())):
                taken = best_of(3, mapped, given, labels.numpy(), n_classes)
                share = taken / (n * pass_)
                report(
                    f"{n:,} x {width} {kind}, {n_classes} classes: {1e3 * taken:.0f} ms, share",
                    f"{share:.2%}",
                    f"{SHARE:.0%}",
                    share < SHARE,
                )
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
