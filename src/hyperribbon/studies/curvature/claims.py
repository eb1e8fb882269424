"""Claims on the spectra of trained networks (thesis 4; Cowlagi & Chaudhari).

Where the dissertation calls slopes the same or different, "the same" means within a factor of 2;
where it calls an overlap strong, at least half of both spaces is required. With several networks,
the measured value is their median, at the end of training unless stated otherwise; networks are
drawn for its interval. Thresholds are the source's or ours, without margin.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import (
    ALIKE,
    AT_LEAST,
    AT_MOST,
    AT_MOST_TWICE,
    POSITIVE,
    outside,
)
from hyperribbon.reporting.statistics import Tables, exactly, weighted_median, with_interval

UNLIKE = outside(0.5, 2)
STRONG = 0.5
PERCEPTRONS = ("mnist", "mnist5k")


def of_networks(values: pd.Series, needs: str, *, note: str = "", scale: str = "") -> Ours:
    """Median of one value per network, with networks drawn for its interval."""
    values = values[np.isfinite(values)]
    if values.empty:
        raise NotHere(f"needs {needs}")
    found = values.rename("value").rename_axis("network").reset_index()
    spread = f"{values.min():.3g} to {values.max():.3g}" if len(values) > 1 else ""
    ours = with_interval(
        lambda w: weighted_median(found["value"], w),
        found,
        "; ".join(filter(None, (spread, note))),
        unit="network",
        scale=scale,
    )
    networks = "network" if len(values) == 1 else "networks"
    return ours._replace(sample=f"{len(values)} {networks}")


def decay(tables: Tables, matrix: str, moment: str = "end") -> pd.Series:
    """Decay of the sloppy eigenvalues per index, by configuration; mean over layers or classes."""
    found = tables["sloppiness"]
    found = found[(found["matrix"] == matrix) & (found["moment"] == moment)]
    return -found.groupby("configuration")["slope"].mean()


def decay_of_inputs(matrix: str) -> Callable[[Tables], Ours]:
    """Decay of a matrix's sloppy eigenvalues, divided by that of the inputs."""

    def measure(tables: Tables) -> Ours:
        ratio = decay(tables, matrix) / decay(tables, "input")
        return of_networks(ratio, "sloppy ranges with slopes", scale="ratio")

    return measure


def parts_differ(matrix: str) -> Callable[[Tables], Ours]:
    """Fastest decay among layers or classes, divided by the slowest."""

    def measure(tables: Tables) -> Ours:
        found = tables["sloppiness"]
        found = found[(found["matrix"] == matrix) & (found["moment"] == "end")]
        slopes = found.groupby("configuration")["slope"]
        several = slopes.count() > 1
        ratio = (slopes.min() / slopes.max())[several]
        return of_networks(ratio, "two layers or classes", scale="ratio")

    return measure


def stiff_share(tables: Tables) -> Ours:
    """Stiff eigenvalues of the Fisher matrix, as a share of the nonzero ones."""
    found = tables["sloppiness"]
    found = found[(found["matrix"] == "fisher") & (found["moment"] == "end")]
    found = found.dropna(subset="elbow").set_index("configuration")
    return of_networks(found["elbow"] / found["eigenvalues"], "complete Fisher spectra")


def during_training(tables: Tables) -> Ours:
    """Decay of the Fisher matrix's sloppy eigenvalues at initialisation, divided by the end."""
    ratio = decay(tables, "fisher", "initialisation") / decay(tables, "fisher")
    needs = "complete Fisher spectra at initialisation and end"
    return of_networks(ratio, needs, scale="ratio")


def least_growth_of_trace(tables: Tables) -> Ours:
    """Least relative change of the Fisher matrix's trace from one moment to the next."""
    found = tables["sloppiness"]
    found = found[found["matrix"] == "fisher"].dropna(subset="trace").sort_values("epoch")
    changes = found.groupby("configuration")["trace"].agg(lambda t: (t / t.shift() - 1).min())
    return of_networks(changes, "traces at two moments")


def overlap(spaces: str, *, over_random: bool = False) -> Callable[[Tables], Ours]:
    """Overlap of two spaces spanned by all leading eigenvectors that are known."""

    def measure(tables: Tables) -> Ours:
        found = tables["eigenspace_overlaps"]
        found = found[(found["spaces"] == spaces) & (found["moment"] == "end")]
        last = found.loc[found.groupby("configuration")["k"].idxmax()].set_index("configuration")
        values = last["overlap"] / last["random"] if over_random else last["overlap"]
        return of_networks(values, "eigenvectors", note=f"{last['k'].max()} eigenvectors")

    return measure


def effective_dimension(tables: Tables) -> Ours:
    """Effective dimension, as a share of the weights."""
    found = tables["effective_dimension"]
    found = found[found["moment"] == "end"].set_index("configuration")
    return of_networks(found["effective_dimension"] / found["parameters"], "trained networks")


def lost_with(share: float) -> Callable[[Tables], Ours]:
    """Accuracy lost by keeping that share of the directions, or fewer if fewer are nonzero."""

    def measure(tables: Tables) -> Ours:
        found = tables["reduction"]
        by_network = found.groupby("configuration")
        at_most = (share * by_network["kept"].transform("last")).round()  # all weights are last
        some = found[found["kept"] <= at_most].groupby("configuration")["test_error"].last()
        lost = some - by_network["test_error"].last()
        return of_networks(lost, "complete Fisher spectra")

    return measure


