"""The metric of networks that learn a task in the plane: maps, spectra, and magnification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from hyperribbon.numerics.bootstrap import bootstrap_mean
from hyperribbon.representations.boundary import boundary_distance, plane_boundary
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.magnification import magnification
from hyperribbon.representations.metric import log_volume_element, metric_spectrum
from hyperribbon.representations.plane_tasks import Parametrisation, PlaneTask, train_stacked
from hyperribbon.representations.riemann import ricci_scalar

STATISTICS = ("volume", "volume_without_radius", "change", "change_without_radius")
EIGENVALUES = ("first_eigenvalue", "second_eigenvalue")
_LEAST = 10  # points for a correlation
_TURNS = 6  # of a boundary, in the null
_EVERY = 4  # of so many points, eigenvalues are computed at one


class Variant(NamedTuple):
    """What learns a task, and how."""

    name: str
    varied: str
    """In what it differs from the standard network, ``nothing`` for that one."""
    widths: tuple[int, ...]
    activation: str
    weight_decay: float
    random_labels: bool = False
    parametrisation: Parametrisation = "standard"

    @property
    def about(self) -> dict[str, Any]:
        """Its fields as they are in tables."""
        return {
            "variant": self.name,
            "varied": self.varied,
            "widths": "-".join(map(str, self.widths)),
            "activation": self.activation,
            "weight_decay": self.weight_decay,
            "labels": "random" if self.random_labels else "true",
            "parametrisation": self.parametrisation,
        }


class Square(NamedTuple):
    """A square grid in the plane."""

    axis: np.ndarray
    """(n,) coordinates on both axes."""
    points: np.ndarray
    """(n^2, 2), x fastest."""
    radius: np.ndarray
    """(n^2,) distances of the points from the origin."""


def square(extent: float, n: int) -> Square:
    """A grid of n x n points on the square from -extent to extent.

    Examples
    --------
    >>> square(1.0, 2).points.tolist()
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    axis = np.linspace(-extent, extent, n)
    x, y = np.meshgrid(axis, axis)
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    return Square(axis, points, np.linalg.norm(points, axis=1))


