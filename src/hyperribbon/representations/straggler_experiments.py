"""Experiments on stragglers: their conservation, their removal, and how hard a task is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch

from hyperribbon.curvature.correlations import correlation_eigenvalues
from hyperribbon.curvature.sloppiness import sloppy_slope
from hyperribbon.errors import DataError
from hyperribbon.representations.class_training import (
    classification_errors,
    tanh_stack,
    train_manifolds,
)
from hyperribbon.representations.conservation import Conservation, conservation
from hyperribbon.representations.intrinsic_dimension import intrinsic_dimension
from hyperribbon.representations.inversion_experiments import (
    Images,
    InversionSettings,
    Runs,
    straggler_progress,
)

LEVELS = 30  # of training error, at which misclassified samples are compared
FRACTIONS = {"t*/4": 0.25, "t*/2": 0.5, "2 t*": 2.0}  # epochs whose misclassified are removed, too
CONSERVATION = ["compared", "kind", "error", "pairs", "z", "z_low", "z_high", "log10_p", "overlap"]
NEIGHBOURS = 4096  # most samples for the intrinsic dimension


def conservation_table(base: Runs, others: Sequence[Runs], images: Images) -> pd.DataFrame:
    """How far misclassified samples agree: between runs by training error, between architectures.

    Sets of a training error are those of each run's first record at which its error is no larger.
    Architectures include a linear classifier by least squares.
    """
    N = len(base.condition.labels)
    rows = []
    wrong = base.training.wrong(N)
    errors = base.training.errors
    low, high = max(errors[:, -1].max(), 1 / N), errors[:, 1].min()
    levels = np.geomspace(low, high, LEVELS) if low < high else np.array([])
    for level in levels:
        first = (errors <= level).argmax(axis=1)
        sets = np.take_along_axis(wrong, first[:, None, None], axis=1)[:, 0]
        found = conservation(sets)
        pairs = np.triu_indices(len(sets), 1)
        rows.append({"compared": "runs", "kind": "usual", "error": level, **_summary(found, pairs)})
    own = base.stragglers() if base.inversions[0].inverts.any() else np.zeros((0, N), bool)
    if len(own) > 1:
        error = float(np.nanmean(base.inversions[0].error))
        pairs = np.triu_indices(len(own), 1)
        summary = _summary(conservation(own), pairs)
        rows.append({"compared": "stragglers", "kind": "usual", "error": error, **summary})
    wrong_by_line, error = linear_errors(images, base.condition.labels)
    compared = [("linear", "least squares", wrong_by_line[None], error)]
    for runs in others:
        same = runs.condition.kind in ("optimiser", "width", "depth", "convolutional")
        if same and runs.inversion.inverts.any():
            error = float(np.nanmean(runs.inversion.error))
            compared.append((*runs.condition[:2], runs.stragglers(), error))
    for kind, name, theirs, error in compared if len(own) else ():
        found = conservation(np.concatenate([own, theirs]))
        pairs = np.divmod(np.arange(len(own) * len(theirs)), len(theirs))
        summary = _summary(found, (pairs[0], len(own) + pairs[1]))
        rows.append({"compared": f"{kind} {name}", "kind": kind, "error": error, **summary})
    return pd.DataFrame(rows, columns=CONSERVATION)


def _summary(found: Conservation, pairs: tuple[np.ndarray, ...]) -> dict[str, object]:
    """Means over pairs of sets."""
    sizes = np.diagonal(found.overlap)
    union = sizes[pairs[0]] + sizes[pairs[1]] - found.overlap[pairs]
    z = found.z[pairs]
    return {
        "pairs": len(z),
        "z": z.mean(),
        "z_low": z.min(),
        "z_high": z.max(),
        "log10_p": found.log_p[pairs].max() / np.log(10),
        "overlap": (found.overlap[pairs] / np.maximum(union, 1)).mean(),
    }


def removals(base: Runs, images: Images, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """Yield names of sets of samples, and the sets of each run that inverts, (runs, N)."""
    own = base.stragglers()
    N = own.shape[1]
    inverting = np.flatnonzero(base.inversions[0].inverts)
    wrong = base.training.wrong(N)[inverting]
    at = base.inversions[0].record[inverting]
    rng = np.random.default_rng(seed)
    yield "nothing", np.zeros_like(own)
    yield "stragglers", own
    yield "random, as many", np.stack([_drawn(np.ones(N, bool), s.sum(), rng) for s in own])
    by_line, _ = linear_errors(images, base.condition.labels)
    yield "misclassified by a linear classifier", np.repeat(by_line[None], len(own), axis=0)
    for name, fraction in FRACTIONS.items():
        times = np.minimum((at * fraction).round().astype(int), wrong.shape[1] - 1)
        sets = np.take_along_axis(wrong, times[:, None, None], axis=1)[:, 0]
        yield f"misclassified at {name}", sets
        if fraction < 1:  # more than stragglers; so a part of them, too
            pairs = zip(sets, own, strict=True)
            some = [_drawn(among, stragglers.sum(), rng) for among, stragglers in pairs]
            yield f"as many of them at {name}", np.stack(some)


def _drawn(among: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """A set of some samples, drawn among others (N,); all of these if there are fewer."""
    members = np.flatnonzero(among)
    found = np.zeros_like(among)
    found[rng.choice(members, min(int(number), len(members)), replace=False)] = True
    return found


def run_removals(
    base: Runs, images: Images, settings: InversionSettings
) -> tuple[list[Runs], pd.DataFrame]:
    """Train again without some samples, all in one stack.

    The runs are the first of the usual network that invert, from the same initial weights.

    Returns
    -------
    list of Runs, and the number of samples removed from each run of each
    """
    inverting = np.flatnonzero(base.inversions[0].inverts)[: settings.fewer_runs]
    if not len(inverting):
        return [], pd.DataFrame(columns=["condition", "run", "removed"])
    named = [(name, sets[: len(inverting)]) for name, sets in removals(base, images, settings.seed)]
    seeds = [settings.seed + int(run) for run in inverting]
    stack = tanh_stack(seeds * len(named), images.x.shape[1], 2, base.condition.widths)
    training = train_manifolds(
        stack, images.x, base.condition.labels, **base.condition.training,
        weights=1.0 - np.concatenate([sets for _, sets in named]),
    )  # fmt: skip
    errors = classification_errors(stack, images.test_x, images.test_classes % 2)
    found, rows = [], []
    for k, (name, sets) in enumerate(named):
        here = slice(k * len(seeds), (k + 1) * len(seeds))
        part = training._replace(
            **{field: getattr(training, field)[here] for field in training._fields[1:]}
        )
        condition = base.condition._replace(kind="removal", name=name)
        found.append(Runs.of(condition, part, errors[here]))
        rows += [
            {"condition": name, "run": run, "removed": int(removed.sum())}
            for run, removed in enumerate(sets)
        ]
    return found, pd.DataFrame(rows)


def difficulty_table(base: Runs, others: Sequence[Runs], images: Images) -> pd.DataFrame:
    """The stragglers' share beside other measures of how hard each task is.

    These are the intrinsic dimension of the images and the slope of their spectrum, which all tasks
    on a data set share; the error of a linear classifier by least squares, the progress at t*, and
    the drop of the radii until then.
    """
    tasks = [base, *(runs for runs in others if runs.condition.kind == "task")]
    x = images.x.numpy().astype(float)
    dimension = intrinsic_dimension(x[:NEIGHBOURS])
    try:
        slope = sloppy_slope(correlation_eigenvalues(x)).slope
    except DataError:  # too few eigenvalues for a line
        slope = np.nan
    rows = []
    for k, runs in enumerate(tasks):
        found = runs.inversions[0]
        total = runs.training.radii[:, :, 0].mean(axis=-1)
        at_turn = straggler_progress(runs, runs.training.predictions.shape[2])
        drop = np.where(found.inverts, total[:, 0] - total.min(axis=1), np.nan)
        rows.append(
            {
                "task": "parity" if k == 0 else runs.condition.name,
                "runs": len(total),
                "inverting": int(found.inverts.sum()),
                "share": _mean(found.error),
                "share_sd": _mean((found.error - _mean(found.error)) ** 2) ** 0.5,
                "progress": _mean(at_turn),
                "drop": _mean(drop),
                "linear_error": linear_errors(images, runs.condition.labels)[1],
                "intrinsic_dimension": dimension,
                "spectrum_slope": slope,
            }
        )
    return pd.DataFrame(rows)


def linear_errors(images: Images, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Samples (N,) that a linear classifier by least squares misclassifies, and their share."""
    x = images.x.numpy()
    with_one = np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)
    gram = (with_one.T @ with_one).astype(float)
    # A ridge too small to matter, because pixels may be constant or depend on others.
    ridge = 1e-6 * np.trace(gram) / len(gram) * np.eye(len(gram))
    targets = 2.0 * labels - 1
    wrong = (with_one @ np.linalg.solve(gram + ridge, with_one.T @ targets) > 0) != (labels > 0)
    return wrong, float(wrong.mean())


def _mean(values: np.ndarray) -> float:
    """Mean of those that are not NaN; NaN if there are none."""
    some = values[~np.isnan(values)]
    return float(some.mean()) if len(some) else float("nan")


def as_images(
    x: np.ndarray,
    classes: np.ndarray,
    test_x: np.ndarray,
    test_classes: np.ndarray,
) -> Images:
    """Images (N, channels, height, width), standardised per pixel by the training images.

    A constant pixel becomes 0.

    Examples
    --------
    >>> x = np.array([[[[0.0, 1.0]]], [[[2.0, 1.0]]]])
    >>> as_images(x, np.array([0, 1]), x, np.array([0, 1])).x.tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    flat, test = (a.reshape(len(a), -1).astype(float) for a in (x, test_x))
    mean, sd = flat.mean(axis=0), flat.std(axis=0)
    sd[sd == 0] = 1
    standardised = [torch.from_numpy((a - mean) / sd).float() for a in (flat, test)]
    shape = x.shape[1:]
    return Images(
        standardised[0], classes.astype(int), standardised[1], test_classes.astype(int), shape
    )
