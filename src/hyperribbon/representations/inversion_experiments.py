"""Experiments on the inversion of class manifolds, on the images of one data set.

The labels are the parity of the class, unless a condition says otherwise. One network is the usual
one: one hidden layer of tanh units, trained by gradient descent on all samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hyperribbon.bars import bar_over
from hyperribbon.networks.lenet import LeNet
from hyperribbon.probability import progress
from hyperribbon.representations.class_training import (
    ManifoldTraining,
    classification_errors,
    tanh_stack,
    train_manifolds,
)
from hyperribbon.representations.followed_training import train_followed
from hyperribbon.representations.inversion import Inversion, inversion_point, stragglers

CURVE = 100  # most records of a curve in a table
STEP_PART = 10  # SGD has a tenth of the learning rate of gradient descent, and as many times steps
# Of the convolutional network: channels, learning rate of SGD, and epochs.
CHANNELS, RATE, EPOCHS = (4, 8), 0.05, 10


@dataclass(frozen=True)
class InversionSettings:
    """What is trained on a data set.

    Attributes
    ----------
    learning_rate, epochs : of gradient descent
    runs : initialisations of the usual network
    fewer_runs : initialisations of each other condition
    width : hidden units of the usual network
    widths : hidden units of others
    depths : numbers of hidden layers of others, each of ``width`` units
    subsamples : numbers of samples of others; each run has samples of its own
    adam : learning rates of Adam, on all samples
    batch_size : of SGD
    groupings : random groupings of the classes in two, as tasks beside parity
    convolutional_runs : initialisations of a convolutional network; 0 for none
    watched : samples whose predictions are recorded
    seed : of initial weights, and of all draws
    """

    learning_rate: float
    epochs: int
    runs: int = 12
    fewer_runs: int = 4
    width: int = 20
    widths: tuple[int, ...] = (10, 50)
    depths: tuple[int, ...] = (2, 3)
    subsamples: tuple[int, ...] = (512, 1024, 2048, 4096)
    adam: tuple[float, ...] = (1e-3, 3e-3)
    batch_size: int = 256
    groupings: int = 4
    convolutional_runs: int = 2
    watched: int = 1000
    seed: int = 0


class Images(NamedTuple):
    """Training images as networks see them, test images, and their original classes.

    Attributes
    ----------
    x, test_x : Tensor of float32, shapes (N, d) and (M, d)
    classes, test_classes : ndarray of int, shapes (N,) and (M,)
    shape : (channels, height, width) of an image
    """

    x: Tensor
    classes: np.ndarray
    test_x: Tensor
    test_classes: np.ndarray
    shape: tuple[int, ...]

    @property
    def parity(self) -> np.ndarray:
        """Parity of each training sample's class, (N,)."""
        return self.classes % 2


class Condition(NamedTuple):
    """A kind of training, which differs from the usual one in one respect.

    Attributes
    ----------
    kind, name : of the respect, and its value
    labels : (N,) classes from 0
    widths : units of each hidden layer
    training : keywords of `train_manifolds`
    """

    kind: str
    name: str
    labels: np.ndarray
    widths: tuple[int, ...]
    training: dict[str, Any]

    @property
    def about(self) -> dict[str, str]:
        """The columns that name it."""
        return {"kind": self.kind, "condition": self.name}


class Runs(NamedTuple):
    """Trainings of one condition, and where each of its layers inverts."""

    condition: Condition
    training: ManifoldTraining
    inversions: list[Inversion]
    test_errors: np.ndarray | None = None

    @classmethod
    def of(
        cls, condition: Condition, training: ManifoldTraining, test_errors: np.ndarray | None = None
    ) -> Runs:
        """Find the inversion of each layer."""
        found = [
            inversion_point(
                training.radii[:, :, k], training.distances[:, :, k], training.errors,
                steps=training.steps,
            )
            for k in range(training.radii.shape[2])
        ]  # fmt: skip
        return cls(condition, training, found, test_errors)

    @property
    def inversion(self) -> Inversion:
        """That of the first layer, or of the hidden layer of a convolutional network."""
        return self.inversions[-1 if self.condition.kind == "convolutional" else 0]

    def stragglers(self) -> np.ndarray:
        """Stragglers of the runs that invert, (runs, N)."""
        some = self.inversion.inverts
        kept = Inversion(*(values[some] for values in self.inversion))
        return stragglers(self.training.wrong(len(self.condition.labels))[some], kept)


