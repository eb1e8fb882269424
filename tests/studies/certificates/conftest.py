"""Tables of made-up certificates, as the steps leave them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.studies.certificates.certify import COLUMNS
from hyperribbon.studies.certificates.names import METHODS

NETWORKS = {"FC-600-1": 470_000, "FC-600-2": 830_000}
BOUNDS = {"baseline": 0.3, "analytic": 0.4, "fisher": 0.28, "hessian": 0.25, "fisher_prior": 0.2,
          "stiff": 0.35, "trained_prior": 0.1}  # fmt: skip


def made_tables(methods=tuple(METHODS), networks=tuple(NETWORKS), seeds=2):
    """Three tables; posteriors follow Eq. 4.3.4, so sloppy directions are the spread ones."""
    rows, scales, curves = [], [], []
    for network in networks:
        for seed in range(seeds):
            for method in methods:
                who = {
                    "configuration": f"{network}-Adam-0", "network": network,
                    "optimiser": "Adam", "augmentation": "none", "seed": seed, "method": method,
                }  # fmt: skip
                bound = BOUNDS[method] + 0.01 * seed + 1e-4 * len(method) * (seed - 0.5)
                rows.append(
                    who | {
                        "n_bounded": 55_000, "n_prior": 5_000, "classes": 2,
                        "parameters": NETWORKS[network],
                        "train_error": 0.0, "test_error": 0.015, "error": bound / 4,
                        "error_limit": bound / 3, "posterior_test_error": bound / 4, "kl": 5000.0,
                        "penalty": 20.0, "bound": bound, "non_vacuous": True, "epsilon": 100.0,
                        "squared_distance": 85.0, "effective_dimension": 2400, "stiff": 2400 + seed,
                        "elbow": 2000,
                        "strength": 6800.0, "sloppy_factor": 0.0004,
                        "correlation": -0.9 + 0.01 * (seed - 0.5),
                        "seconds": 10.0,
                    }
                )  # fmt: skip
                eigenvalues = np.exp(-np.arange(40) / 3)
                prior = np.full(40, 0.1)
                posterior = prior / np.sqrt(1 + eigenvalues * prior**2 * 2 * 54_999)
                scales.append(
                    pd.DataFrame({
                        "first": 10 * np.arange(40) ** 2 + 1, "last": 10 * np.arange(1, 41) ** 2,
                        "eigenvalue": eigenvalues, "prior_scale": prior,
                        "posterior_scale": posterior, "low": posterior / 2, "high": posterior * 2,
                    }).assign(**who)
                )  # fmt: skip
                if method != "analytic":
                    curve = {"epoch": range(1, 4), "objective": [1.0, 0.8, 0.7]}
                    curves.append(pd.DataFrame(curve).assign(surrogate_loss=0.1, kl=5000.0, **who))
    found = {
        "certificates": pd.DataFrame(rows),
        "posterior_scales": pd.concat(scales) if scales else pd.DataFrame(),
        "certificate_optimisation": pd.concat(curves) if curves else pd.DataFrame(),
    }
    return {name: table.reindex(columns=COLUMNS[name]) for name, table in found.items()}


@pytest.fixture
def made():
    return made_tables
