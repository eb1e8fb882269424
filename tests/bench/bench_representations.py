"""Geometry of representations against plain automatic differentiation, one point after the other.

    make bench

The plain way takes the Jacobian of each point by `torch.autograd.functional.jacobian`, and the
curvature from Christoffel symbols, whose derivatives are nested Jacobians. Both ways run here, on
a sample of the points; times per point are compared. Exits with 1 if one falls short.
"""

import sys

import numpy as np
import torch
from measuring import FAILED, best_of, report
from torch.autograd.functional import jacobian

from hyperribbon.representations.features import layer_features
from hyperribbon.representations.metric import log_volume_element
from hyperribbon.representations.riemann import ricci_scalar


def plain_log_volumes(features, x):
    """Half the log determinant of J^T J / n of each point."""
    found = []
    for point in x:
        J = jacobian(lambda p: features(p[None])[0], point)
        found.append(torch.linalg.slogdet(J.T @ J / len(J))[1] / 2)
    return torch.stack(found).numpy()


def plain_ricci_scalars(features, x):
    """Ricci scalar of each point, from the metric and its derivatives."""

    def metric(p):
        J = jacobian(lambda q: features(q[None])[0], p, create_graph=True)
        return J.T @ J / len(J)

    def christoffel(p):
        dg = jacobian(metric, p, create_graph=True)  # g_ij,k
        lowered = (dg + dg.transpose(1, 2) - dg.permute(2, 1, 0)) / 2  # [i, j, k]
        return torch.linalg.inv(metric(p)) @ lowered.reshape(len(p), -1)

    found = []
    for p in x:
        d = len(p)
        G = christoffel(p).reshape(d, d, d)  # G^i_jk
        dG = jacobian(christoffel, p).reshape(d, d, d, d)  # G^i_jk,l
        ricci = torch.einsum("ijki->jk", dG) - torch.einsum("ijik->jk", dG)
        ricci = ricci + torch.einsum("iip,pjk->jk", G, G) - torch.einsum("ikp,pji->jk", G, G)
        found.append((torch.linalg.inv(metric(p)) * ricci).sum())
    return torch.stack(found).detach().numpy()


def compare(what, ours, plain, points, few, target):
    """Report times per point of both ways, their ratio, and their difference."""
    expected = plain(points[:few])
    difference = np.abs(ours(points[:few]) / expected - 1).max()
    slow = best_of(2, plain, points[:few]) / few
    fast = best_of(3, ours, points) / len(points)
    print(f"\n{what}, {torch.get_num_threads()} threads")
    report("plain, per point", f"{1e3 * slow:.2f} ms")
    report(f"ours, per point, of {len(points):,}", f"{1e3 * fast:.3f} ms")
    report("times as fast", f"{slow / fast:,.0f}", f"{target}", slow > target * fast)
    report("largest relative difference", f"{difference:.1e}", "1e-7", difference < 1e-7)


def main() -> None:
    torch.manual_seed(0)
    wide = torch.nn.Sequential(
        torch.nn.Linear(784, 2000), torch.nn.Sigmoid(), torch.nn.Linear(2000, 10)
    )
    features = layer_features(wide, "1")
    compare(
        "Log volume element, 784-2000-10",
        lambda x: log_volume_element(features, x).log,
        lambda x: plain_log_volumes(features, x),
        torch.randn(200, 784, dtype=torch.float64),
        4,
        20,
    )
    narrow = torch.nn.Sequential(torch.nn.Linear(2, 250), torch.nn.Sigmoid())
    shallow = layer_features(narrow, "1")
    axis = torch.linspace(-1.5, 1.5, 100, dtype=torch.float64)
    compare(
        "Ricci scalar on a grid of 100 x 100, width 250",
        lambda x: ricci_scalar(shallow, x),
        lambda x: plain_ricci_scalars(shallow, x),
        torch.cartesian_prod(axis, axis),
        20,
        50,
    )
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
