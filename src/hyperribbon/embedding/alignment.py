"""Rigid alignment of two embeddings (thesis 2.4, Kabsch-Umeyama)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy


class Alignment(NamedTuple):
    """One embedding laid upon another; see `align`."""

    aligned: np.ndarray
    """(m, d), A moved onto B."""
    rmsd: float
    """What is left: root of the mean over points of the sum of squares over coordinates."""
    rotation: np.ndarray
    """(d, d), orthogonal, zero between space-like and time-like coordinates."""
    translation: np.ndarray
    """(d,); ``aligned`` is ``scale * A @ rotation + translation``."""
    scale: float
    """1 unless asked for."""


def align(A, B, signature, *, scale: bool = False) -> Alignment:
    r"""Lay embedding A upon embedding B of the same points, keeping its distances.

    Minimises :math:`\sum_u \| s A_u R + t - B_u \|^2` over translations t and transformations R
    that are orthogonal (reflections too: an axis has no direction) within the space-like and
    within the time-like coordinates, and mix none of one with the other. These, unlike Lorentz
    boosts, keep the coordinates' sizes as well as the Minkowski distances. With the centred parts
    :math:`A_p^T B_p = U \Sigma V^T`, :math:`R_p = U V^T`.

    Parameters
    ----------
    A, B : (m, d) coordinates
    signature : (d,) +1 space-like, -1 time-like; the same for both
    scale : bool, also fit one factor s > 0 for all coordinates; distances are then multiplied by
        its square

    Returns
    -------
    Alignment
        ``aligned`` (m, d), ``rmsd`` in the units of B (Euclidean over all coordinates, so that
        time-like errors count and do not cancel), and ``rotation``, ``translation``, ``scale``

    Raises
    ------
    DataError
        If shapes differ, entries are not finite, or the signature is not +1 and -1.

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
        raise DataError(f"A, B: shapes {A.shape}, {B.shape}, expected (points, coordinates) twice")
    if signature.shape != A.shape[1:] or not np.isin(signature, (-1, 1)).all():
        raise DataError(
            f"signature: {signature.tolist()}, expected +1 or -1 for each of {A.shape[1]} "
            "coordinates"
        )
    if not (np.isfinite(A).all() and np.isfinite(B).all()):
        raise DataError("A, B: entries that are NaN or infinity, expected finite ones")
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
    """As `align`, of embeddings whose dimensions are ordered each by its own eigenvalues.

    Returns
    -------
    Alignment, in the order of B; None if there are not as many space-like dimensions in both

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
