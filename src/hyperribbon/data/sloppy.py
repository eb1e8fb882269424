"""Synthetic sloppy data: Gaussian inputs of decaying variances, labelled by a random teacher.

Thesis 2.5.5 and 4.7.1 do not say how the teacher is initialised. PyTorch's default leaves a class
without samples for 27 of 40 seeds at decay 0.001 and for 16 at decay 0.5 (200 features, 5 classes,
width 50, 5,000 samples), because biases and the positive mean of a ReLU favour the same class for
every input. Weights from N(0, 1/fan_in) without biases leave a class empty for 0 and 2 seeds, but
the largest class has 0.45 of the samples at decay 0.001 (0.48 at 0.5; medians over the seeds, at
worst 0.79 and 0.83) and the smallest 0.04 (0.01). Here the output weights of each class are also
centred, which removes what the ReLU's mean adds to its logit: the largest class has 0.23 (0.31; at
worst 0.27 and 0.47), the smallest 0.16 (0.11; at worst 0.12 and 0.03), and none is empty.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.data.parts import Part
from hyperribbon.errors import DataError

TRACE = 50.0  # b / c of the eigenvalues
# Streams of random numbers under one seed, for the teacher, the train and the test inputs.
TEACHER, TRAIN, TEST = range(3)


def sloppy_eigenvalues(features: int, decay: float) -> np.ndarray:
    """Variances of the inputs, lambda_i = 50 c exp(-c i), i = 1, ..., d (thesis 2.5.5, 4.7.1).

    The integral of 50 c exp(-c i) over all i > 0 is 50 for every c. The sum of the first d values,
    50 c (1 - exp(-c d)) / (exp(c) - 1), is less: for d = 200 it is 9.1 at c = 0.001, where most of
    the integral lies beyond the 200th value, and 38.5 at c = 0.5, where the values are far apart.

    Parameters
    ----------
    features : int
        Number of features, d.
    decay : float
        c > 0.

    Returns
    -------
    ndarray of float64, shape (d,)
        Decreasing.

    Examples
    --------
    >>> [round(float(sloppy_eigenvalues(200, c).sum()), 1) for c in (0.001, 0.05, 0.5)]
    [9.1, 48.8, 38.5]
    """
    return TRACE * decay * np.exp(-decay * np.arange(1, features + 1))


def sloppy_inputs(n: int, features: int, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Samples from N(0, diag(lambda)), with lambda as returned by `sloppy_eigenvalues`.

    The same generator gives the same standard normal numbers for every decay, and a smaller set is
    the beginning of a larger one.

    Returns
    -------
    ndarray of float64, shape (n, features)

    Examples
    --------
    >>> sloppy_inputs(3, 2, 0.5, np.random.default_rng(0)).shape
    (3, 2)
    """
    return rng.standard_normal((n, features)) * np.sqrt(sloppy_eigenvalues(features, decay))


class Teacher(NamedTuple):
    """A network of one hidden layer that labels inputs: W2 relu(W1 x), without biases.

    Attributes
    ----------
    hidden : ndarray of shape (width, features)
        W1.
    output : ndarray of shape (C, width)
        W2, each row of which has mean 0.
    """

    hidden: np.ndarray
    output: np.ndarray

    def logits(self, inputs: np.ndarray) -> np.ndarray:
        """Logits (N, C) float64 of inputs (N, features)."""
        return np.maximum(inputs @ self.hidden.T, 0) @ self.output.T


def random_teacher(features: int, width: int, classes: int, rng: np.random.Generator) -> Teacher:
    """A teacher with weights from N(0, 1/fan_in), where those of each output are then centred.

    Examples
    --------
    >>> random_teacher(200, 50, 5, np.random.default_rng(0)).output.shape
    (5, 50)
    """
    hidden = rng.standard_normal((width, features)) / np.sqrt(features)
    output = rng.standard_normal((classes, width)) / np.sqrt(width)
    return Teacher(hidden, output - output.mean(axis=1, keepdims=True))


def teacher_labels(inputs: np.ndarray, teacher: Teacher) -> np.ndarray:
    """The class with the largest logit for each input, computed in float64.

    Parameters
    ----------
    inputs : ndarray of shape (N, features)
        The inputs.
    teacher : Teacher
        As returned by `random_teacher`.

    Returns
    -------
    ndarray of int64, shape (N,)

    Examples
    --------
    >>> teacher_labels(np.array([[1.0], [-1.0]]), Teacher(np.array([[1.0], [-1.0]]), np.eye(2)))
    array([0, 1])
    """
    return teacher.logits(inputs.astype(np.float64, copy=False)).argmax(axis=1)


def load(
    features: int = 200,
    decay: float = 0.5,
    classes: int = 5,
    teacher_width: int = 50,
    train_size: int = 5_000,
    test_size: int = 1_000,
    seed: int = 0,
) -> list[Part]:
    """Generate the train and the test part.

    One seed gives the same teacher and the same standard normal numbers for every decay, so that
    only the spectrum of the inputs differs. Equal arguments give equal content as far as NumPy
    guarantees it: its streams may change with its version, and the last bits of a float64 with the
    machine. Labels are computed from the inputs as they are stored, in float32.

    Parameters
    ----------
    features, decay
        Arguments of `sloppy_eigenvalues`, for the inputs.
    classes, teacher_width : int
        Classes and hidden units of the teacher.
    train_size, test_size : int
        Numbers of samples.
    seed : int
        Seed of the inputs and the teacher.

    Returns
    -------
    list of two Part
        Inputs (N, features) float32, labels (N,) int64.

    Raises
    ------
    DataError
        If a class has no training sample. No other teacher is drawn, because it would differ from
        that of other decays.

    Examples
    --------
    >>> train, test = load(decay=0.5)
    >>> np.bincount(train.labels).tolist()
    [1129, 606, 957, 739, 1569]
    """
    teacher = random_teacher(
        features, teacher_width, classes, np.random.default_rng((seed, TEACHER))
    )
    parts = []
    for stream, size in ((TRAIN, train_size), (TEST, test_size)):
        rng = np.random.default_rng((seed, stream))
        inputs = sloppy_inputs(size, features, decay, rng).astype(np.float32)
        parts.append(Part(inputs, teacher_labels(inputs, teacher)))
    counts = np.bincount(parts[0].labels, minlength=classes)
    if not counts.all():
        raise DataError(
            f"data set sloppy: the teacher of seed {seed} gives none of {train_size} training "
            f"samples class {counts.argmin()}, expected some of each of {classes} classes; take "
            "another seed, fewer classes or more samples"
        )
    return parts
