"""Curvature from nothing but a metric, by Christoffel symbols and automatic differentiation."""

import numpy as np
import torch
from torch.func import jacfwd


def riemann(metric, x):
    """Riemann tensor R_abcd (d, d, d, d) at x (d,) of a function (d,) -> (d, d) of tensors."""

    def christoffel(p):
        g, dg = metric(p), jacfwd(metric)(p)  # dg[a, b, c] = d_c g_ab
        lower = dg.permute(0, 2, 1) + dg - dg.permute(2, 0, 1)  # of indices d, b, c
        return torch.einsum("ad,dbc->abc", torch.linalg.inv(g), lower) / 2

    x = torch.as_tensor(x)
    gamma, slope = christoffel(x), jacfwd(christoffel)(x)  # slope[a, b, c, d] = d_d Gamma^a_bc
    products = torch.einsum("ace,edb->abcd", gamma, gamma)
    upper = slope.permute(0, 2, 3, 1) + products  # d_c Gamma^a_db + Gamma^a_ce Gamma^e_db
    return torch.einsum("ae,ebcd->abcd", metric(x), upper - upper.transpose(2, 3)).numpy()


def ricci(metric, x):
    inverse = np.linalg.inv(metric(torch.as_tensor(x)).numpy())
    return np.einsum("ac,abcd->bd", inverse, riemann(metric, x))


def scalar(metric, x):
    inverse = np.linalg.inv(metric(torch.as_tensor(x)).numpy())
    return np.einsum("bd,bd->", inverse, ricci(metric, x))
