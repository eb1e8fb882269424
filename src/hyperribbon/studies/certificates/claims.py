"""Claims on PAC-Bayes certificates (thesis 4.3.3, 4.4, 4.6), and some of our own.

Rules were written before the study ran, but for that on `stiff`. The text gives
numbers for two networks on 55,000 images of MNIST with two labels, and none for Methods 2 to 4. A
difference between methods is taken training by training. Intervals are over trainings: each bound
is a number without error, but another training ends at other weights. The numbers of the text are
of one training each; they are compared with the mean of ours.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import largest_of, mean_over
from hyperribbon.reporting.rules import (
    ALIKE,
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    at_most,
    within_factor,
)
from hyperribbon.reporting.statistics import (
    TRAINING,
    Tables,
    exactly,
    sample_of,
)
from hyperribbon.studies.certificates.names import EIGENBASES, METHODS

OF_AN_ERROR = at_most(0.03)
CLOSE = within_factor(1.2)
MNIST = ("mnist",)
OWN = "our own question"
# Of FC-600-2: what the text prints (section 4.4.2).
PRINTED = {
    "p(n, epsilon)": (lambda row: row["stiff"], 2429),
    "strength s(n, epsilon)": (lambda row: row["strength"], 6810),
    "1 / c(n, epsilon)": (lambda row: 1 / row["sloppy_factor"], 2545),
    "epsilon |w - w0|^2": (lambda row: row["epsilon"] * row["squared_distance"], 8526),
}


def of_method(
    quantity: str | Callable[[pd.DataFrame], pd.Series],
    method: str,
    network: str = "",
    scale: str = "",
) -> Callable[[Tables], Ours]:
    """Mean of a quantity of the certificates by one method, for one network or for all."""

    def measure(tables: Tables) -> Ours:
        found = _of_method(tables, method)
        if network:
            found = found[found["network"] == network]
        if found.empty:
            of_network = f" of {network}" if network else ""
            raise NotHere(f"needs certificates{of_network} by method {method}")
        values = found[quantity] if isinstance(quantity, str) else quantity(found)
        return _mean(values, found, f"{found['n_bounded'].iloc[0]} samples", scale)

    return measure


def tighter(method: str, than: str) -> Callable[[Tables], Ours]:
    """How much larger the bound of another method is, on average over trainings."""

    def measure(tables: Tables) -> Ours:
        bounds = tables["certificates"].pivot_table(
            index=TRAINING, columns="method", values="bound"
        )
        if not {method, than} <= set(bounds):
            raise NotHere(f"needs the methods {method} and {than}")
        less = (bounds[than] - bounds[method]).dropna()
        tighter = (less > 0).sum()
        return _mean(less, less.reset_index(), f"tighter in {tighter} of {len(less)} trainings")

    return measure


def spread_of(*methods: str) -> Callable[[Tables], Ours]:
    """Mean rank correlation of the posterior's scales and eigenvalues, the largest of methods."""

    def measure(tables: Tables) -> Ours:
        found = tables["certificates"].dropna(subset="correlation")
        found = found[found["method"].isin(methods)]
        if found.empty:
            raise NotHere(f"needs one of the methods {', '.join(methods)}")
        return largest_of(
            {
                str(method): _mean(rows["correlation"], rows)
                for method, rows in found.groupby("method", sort=False)
            },
            digits=2,
        )

    return measure


def nearest_bound(tables: Tables) -> Ours:
    """Largest ratio of a test error of Q to its bound."""
    found = tables["certificates"]
    if found.empty:
        raise NotHere("needs a certificate")
    ratio = found["posterior_test_error"] / found["bound"]
    row = found.loc[ratio.idxmax()]
    note = f"of {len(found)}; nearest is {row['network']}, {METHODS[row['method']]}"
    ours = exactly(ratio.max(), note, sample_of(found))
    return ours._replace(drawn="exact: a theorem is checked on every certificate")


def _of_method(tables: Tables, method: str) -> pd.DataFrame:
    found = tables["certificates"]
    return found[found["method"] == method]


