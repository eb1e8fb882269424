"""Two trainings that hyperribbon did not run, in one picture.

A multilayer perceptron of scikit-learn and a small convolutional network in plain PyTorch learn
scikit-learn's 8 x 8 digits, twice each. Both are recorded on the same samples in the same order,
which is all that it takes to compare them. From the root of the repository,

    python examples/own_networks.py
    snakemake --cores all --configfile config/external.yaml

the first (half a minute on one core) leaves four stores and a picture in runs/own_networks/, the
second all tables and figures and the report in results/external/.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
import xarray as xr
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from torch import nn

import hyperribbon as hr

RUNS = Path("runs", "own_networks")
EPOCHS, BATCH = 30, 50
N_CLASSES = 10


def digits() -> tuple[np.ndarray, ...]:
    """Train and test images (N, 64), and their labels."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    return train_test_split(
        images, labels, train_size=1000, test_size=500, random_state=0, stratify=labels
    )


def record_scikit_learn(seed: int) -> None:
    """``partial_fit`` in batches; an estimator is recorded by its ``predict_proba``."""
    train, test, labels, test_labels = digits()
    network = MLPClassifier(hidden_layer_sizes=(64,), learning_rate_init=0.003, random_state=seed)
    rng = np.random.default_rng(seed)
    with hr.Recorder(
        RUNS / f"sklearn-{seed}.zarr",
        train,
        labels,
        test_inputs=test,
        test_labels=test_labels,
        network="MLPClassifier",
        optimiser="Adam",
        seed=seed,
        steps_per_epoch=len(labels) // BATCH,
    ) as rec:
        step = 0
        for _ in range(EPOCHS):
            for batch in rng.permutation(len(labels)).reshape(-1, BATCH):
                network.partial_fit(train[batch], labels[batch], classes=range(N_CLASSES))
                step += 1
                if is_checkpoint(step, len(labels) // BATCH):
                    rec.checkpoint(network, step)


def record_pytorch(seed: int) -> None:
    """A training loop as anyone writes it, and three lines more."""
    train, test, labels, test_labels = map(torch.from_numpy, digits())
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(16 * 16, N_CLASSES),
    )
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    with hr.Recorder(
        RUNS / f"pytorch-{seed}.zarr",
        train,
        labels,
        test_inputs=test,
        test_labels=test_labels,
        network="ConvNet",
        optimiser="SGD-momentum",
        seed=seed,
        steps_per_epoch=len(labels) // BATCH,
    ) as rec:
        rec.checkpoint(network, 0)
        step = 0
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(labels)).view(-1, BATCH):
                loss = nn.functional.cross_entropy(network(train[batch]), labels[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                step += 1
                if is_checkpoint(step, len(labels) // BATCH):
                    rec.checkpoint(network, step)


def is_checkpoint(step: int, steps_per_epoch: int) -> bool:
    """Every other step of the first two epochs, where most happens; then every epoch."""
    return step % (2 if step < 2 * steps_per_epoch else steps_per_epoch) == 0


def draw() -> None:
    """All checkpoints in two coordinates, without the workflow."""
    trainings = {
        path.stem: xr.open_zarr(path)["test_predictions"][0].values
        for path in sorted(RUNS.glob("*.zarr"))
    }
    D = hr.pairwise_distance(np.concatenate(list(trainings.values())))
    inpca = hr.InPCA(n_components=2, metric="precomputed").fit(D)
    start = 0
    for name, P in trainings.items():
        points = inpca.embedding_[start : start + len(P)]
        plt.plot(*points.T, ".-", label=name)
        start += len(P)
    plt.title(f"test predictions: explained stress {inpca.explained_stress_[1]:.0%}")
    plt.legend()
    plt.savefig(RUNS / "inpca.png")


def main() -> None:
    RUNS.mkdir(parents=True, exist_ok=True)
    for seed in (0, 1):
        record_scikit_learn(seed)
        record_pytorch(seed)
    draw()
    print(f"recorded: {RUNS}; now: snakemake --cores all --configfile config/external.yaml")


if __name__ == "__main__":
    try:
        main()
    except hr.HyperribbonError as error:  # such as: recorded already
        sys.exit(str(error))