def usual(images: Images, settings: InversionSettings) -> Condition:
    """The usual network on parity."""
    training = {"steps": settings.epochs, "learning_rate": settings.learning_rate}
    return Condition("usual", "usual", images.parity, (settings.width,), training)


def conditions(images: Images, settings: InversionSettings) -> Iterator[Condition]:
    """All others that are trained on all samples, stacked."""
    base = usual(images, settings)
    rate, epochs = settings.learning_rate, settings.epochs
    slower = {"steps": 2 * epochs, "learning_rate": rate / 2}
    yield base._replace(kind="optimiser", name="GD, half the rate", training=slower)
    sgd = {
        "steps": STEP_PART * epochs, "learning_rate": rate / STEP_PART, "every": STEP_PART,
        "batch_size": settings.batch_size,
    }  # fmt: skip
    yield base._replace(kind="optimiser", name="SGD", training=sgd)
    for adam in settings.adam:
        training = {"steps": epochs, "learning_rate": adam, "algorithm": "adam"}
        yield base._replace(kind="optimiser", name=f"Adam {adam:g}", training=training)
    for width in settings.widths:
        yield base._replace(kind="width", name=str(width), widths=(width,))
    for depth in settings.depths:
        yield base._replace(kind="depth", name=str(depth), widths=(settings.width,) * depth)
    longer = {"steps": 3 * epochs, "learning_rate": rate}
    yield base._replace(kind="classes", name="all", labels=images.classes, training=longer)
    yield from groupings(images, settings)