def margins(network: nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """Logit of class 1 less that of class 0, as a function of points (B, 2)."""

    @torch.no_grad()
    def margin(points: np.ndarray) -> np.ndarray:
        logits = network(torch.from_numpy(np.ascontiguousarray(points)))
        return (logits[:, 1] - logits[:, 0]).numpy()

    return margin


def spaced_moments(epochs: int, count: int) -> list[int]:
    """Epochs 0 and up to ``count - 1`` later ones, evenly spaced in the logarithm, to the last.

    Examples
    --------
    >>> spaced_moments(1000, 5)
    [0, 1, 10, 100, 1000]
    """
    first = max(1, epochs // 1000)
    return sorted({0, *np.geomspace(first, epochs, count - 1).round().astype(int).tolist(), epochs})


def plane_tables(
    task: PlaneTask,
    variant: Variant,
    *,
    seeds: int,
    moments: Sequence[int],
    learning_rate: float,
    momentum: float,
    grid: int,
    mapped: bool = False,
    progress_bar: str | None = None,
) -> dict[str, pd.DataFrame]:
    """Train networks of several seeds, and tabulate their metric through training.

    Correlations are over the grid's points. As a null, the network's boundary is turned about the
    origin by random angles, which leaves its radii as they are; these correlations are averaged.

    Parameters
    ----------
    task : PlaneTask
    variant : Variant
        What learns it.
    seeds : int
    moments : sequence of int
        Epochs that are looked at, the first one 0.
    learning_rate, momentum : float
    grid : int
        Points per side.
    mapped : bool
        Whether the first seed's volume element and scalar curvature are tabulated point by point.
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.

    Returns
    -------
    dict of DataFrame
        ``plane_trainings``, one row per seed and moment; ``plane_magnification``, one row per seed,
        moment and boundary; ``plane_maps``, one row per moment and point, empty unless ``mapped``.
    """
    labels = task.labels
    if variant.random_labels:
        labels = np.stack([task.random_labels(seed) for seed in range(seeds)])
    places = square(task.extent, grid)
    true = plane_boundary(task.labels_of, places.axis, places.axis)
    found: dict[str, list] = {"plane_trainings": [], "plane_magnification": [], "plane_maps": []}
    initial: dict[int, _Measured] = {}
    for moment in train_stacked(
        task.x, labels, variant.widths, variant.activation, range(seeds), moments=moments,
        learning_rate=learning_rate, momentum=momentum, weight_decay=variant.weight_decay,
        parametrisation=variant.parametrisation, progress_bar=progress_bar,
    ):  # fmt: skip
        for seed, network in enumerate(moment.networks):
            about = variant.about | {"seed": seed, "epoch": moment.epoch}
            now = _measure(network, places)
            first = initial.setdefault(seed, now)
            margin = margins(network)
            training = about | {
                "loss": moment.loss[seed],
                "train_accuracy": moment.accuracy[seed],
                "accuracy": np.mean((now.margin > 0) == task.labels_of(places.points)),
            }
            found["plane_trainings"].append(training | now.summary(places))
            own = plane_boundary(_positive(margin), places.axis, places.axis)
            boundaries = {"network": [own], "turned": _turned(own, seed), "true": [true]}
            for boundary, kinds in boundaries.items():
                rows = pd.DataFrame([_correlations(now, first, b, places) for b in kinds])
                row = about | {"boundary": boundary} | rows.mean().to_dict()
                found["plane_magnification"].append(row)
            if mapped and seed == 0:
                found["plane_maps"].append(_map(network, now, task, places).assign(**about))
    maps = found["plane_maps"]
    return {
        "plane_trainings": pd.DataFrame(found["plane_trainings"]),
        "plane_magnification": pd.DataFrame(found["plane_magnification"]),
        "plane_maps": pd.concat(maps) if maps else pd.DataFrame(),
    }


def magnification_means(table: pd.DataFrame) -> pd.DataFrame:
    """Means of all correlations over seeds, with bootstrap intervals.

    Parameters
    ----------
    table : DataFrame
        Columns ``task``, ``variant``, ``epoch``, ``boundary`` and ``seed``, and the correlations.

    Returns
    -------
    DataFrame
        One row per task, variant, epoch, boundary and statistic: ``mean``, ``low``, ``high``, and
        ``seeds``, the number of networks that have a boundary in the square.
    """
    rows = []
    keys = ["task", "variant", "varied", "epoch", "boundary"]
    for key, part in table.groupby(keys, sort=False):
        for statistic in (*STATISTICS, *EIGENVALUES):
            known = part[np.isfinite(part[statistic])]
            row = dict(zip(keys, key, strict=True)) | {"statistic": statistic, "seeds": len(known)}
            if len(known):
                values = known[statistic].to_numpy()
                mean = bootstrap_mean(values, known["seed"])
                row |= dict(zip(("mean", "low", "high"), mean, strict=True))
            rows.append(row)
    columns = [*keys, "statistic", "seeds", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


class _Measured(NamedTuple):
    """A network's metric on a grid."""

    log: np.ndarray
    rank: np.ndarray
    margin: np.ndarray
    spectrum: np.ndarray
    """(B', 2) eigenvalues at every fourth point."""

    def summary(self, places: Square) -> dict[str, Any]:
        """Its spectrum in numbers, and how volume goes with the radius."""
        whole = self.spectrum[:, -1] > 0
        condition = np.log10(self.spectrum[whole, 0] / self.spectrum[whole, -1])
        middle, most = np.quantile(condition, [0.5, 0.95]) if whole.any() else (np.nan, np.nan)
        kept = self.rank == 2
        enough = kept.sum() >= _LEAST
        return {
            "log_condition": middle,
            "log_condition_95": most,
            "first_eigenvalue": np.median(self.spectrum[:, 0]),
            "second_eigenvalue": np.median(self.spectrum[:, -1]),
            "singular": 1 - kept.mean(),
            "log_volume": self.log[kept].mean() if enough else np.nan,
            "radius_correlation": (
                float(magnification(self.log[kept], places.radius[kept]).volume)
                if enough
                else np.nan
            ),
        }


def _measure(network: nn.Module, places: Square) -> _Measured:
    features = layer_features(network, "features", (2,))
    volume = log_volume_element(features, places.points)
    spectrum = metric_spectrum(features, places.points[::_EVERY])
    return _Measured(volume.log, volume.rank, margins(network)(places.points), spectrum)


def _positive(margin: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda points: margin(points) > 0


def _turned(boundary: np.ndarray, seed: int) -> list[np.ndarray]:
    """A boundary turned about the origin by random angles."""
    angles = np.random.default_rng(seed).uniform(0, 2 * np.pi, _TURNS)
    c, s = np.cos(angles), np.sin(angles)
    return [boundary @ np.array([[a, b], [-b, a]]) for a, b in zip(c, s, strict=True)]


def _correlations(
    now: _Measured, first: _Measured, boundary: np.ndarray, places: Square
) -> dict[str, float]:
    """Correlations with the distance from a boundary, at points where the metric is not singular.

    They are NaN without a boundary.
    """
    nothing = dict.fromkeys((*STATISTICS, *EIGENVALUES), np.nan)
    kept = (now.rank == 2) & (first.rank == 2)
    if not len(boundary) or kept.sum() < _LEAST:
        return nothing
    distance = boundary_distance(places.points, boundary)
    found = magnification(now.log[kept], distance[kept], places.radius[kept], first.log[kept])
    row = {name: float(getattr(found, name)) for name in STATISTICS}
    few, near = now.spectrum[kept[::_EVERY]], distance[::_EVERY][kept[::_EVERY]]
    for k, name in enumerate(EIGENVALUES):
        values = few[:, k]
        row[name] = float(magnification(values, near).volume) if len(near) >= _LEAST else np.nan
    return row


def _map(network: nn.Module, now: _Measured, task: PlaneTask, places: Square) -> pd.DataFrame:
    """One row per point; the curvature of a network with kinks is left out."""
    smooth = not any(isinstance(module, nn.ReLU) for module in network.modules())
    features = layer_features(network, "features", (2,))
    return pd.DataFrame(
        {
            "x": places.points[:, 0],
            "y": places.points[:, 1],
            "log_volume": np.where(now.rank == 2, now.log, np.nan),
            "ricci": ricci_scalar(features, places.points) if smooth else np.nan,
            "margin": now.margin,
            "truth": task.truth(places.points),
        }
    )
