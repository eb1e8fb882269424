"""Rigid alignment of two embeddings (thesis 2.4, Kabsch-Umeyama)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy


class Alignment(NamedTuple):
    """One embedding moved onto another; see `align`."""

    aligned: np.ndarray
    """(m, d), A moved onto B: ``scale * A @ rotation + translation``."""
    rmsd: float
    """Root mean square over points of the Euclidean distance between A, once moved, and B."""
    rotation: np.ndarray
    """(d, d), orthogonal, zero between space-like and time-like coordinates."""
    translation: np.ndarray
    """(d,)"""
    scale: float
    """1 unless a scale was fitted."""


def align(A, B, signature, *, scale: bool = False) -> Alignment:
    r"""Move embedding A onto embedding B of the same points, keeping its distances.

    Minimises :math:`\sum_u \| s A_u R + t - B_u \|^2` over translations t and orthogonal
    transformations R (including reflections, because an axis has no direction) that mix
    space-like coordinates with one another, and time-like ones with one another. Unlike Lorentz
    boosts, these keep the sizes of coordinates as well as the Minkowski distances. With
    :math:`A_p^T B_p = U \Sigma V^T` for the centred coordinates of either kind, the solution is
    :math:`R_p = U V^T`.

    Parameters
    ----------
    A, B : (m, d) coordinates
    signature : (d,) +1 space-like, -1 time-like; the same for both
    scale : bool, also fit one factor s > 0 for all coordinates, which multiplies distances by s^2

    Returns
    -------
    Alignment
        ``aligned`` (m, d), ``rmsd`` in the units of B (Euclidean over all coordinates, so that
        time-like errors do not cancel), ``rotation``, ``translation`` and ``scale``

    Raises
    ------
    DataError
        If shapes differ, entries are not finite, or entries of the signature are not +1 or -1.

    References
    ----------
    Umeyama (1991), IEEE Trans. Pattern Anal. Mach. Intell. 13 (4), 376.

    Examples
    --------
    >>> B = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 2.0, 3.0], [1.0, 1.0, 2.0]])
    >>> A = B[:, [1, 0, 2]] * [1, -1, -1] + 5  # axes exchanged and reversed, moved
    >>> aligned, rmsd, *_ = align(A, B, [1, 1, -1])
    >>> bool(np.allclose(aligned, B)), round(rmsd, 9)
    (True, 0.0)
    """
    A, B = as_numpy(A, "A").astype(np.float64), as_numpy(B, "B").astype(np.float64)
    signature = as_numpy(signature, "signature")
    if A.ndim != 2 or A.shape != B.shape or 0 in A.shape:
        raise DataError(
            f"A, B: shapes {A.shape}, {B.shape}, expected (points, coordinates) in both"
        )
    if signature.shape != A.shape[1:] or not np.isin(signature, (-1, 1)).all():
        raise DataError(
            f"signature: {signature.tolist()}, expected +1 or -1 for each of {A.shape[1]} "
            "coordinates"
        )
    if not (np.isfinite(A).all() and np.isfinite(B).all()):
        raise DataError("A, B: entries that are NaN or infinite, expected finite entries")
    centre_a, centre_b = A.mean(axis=0), B.mean(axis=0)
    A_c, B_c = A - centre_a, B - centre_b
    rotation = np.zeros((A.shape[1],) * 2)
    overlap = 0.0
    for sign in (1, -1):
        part = np.flatnonzero(signature == sign)
        U, lengths, Vt = np.linalg.svd(A_c[:, part].T @ B_c[:, part])
        rotation[np.ix_(part, part)] = U @ Vt
        overlap += lengths.sum()
    size = (A_c**2).sum()
    factor = float(overlap / size) if scale and size > 0 else 1.0
    translation = centre_b - factor * centre_a @ rotation
    aligned = factor * A_c @ rotation + centre_b
    rmsd = float(np.sqrt(((aligned - B) ** 2).sum(axis=1).mean()))
    return Alignment(aligned, rmsd, rotation, translation, factor)


def align_like_signs(A, signature_A, B, signature_B) -> Alignment | None:
    """Align embeddings whose space-like and time-like dimensions are ordered differently.

    Returns
    -------
    Alignment in the order of B; None if the embeddings differ in their numbers of space-like or
    time-like dimensions

    Raises
    ------
    DataError
        As `align`.

    Examples
    --------
    >>> B = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> found = align_like_signs(B[:, ::-1], [-1, 1], B, [1, -1])
    >>> bool(np.allclose(found.aligned, B))
    True
    """
    signature_A, signature_B = np.asarray(signature_A), np.asarray(signature_B)
    if sorted(signature_A) != sorted(signature_B):
        return None
    order = np.empty(len(signature_B), dtype=int)
    order[np.argsort(-signature_B, kind="stable")] = np.argsort(-signature_A, kind="stable")
    return align(np.asarray(A)[:, order], B, signature_B)