def _mean(values: pd.Series, rows: pd.DataFrame, note: str = "", scale: str = "") -> Ours:
    """Mean over trainings."""
    table = rows[TRAINING].assign(value=values.to_numpy(dtype=float))
    return mean_over(table, "value", note, unit="training", scale=scale)


CLAIMS = [
    Claim(
        "The analytic bound (Method 1) for one hidden layer of 600 units is 0.32 or less",
        "section 4.3.3",
        OF_AN_ERROR,
        of_method("bound", "analytic", "FC-600-1"),
        0.32,
        data=MNIST,
    ),
    Claim(
        "The test error of that bound's posterior is 0.089 or less",
        "section 4.3.3",
        OF_AN_ERROR,
        of_method("posterior_test_error", "analytic", "FC-600-1"),
        0.089,
        data=MNIST,
    ),
    Claim(
        "The optimised bound of the baseline for the same network is 0.161 or less",
        "section 4.3.3; Dziugaite & Roy (2017)",
        OF_AN_ERROR,
        of_method("bound", "baseline", "FC-600-1"),
        0.161,
        data=MNIST,
    ),
    Claim(
        "The analytic bound is not vacuous (mean, against guessing among two labels)",
        "section 4.3.3",
        AT_MOST,
        of_method("bound", "analytic"),
        0.5,
        data=MNIST,
    ),
    *(
        Claim(
            f"Of the analytic posterior for two hidden layers of 600 units, {name} is {published}",
            "section 4.4.2",
            CLOSE,
            of_method(quantity, "analytic", "FC-600-2", scale="ratio"),
            published,
            data=MNIST,
        )
        for name, (quantity, published) in PRINTED.items()
    ),
    *(
        Claim(
            "Optimising in an eigenbasis gives a tighter bound than the analytic one "
            f"({METHODS[m]}: mean difference)",
            "section 4.3.3",
            POSITIVE,
            tighter(m, "analytic"),
        )
        for m in EIGENBASES
    ),
    *(
        Claim(
            "Optimising in an eigenbasis gives a tighter bound than weight by weight "
            f"({METHODS[m]} and the baseline: mean difference)",
            "section 4.6",
            POSITIVE,
            tighter(m, "baseline"),
        )
        for m in EIGENBASES
    ),
    Claim(
        "A prior that is as sloppy as the Fisher matrix gives a tighter bound than an isotropic "
        "one (Methods 4 and 2: mean difference)",
        "section 4.6",
        POSITIVE,
        tighter("fisher_prior", "fisher"),
    ),
    Claim(
        "A prior around a network that was trained on the samples set aside gives a tighter bound "
        "than one around the initial weights (mean difference)",
        OWN,
        POSITIVE,
        tighter("trained_prior", "hessian"),
    ),
    Claim(
        "Stiff directions are enough: a posterior that differs from the prior only there has a "
        "bound that is not vacuous (mean, against guessing among two labels)",
        OWN,
        AT_MOST,
        of_method("bound", "stiff"),
        0.5,
    ),
    Claim(
        "The effective dimension is near the elbow of the spectrum (ratio, two hidden layers)",
        "Fig. 4.2",
        ALIKE,
        of_method(lambda row: row["stiff"] / row["elbow"], "analytic", "FC-600-2", "ratio"),
        data=MNIST,
    ),
    Claim(
        "Optimised posteriors are more spread out along sloppy eigenvectors (rank correlation of "
        "scale and eigenvalue, largest of the methods)",
        "Remark 4.3.5",
        NEGATIVE,
        spread_of(*EIGENBASES),
    ),
    Claim(
        "The posterior of the baseline is more spread out along weights with small curvature "
        "(rank correlation)",
        "section 4.6",
        NEGATIVE,
        spread_of("baseline"),
    ),
    Claim(
        "All bounds hold (largest ratio of a test error of Q to its bound)",
        "Theorem 4.7.1",
        AT_MOST,
        nearest_bound,
        1.0,
    ),
]