def nearest_bound(tables: Tables) -> Ours:
    """Largest ratio of a measured value to its bound."""
    found = tables["norm_bounds"]
    if found.empty:
        raise NotHere("needs networks of linear layers without biases, and few samples")
    row = found.loc[found["ratio"].idxmax()]
    return exactly(row["ratio"], f"nearest is {row['statement']}", f"{len(found)} values")


def _by_fraction(tables: Tables, column: str) -> Ours:
    """A property of the empirical Fisher matrix with most random labels, less without any.

    By a straight line through the values of all networks, with networks drawn.
    """
    found = tables["sloppiness"]
    found = found[(found["matrix"] == "empirical_fisher") & (found["moment"] == "end")]
    random = found["augmentation"].str.fullmatch(r"random-\d+")
    numbers = found["augmentation"].where(random, "0").str.extract(r"(\d+)$")[0].astype(float)
    found = found.assign(number=numbers).dropna(subset=column).reset_index(drop=True)
    if not random.any() or found["number"].nunique() < 2:
        raise NotHere("needs random labels in fractions, as in config/random_labels.yaml")
    ends = found.groupby("number")[column].mean()
    x, y = found["number"], found[column]

    def rise(w: np.ndarray) -> float:
        covariance = np.cov(x, y, aweights=w, bias=True)
        if covariance[0, 0] == 0:
            return np.nan
        return float((x.max() - x.min()) * covariance[0, 1] / covariance[0, 0])

    rising = (np.diff(ends) > 0).sum()
    note = f"{ends.iloc[-1]:.3g} and {ends.iloc[0]:.3g}; rises at {rising} of {len(ends) - 1} steps"
    ours = with_interval(rise, found, note, unit="network", by=["configuration"])
    return ours._replace(sample=f"{found['configuration'].nunique()} networks")


def random_labels(column: str) -> Callable[[Tables], Ours]:
    """How the empirical Fisher matrix changes with the fraction of random labels."""
    return lambda tables: _by_fraction(tables, column)


CLAIMS = [
    Claim(
        "Fewer than 5% of the Fisher matrix's eigenvalues are stiff",
        "Cowlagi & Chaudhari, Fig. 2",
        AT_MOST,
        stiff_share,
        0.05,
    ),
    *(
        Claim(
            f"{words} decay like those of the inputs (ratio of decays per index)",
            "Fig. 4.4",
            ALIKE,
            decay_of_inputs(matrix),
        )
        for matrix, words in (
            ("activations", "Eigenvalues of activations"),
            ("gradients", "Eigenvalues of activation gradients"),
            ("jacobian_summed", "Eigenvalues of the logits' Jacobian"),
        )
    ),
    Claim(
        "Eigenvalues of the Fisher matrix do not decay like those of the inputs, on MNIST (ratio "
        "of decays per index)",
        "Fig. 4.4",
        UNLIKE,
        decay_of_inputs("fisher"),
        data=PERCEPTRONS,
    ),
    *(
        Claim(
            f"Spectra are similar, {words} (fastest decay over the slowest)",
            figure,
            AT_MOST_TWICE,
            parts_differ(matrix),
        )
        for matrix, words, figure in (
            ("jacobian", "Jacobians of all logits", "Fig. 4.5"),
            ("activations", "activations of all layers", "Fig. 4.6"),
            ("gradients", "activation gradients of all layers", "Fig. 4.7"),
        )
    ),
    Claim(
        "The Fisher matrix's spectrum is similar throughout training (decay at initialisation over "
        "the end)",
        "Fig. 4.10",
        ALIKE,
        during_training,
    ),
    Claim(
        "The Fisher matrix's trace increases during training (least relative change between two "
        "moments)",
        "Cowlagi & Chaudhari, Fig. 2",
        POSITIVE,
        least_growth_of_trace,
    ),
    Claim(
        "Stiff eigenvectors of Fisher matrix and Hessian overlap strongly",
        "Fig. 4.3",
        AT_LEAST,
        overlap("Fisher and Hessian"),
        STRONG,
    ),
    Claim(
        "Stiff eigenvectors of Fisher matrix and Hessian overlap much more than random ones (at "
        "least ten times)",
        "Fig. 4.3",
        AT_LEAST,
        overlap("Fisher and Hessian", over_random=True),
        10.0,
    ),
    *(
        Claim(
            f"Stiff eigenvectors of the {name} at the end overlap strongly with those at "
            "initialisation",
            "section 4.6",
            AT_LEAST,
            overlap(f"{short}, with the initial one"),
            STRONG,
        )
        for name, short in (("Fisher matrix", "Fisher"), ("Hessian", "Hessian"))
    ),
    Claim(
        "The effective dimension is a small fraction of the number of weights (at most 1%)",
        "section 4.4",
        AT_MOST,
        effective_dimension,
        0.01,
    ),
    Claim(
        "Bounds from the norms of the weights hold (largest ratio of a value to its bound)",
        "Theorem 4.3.1, Lemmas 4.3.2, 4.7.2, 4.7.3, Corollary 4.7.7",
        AT_MOST,
        nearest_bound,
        1.0,
    ),
    Claim(
        "5% of the directions keep the accuracy to within 2 points (accuracy lost on test)",
        "Cowlagi & Chaudhari, Fig. 3",
        AT_MOST,
        lost_with(0.05),
        0.02,
    ),
    Claim(
        "With more random labels the largest eigenvalue of the empirical Fisher matrix is larger "
        "(most less fewest, by a straight line)",
        "Fig. 4.11",
        POSITIVE,
        random_labels("largest"),
    ),
    Claim(
        "With more random labels its eigenvalues decay more slowly (slope per index, most less "
        "fewest, by a straight line)",
        "Fig. 4.11",
        POSITIVE,
        random_labels("slope"),
    ),
]