def groupings(images: Images, settings: InversionSettings) -> Iterator[Condition]:
    """Random groupings of the classes in two halves, as tasks."""
    n_classes = int(images.classes.max()) + 1
    rng = np.random.default_rng(settings.seed)
    base = usual(images, settings)
    for _ in range(settings.groupings):
        first = np.sort(rng.permutation(n_classes)[: n_classes // 2])
        labels = 1 - np.isin(images.classes, first).astype(int)
        yield base._replace(kind="task", name="".join(map(str, first)), labels=labels)


def run_condition(
    condition: Condition, images: Images, settings: InversionSettings, runs: int, **more: Any
) -> Runs:
    """Train the runs of a condition, and find where they invert."""
    seeds = range(settings.seed, settings.seed + runs)
    n_classes = int(condition.labels.max()) + 1
    stack = tanh_stack(seeds, images.x.shape[1], n_classes, condition.widths)
    training = train_manifolds(
        stack, images.x, condition.labels, seed=settings.seed, **condition.training, **more
    )
    if condition.kind == "task":
        return Runs.of(condition, training)
    test = images.test_classes if condition.kind == "classes" else images.test_classes % 2
    return Runs.of(condition, training, classification_errors(stack, images.test_x, test))


def run_subsamples(images: Images, settings: InversionSettings) -> Iterator[list[Runs]]:
    """Yield, for each number of samples, runs on samples drawn for each of them."""
    base = usual(images, settings)
    for size in settings.subsamples:
        found = []
        for run in range(settings.fewer_runs):
            rng = np.random.default_rng((settings.seed, size, run))
            rows = np.sort(rng.choice(len(images.x), size, replace=False))
            some = images._replace(x=images.x[rows], classes=images.classes[rows])
            condition = base._replace(kind="samples", name=str(size), labels=some.parity)
            stack = tanh_stack([settings.seed + run], some.x.shape[1], 2, condition.widths)
            training = train_manifolds(stack, some.x, some.parity, **condition.training)
            errors = classification_errors(stack, images.test_x, images.test_classes % 2)
            found.append(Runs.of(condition, training, errors))
        yield found


def run_convolutional(images: Images, settings: InversionSettings) -> Iterator[Runs]:
    """Yield runs of a small convolutional network, whose stages and hidden layer are followed."""
    x = images.x.view(-1, *images.shape)
    batches = max(1, len(x) // settings.batch_size)
    condition = usual(images, settings)._replace(
        kind="convolutional", name="LeNet, SGD", training={"learning_rate": RATE}
    )
    for run in range(settings.convolutional_runs):
        torch.manual_seed(settings.seed + run)
        channels, height, width = images.shape
        network = LeNet((channels, height, width), 2, CHANNELS, settings.width)
        training = train_followed(
            network, x, images.parity, ["features.2", "features.5", "features.8"],
            steps=EPOCHS * batches, learning_rate=RATE, batch_size=settings.batch_size,
            every=max(1, batches // 2), seed=settings.seed + run,
        )  # fmt: skip
        yield Runs.of(condition, training)


def joined(found: Sequence[Runs]) -> Runs:
    """Runs of one condition, trained one by one, as one."""
    first = found[0].training
    arrays = [
        np.concatenate([getattr(runs.training, name) for runs in found])
        for name in ManifoldTraining._fields[1:]
    ]
    errors = [runs.test_errors for runs in found if runs.test_errors is not None]
    together = np.concatenate(errors) if errors else None
    return Runs.of(found[0].condition, ManifoldTraining(first.steps, *arrays), together)


def curve_rows(runs: Runs) -> Iterator[dict[str, object]]:
    """Rows of the table of curves: means over runs, and least and greatest radius."""
    training = runs.training
    T, C = len(training.steps), training.radii.shape[3]
    pairs = np.triu_indices(C, 1)
    for layer in range(training.radii.shape[2]):
        radii = training.radii[:, :, layer]
        apart = training.distances[:, :, layer][..., pairs[0], pairs[1]].mean(axis=-1)
        mean = radii.mean(axis=-1)
        for k in np.unique(np.linspace(0, T - 1, CURVE).astype(int)):
            yield {
                **runs.condition.about,
                "layer": layer + 1,
                "step": training.steps[k],
                "error": training.errors[:, k].mean(),
                "radius": mean[:, k].mean(),
                "radius_low": mean[:, k].min(),
                "radius_high": mean[:, k].max(),
                "radius_0": radii[:, k, 0].mean() if C == 2 else np.nan,
                "radius_1": radii[:, k, 1].mean() if C == 2 else np.nan,
                "distance": apart[:, k].mean(),
            }


def point_rows(runs: Runs) -> Iterator[dict[str, object]]:
    """Rows of the table of inversions: one per layer and run."""
    training = runs.training
    for layer, found in enumerate(runs.inversions):
        total = training.radii[:, :, layer].sum(axis=-1)
        binary = training.radii.shape[3] == 2
        for run in range(len(total)):
            drop = total[run, 0] - total[run].min()
            rise = total[run, -1] - total[run].min()
            yield {
                **runs.condition.about,
                "layer": layer + 1,
                "run": run,
                "inverts": int(found.inverts[run]),
                "step": found.step[run],
                "low": found.low[run],
                "high": found.high[run],
                "error": found.error[run],
                "radius_0_step": found.radius_steps[run, 0] if binary else np.nan,
                "radius_1_step": found.radius_steps[run, 1] if binary else np.nan,
                "distance_step": found.distance_steps[run],
                "rise": rise / drop if drop > 0 else np.nan,
                "steps": training.steps[-1],
                "last_error": training.errors[run, -1],
                "test_error": np.nan if runs.test_errors is None else runs.test_errors[run],
            }


def straggler_progress(runs: Runs, watched: int) -> np.ndarray:
    """Progress of each run at its inversion, over the samples that are watched; NaN for none."""
    found = runs.inversions[0]
    at = np.take_along_axis(
        runs.training.predictions, np.maximum(found.record, 0)[:, None, None, None], axis=1
    )[:, 0]
    return np.where(found.inverts, progress(at, runs.condition.labels[:watched], threads=1), np.nan)


def run_all(
    images: Images, settings: InversionSettings, progress_bar: str | None = None
) -> tuple[Runs, list[Runs]]:
    """Train the usual network, with predictions, and all other conditions.

    Returns
    -------
    Runs, list of Runs
        Of the usual network, and of the others.
    """
    base = run_condition(
        usual(images, settings), images, settings, settings.runs, record=settings.watched
    )
    others = []
    for condition in bar_over(list(conditions(images, settings)), progress_bar):
        watched = settings.watched if condition.kind == "task" else 0
        others.append(
            run_condition(condition, images, settings, settings.fewer_runs, record=watched)
        )
    others += [joined(found) for found in run_subsamples(images, settings)]
    if settings.convolutional_runs:
        others.append(joined(list(run_convolutional(images, settings))))
    return base, others


def curves_table(found: Sequence[Runs]) -> pd.DataFrame:
    """Curves of all conditions."""
    return pd.DataFrame([row for runs in found for row in curve_rows(runs)])


def points_table(found: Sequence[Runs]) -> pd.DataFrame:
    """Inversions of all conditions."""
    return pd.DataFrame([row for runs in found for row in point_rows(runs)])
