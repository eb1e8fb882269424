import numpy as np
import pytest
import torch

from hyperribbon.pairwise import METRICS, engine


@pytest.fixture
def with_torch(monkeypatch):
    """The engine takes torch's path, as on a GPU without Triton."""
    monkeypatch.setattr(engine, "_fast_kernel", lambda *_: None)


@pytest.fixture(params=["compiled", "torch"])
def path(request):
    """Each of the paths on the CPU in turn."""
    if request.param == "torch":
        request.getfixturevalue("with_torch")
    return request.param


@pytest.fixture(scope="session")
def brute_force():
    """Function computing (m, k) distances from the formulae, entry by entry in float64.

    A metric that is a function of p and q is its own formula: here without tiles or blocks.
    """

    def distances(P, Q, metric="bhattacharyya"):
        P, Q = (np.asarray(X, dtype=np.float64)[:, None, :, :] for X in (P, Q))
        P, Q = P / P.sum(-1, keepdims=True), (Q / Q.sum(-1, keepdims=True)).swapaxes(0, 1)
        roots_p, roots_q = np.sqrt(P), np.sqrt(Q)
        if metric == "geodesic":  # from the chord; arccos of 1 - 1e-16 is 1e-8
            chords = np.sqrt(((roots_p - roots_q) ** 2).sum(-1))
            return (2 * np.arcsin(chords / 2)).mean(-1)
        if metric == "euclidean":
            return ((P - Q) ** 2).sum(-1).mean(-1)
        if metric == "symmetric_kl":
            return ((P - Q) * np.log(P / Q)).sum(-1).mean(-1)
        if metric not in ("bhattacharyya", "hellinger"):
            function = METRICS[metric].kernel
            assert callable(function), f"metric = {metric!r}: no formula for it here"
            return function(torch.from_numpy(P), torch.from_numpy(Q)).numpy().mean(-1)
        logs = np.log((roots_p * roots_q).sum(-1))
        return -logs.mean(-1) if metric == "bhattacharyya" else 2 - 2 * np.exp(logs.sum(-1))

    return distances
