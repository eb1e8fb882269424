"""How far finite networks with random weights are from the spherical symmetry of infinite ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import linregress

from hyperribbon.bars import step_bar
from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64
from hyperribbon.representations.activations import Elementwise
from hyperribbon.representations.infinite_width import InfiniteWidth
from hyperribbon.representations.one_layer import OneLayer


class Rate(NamedTuple):
    """Exponent of a power law of the width.

    Attributes
    ----------
    slope, error : least-squares slope of the logarithm against ln n, and its standard error
    """

    slope: float
    error: float


class FiniteWidths(NamedTuple):
    """The geometry of random layers at W widths and K radii, from D draws of the weights.

    Means and standard deviations are over draws and directions; square deviations are relative to
    the square norm (Frobenius) of the infinite layer's metric.

    Attributes
    ----------
    widths, radii : (W,) and (K,), as given
    metric_deviation : (W, K), root mean square of g minus the metric of the infinite layer
    asymmetry : (W, K), root mean square of g minus the spherically symmetric metric that is closest
        to that draw's g in all directions
    volume_mean, volume_sd : (W, K), log volume element
    volume_limit : (K,), log volume element of the infinite layer
    scalar_mean, scalar_sd : (W, K), Ricci scalar
    scalar_limit : (K,), Ricci scalar of the infinite layer
    metric_rate, asymmetry_rate : Rate of the mean square over radii, -1 if it falls as 1 / n
    """

    widths: np.ndarray
    radii: np.ndarray
    metric_deviation: np.ndarray
    asymmetry: np.ndarray
    volume_mean: np.ndarray
    volume_sd: np.ndarray
    volume_limit: np.ndarray
    scalar_mean: np.ndarray
    scalar_sd: np.ndarray
    scalar_limit: np.ndarray
    metric_rate: Rate
    asymmetry_rate: Rate


def finite_widths(
    widths: Sequence[int],
    radii: np.ndarray,
    *,
    dimension: int = 2,
    activation: str | Elementwise = "erf",
    weight_variance: float = 1.0,
    bias_variance: float = 1.0,
    draws: int = 100,
    directions: int = 8,
    random_state: int = 0,
    progress_bar: str | None = None,
) -> FiniteWidths:
    """Draw layers of several widths at random and compare their geometry with the infinite limit.

    Every draw has its own directions, uniform on the sphere.

    Parameters
    ----------
    widths : W numbers of units, increasing, at least 3 of them, each above the dimension
    radii : (K,), distances ``|x|`` from the origin, above 0
    dimension : int, d, at least 2
    activation, weight_variance, bias_variance : as for `InfiniteWidth`
    draws : int, D, layers per width
    directions : int, points per layer and radius, at least 2
    random_state : int
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Raises
    ------
    DataError
        If an argument is not as above, or a layer's metric is singular.

    Examples
    --------
    >>> found = finite_widths([50, 200, 800], [1.0], draws=20)
    >>> found.metric_deviation.shape, -1.3 < found.metric_rate.slope < -0.7
    ((3, 1), True)
    """
    radii, sizes = as_float64(radii, "radii"), np.asarray(widths)
    _check(sizes, radii, dimension, draws, directions)
    limit = InfiniteWidth(activation, weight_variance=weight_variance, bias_variance=bias_variance)
    on_axis = radii[:, None] * np.eye(1, dimension)
    outward, tangential = limit.metric(on_axis)[:, 0, 0], limit.metric(on_axis)[:, 1, 1]
    size = outward**2 + (dimension - 1) * tangential**2
    rng = np.random.default_rng(random_state)
    rows = []
    with step_bar(len(sizes) * draws, progress_bar) as bar:
        for n in sizes:
            found = []
            for _ in range(draws):
                W = np.sqrt(weight_variance) * rng.standard_normal((n, dimension))
                layer = OneLayer(W, np.sqrt(bias_variance) * rng.standard_normal(n), activation)
                u = rng.standard_normal((len(radii), directions, dimension))
                u /= np.linalg.norm(u, axis=2, keepdims=True)
                found.append(_one_draw(layer, u, radii, outward, tangential))
                bar.update(1)
            rows.append(_summary(found, size))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    from_limit, asymmetry, volume_mean, volume_sd, scalar_mean, scalar_sd = columns
    return FiniteWidths(
        sizes,
        radii,
        from_limit,
        asymmetry,
        volume_mean,
        volume_sd,
        limit.log_volume(on_axis),
        scalar_mean,
        scalar_sd,
        limit.ricci_scalar(on_axis),
        _rate(sizes, from_limit),
        _rate(sizes, asymmetry),
    )


def _one_draw(
    layer: OneLayer, u: np.ndarray, radii: np.ndarray, outward: np.ndarray, tangential: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Square deviations from the limit and from symmetry, log volume, scalar: (K, directions)."""
    K, m, d = u.shape
    x = (radii[:, None, None] * u).reshape(-1, d)
    g = layer.metric(x).reshape(K, m, d, d)
    radial = u[..., :, None] * u[..., None, :]
    across = np.eye(d) - radial
    off = g - outward[:, None, None, None] * radial - tangential[:, None, None, None] * across
    # The projectors are orthogonal, so means of their coefficients are the closest metric.
    fit_outward = np.einsum("kmab,kmab->km", g, radial).mean(1)[:, None, None, None]
    fit_across = np.einsum("kmab,kmab->km", g, across).mean(1)[:, None, None, None] / (d - 1)
    uneven = g - fit_outward * radial - fit_across * across
    volume = np.linalg.slogdet(g)[1] / 2
    scalar = layer.ricci_scalar(x).reshape(K, m)
    return np.square(off).sum((2, 3)), np.square(uneven).sum((2, 3)), volume, scalar


def _summary(found: list[tuple[np.ndarray, ...]], size: np.ndarray) -> tuple[np.ndarray, ...]:
    """Columns of one width (K,)."""
    off, uneven, volume, scalar = (np.stack(values) for values in zip(*found, strict=True))
    both = (0, 2)  # draws and directions
    deviations = [np.sqrt(values.mean(both) / size) for values in (off, uneven)]
    return (*deviations, volume.mean(both), volume.std(both), scalar.mean(both), scalar.std(both))


def _rate(widths: np.ndarray, deviation: np.ndarray) -> Rate:
    fit = linregress(np.log(widths), np.log(np.square(deviation).mean(1)))
    return Rate(float(fit.slope), float(fit.stderr))


def _check(
    widths: np.ndarray, radii: np.ndarray, dimension: int, draws: int, directions: int
) -> None:
    if dimension < 2 or draws < 2 or directions < 2:
        raise DataError(
            f"dimension, draws, directions: {dimension}, {draws}, {directions}, expected at least "
            "2 of each"
        )
    increasing = widths.ndim == 1 and widths.dtype.kind in "iu" and (np.diff(widths) > 0).all()
    if not increasing or len(widths) < 3 or widths[0] <= dimension:
        raise DataError(
            f"widths: {widths.tolist()}, expected at least 3 increasing numbers of units, above "
            f"the dimension {dimension}"
        )
    if radii.ndim != 1 or not len(radii) or not ((radii > 0) & (radii < np.inf)).all():
        raise DataError(f"radii: {radii.tolist()}, expected a list of distances above 0")
