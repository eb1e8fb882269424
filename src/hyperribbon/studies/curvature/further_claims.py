"""Further claims on spectra (thesis 4.1, 4.7.4; Cowlagi & Chaudhari).

As in `claims`: networks are drawn, "the same" is within a factor of 2, thresholds have no margin.
Sloppy eigenvalues count as evenly spaced on a logarithmic scale if a line through the logarithms
has R^2 of at least 0.9, and as spread over an exponentially large range if it falls by at least
three orders of magnitude, as in Fig. 4.1. Rules were written before any study was judged by them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import (
    ALIKE,
    AT_LEAST,
    AT_MOST,
    AT_MOST_TWICE,
    NEGATIVE,
    POSITIVE,
    about,
    between,
    outside,
)
from hyperribbon.reporting.statistics import Tables, with_interval
from hyperribbon.studies.curvature.claims import PERCEPTRONS, decay, decay_of_inputs, of_networks

CIFAR10 = ("cifar10",)
MATRICES = {
    "input": "the inputs", "activations": "activations", "jacobian_summed": "the logits' Jacobian",
    "fisher": "the Fisher matrix",
}  # fmt: skip
START, END = "initialisation", "end"


def _rows(tables: Tables, matrix: str, moment: str = END) -> pd.DataFrame:
    found = tables["sloppiness"]
    return found[(found["matrix"] == matrix) & (found["moment"] == moment)]


def _value(tables: Tables, matrix: str, column: str, moment: str = END) -> pd.Series:
    """A column of the spectra of a matrix by configuration; mean over layers or classes."""
    return _rows(tables, matrix, moment).groupby("configuration")[column].mean()


def decay_of_activations(tables: Tables) -> Ours:
    """Decay of the Fisher matrix's sloppy eigenvalues, divided by that of the activations."""
    ratio = decay(tables, "fisher") / decay(tables, "activations")
    return of_networks(ratio, "sloppy ranges with slopes", scale="ratio")


def evenly_spaced(matrix: str) -> Callable[[Tables], Ours]:
    """R^2 of the line through the logarithms of a matrix's sloppy eigenvalues."""
    return lambda tables: of_networks(
        _value(tables, matrix, "r_squared"), "sloppy ranges with slopes"
    )


def orders(matrix: str) -> Callable[[Tables], Ours]:
    """Orders of magnitude by which that line falls."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, matrix)
        falls = -found["slope"] * (found["last"] - found["first"]) / np.log(10)
        means = falls.groupby(found["configuration"]).mean()
        return of_networks(means, "sloppy ranges with slopes")

    return measure


def stiff_share_of_inputs(tables: Tables) -> Ours:
    """Stiff eigenvalues of the inputs' correlations, as a share of the nonzero ones."""
    found = _rows(tables, "input").dropna(subset="elbow").set_index("configuration")
    return of_networks(found["elbow"] / found["eigenvalues"], "spectra of inputs")


def _spectrum(tables: Tables, matrix: str, moment: str = END) -> pd.DataFrame:
    """Eigenvalues of a matrix without parts: one column per configuration, by index."""
    found = tables["spectra"]
    found = found[(found["matrix"] == matrix) & (found["moment"] == moment)]
    return found.pivot_table(index="index", columns="configuration", values="eigenvalue")


def stiff_part_of_trace(matrix: str) -> Callable[[Tables], Ours]:
    """Sum of the stiff eigenvalues, as a share of the trace."""

    def measure(tables: Tables) -> Ours:
        about_, values = _rows(tables, matrix).set_index("configuration"), _spectrum(tables, matrix)
        found = {}
        for name, elbow in about_["elbow"].dropna().items():
            stiff = values[name].loc[: int(elbow)].dropna()
            if len(stiff) == int(elbow):  # the table keeps the first 200 without gaps
                found[name] = stiff.sum() / about_.loc[name, "trace"]
        return of_networks(pd.Series(found, dtype=float), "complete spectra with few stiff ones")

    return measure


def ratio_of_leading(first: str, second: str) -> Callable[[Tables], Ours]:
    """Median over leading eigenvalues of one matrix over those of another, by magnitude."""

    def measure(tables: Tables) -> Ours:
        a, b = (_spectrum(tables, matrix).abs() for matrix in (first, second))
        median = (a / b).median() if len(a) and len(b) else pd.Series(dtype=float)
        return of_networks(median, f"spectra of both ({first} and {second})", scale="ratio")

    return measure


def ratio_of(column: str, first: str, second: str) -> Callable[[Tables], Ours]:
    """A column for one matrix over that for another."""

    def measure(tables: Tables) -> Ours:
        ratio = _value(tables, first, column) / _value(tables, second, column)
        return of_networks(ratio, f"both spectra ({first} and {second})", scale="ratio")

    return measure


def shrinks_with_layers(tables: Tables) -> Ours:
    """Rank correlation of a layer's number with the largest eigenvalue of its gradients."""
    found = _rows(tables, "gradients").groupby("configuration", sort=False)["largest"]
    ranks = found.agg(lambda x: spearmanr(range(len(x)), x)[0] if len(x) > 1 else np.nan)
    return of_networks(ranks, "two layers")


def networks_differ(matrix: str) -> Callable[[Tables], Ours]:
    """Fastest decay among networks on the same data, divided by the slowest."""

    def measure(tables: Tables) -> Ours:
        plain = tables["sloppiness"]
        plain = plain[~plain["augmentation"].str.fullmatch(r"random-\d+")]
        rates = decay({"sloppiness": plain}, matrix).dropna()
        if len(rates) < 2:
            raise NotHere("needs two networks with slopes on the same data")
        rows = rates.rename("rate").rename_axis("network").reset_index()

        def ratio(weights: np.ndarray) -> float:
            drawn = rows.loc[weights > 0, "rate"]
            return float(drawn.max() / drawn.min())

        note = f"{rates.idxmax()} over {rates.idxmin()}"
        ours = with_interval(ratio, rows, note, unit="network", scale="ratio")
        return ours._replace(sample=f"{len(rows)} networks")

    return measure


def growth(index: str) -> Callable[[Tables], Ours]:
    """Largest eigenvalue of the Fisher matrix at the end over that at initialisation."""

    def measure(tables: Tables) -> Ours:
        ratio = _value(tables, "fisher", "largest") / _value(tables, "fisher", "largest", START)
        needs = "Fisher spectra at initialisation and end"
        if index == "orders":
            return of_networks(np.log10(ratio), needs)
        return of_networks(ratio, needs, scale="ratio")

    return measure


def sloppy_grow_more(tables: Tables) -> Ours:
    """Growth of the median sloppy eigenvalue of the Fisher matrix less that of the largest.

    In orders of magnitude, from initialisation to the end, among indices that both spectra keep.
    """
    ends = [np.log10(_spectrum(tables, "fisher", m).clip(lower=1e-300)) for m in (START, END)]
    elbows = _value(tables, "fisher", "elbow").dropna()
    found = {}
    for name, elbow in elbows.items():
        if all(name in end for end in ends):
            change = (ends[1][name] - ends[0][name]).dropna()
            sloppy = change[change.index > elbow]
            if len(sloppy) and 1 in change.index:
                found[name] = sloppy.median() - change[1]
    return of_networks(
        pd.Series(found, dtype=float), "complete Fisher spectra at initialisation and end"
    )


def hessian_keeps_shape(tables: Tables) -> Ours:
    """Tenth eigenvalue of the Hessian over the first, at the end over initialisation."""
    shapes = []
    for moment in (START, END):
        values = _spectrum(tables, "hessian", moment).abs()
        if not {1, 10} <= set(values.index):
            raise NotHere("needs ten eigenvalues of the Hessian at initialisation and end")
        shapes.append(values.loc[10] / values.loc[1])
    return of_networks(shapes[1] / shapes[0], "Hessians at both moments", scale="ratio")


def orders_without_random_labels(tables: Tables) -> Ours:
    """Orders of magnitude by which some random labels raise the largest eigenvalue.

    Of the empirical Fisher matrix, with the fewest random labels that there are.
    """
    found = _rows(tables, "empirical_fisher")
    fraction = found["augmentation"].str.extract(r"^random-(\d+)$")[0].astype(float)
    if fraction.isna().all() or fraction.notna().all():
        raise NotHere("needs random labels in fractions, as in config/random_labels.yaml")
    least = found.loc[fraction == fraction.min()].set_index("network")["largest"]
    plain = found.loc[fraction.isna()].set_index("network")["largest"]
    return of_networks(np.log10(least / plain), "networks with and without random labels")


def error_with(share: float) -> Callable[[Tables], Ours]:
    """Test error of networks reduced to a share of the directions."""

    def measure(tables: Tables) -> Ours:
        found = tables["reduction"]
        whole = found.groupby("configuration")["kept"].transform("last")
        some = found[found["kept"] <= (share * whole).round()]
        errors = some.groupby("configuration")["test_error"].last()
        return of_networks(errors, "complete Fisher spectra")

    return measure


def nearer_to_a_line(tables: Tables) -> Ours:
    """Variance of samples along the first coordinate: share with 1% of the directions less 5%."""
    found = tables["reduction_embedding"]
    shares = {}
    for name, rows in found.groupby("configuration"):
        kept = {share: rows[rows["fraction"] <= share] for share in (0.01, 0.05)}
        if kept[0.01].empty or kept[0.05]["kept"].max() == kept[0.01]["kept"].max():
            continue
        parts = []
        for part in kept.values():
            last = part[part["kept"] == part["kept"].max()][["pc1", "pc2", "pc3"]]
            variance = last.var()
            parts.append(variance["pc1"] / variance.sum())
        shares[name] = parts[0] - parts[1]
    return of_networks(pd.Series(shares, dtype=float), "networks reduced to 1% and to 5%")


COWLAGI = "Cowlagi & Chaudhari"
CLAIMS = [
    *(
        Claim(
            f"Sloppy eigenvalues of {words} are evenly spaced on a logarithmic scale (R^2 of a "
            "line)",
            "section 4.1, Fig. 4.1",
            between(0.9, 1),
            evenly_spaced(matrix),
        )
        for matrix, words in MATRICES.items()
    ),
    *(
        Claim(
            f"Sloppy eigenvalues of {words} spread over an exponentially large range (orders of "
            "magnitude, at least three)",
            "section 4.1, Fig. 4.1",
            AT_LEAST,
            orders(matrix),
            3,
        )
        for matrix, words in MATRICES.items()
    ),
    Claim(
        "Eigenvalues of the Fisher matrix decay like those of the inputs, on CIFAR-10 (ratio of "
        "decays per index)",
        "Fig. 4.1",
        ALIKE,
        decay_of_inputs("fisher"),
        data=CIFAR10,
    ),
    Claim(
        "Eigenvalues of the Fisher matrix decay like those of the activations, on CIFAR-10 (ratio "
        "of decays per index)",
        "Remark 4.7.6, Fig. 4.1",
        ALIKE,
        decay_of_activations,
        data=CIFAR10,
    ),
    Claim(
        "Eigenvalues of the Hessian decay like those of the inputs (ratio of decays per index, "
        "complete spectra)",
        "Fig. 4.4",
        ALIKE,
        decay_of_inputs("hessian"),
    ),
    Claim(
        "KFAC approximates the Hessian's leading eigenvalues (median ratio)",
        "Fig. 4.3",
        ALIKE,
        ratio_of_leading("kfac", "hessian"),
    ),
    Claim(
        "Fisher matrix and Hessian have different eigenvalues, on MNIST (ratio of the largest)",
        "Fig. 4.3, section 4.7.4.1",
        outside(0.5, 2),
        ratio_of("largest", "fisher", "hessian"),
        data=PERCEPTRONS,
    ),
    Claim(
        "The trace of the Fisher matrix is much smaller than that of the logits' Jacobian (ratio, "
        "at most a tenth)",
        "Remark 4.7.5",
        AT_MOST,
        ratio_of("trace", "fisher", "jacobian_all"),
        0.1,
    ),
    Claim(
        "The empirical Fisher matrix has the eigenvalues of the Fisher matrix, on MNIST (median "
        "ratio)",
        "Fig. 4.4",
        ALIKE,
        ratio_of_leading("empirical_fisher", "fisher"),
        data=PERCEPTRONS,
    ),
    Claim(
        "Eigenvalues of activation gradients get smaller in higher layers (rank correlation of "
        "layer and largest)",
        "Fig. 4.7",
        NEGATIVE,
        shrinks_with_layers,
    ),
    *(
        Claim(
            f"Eigenvalues of {words} decay alike in networks of different architectures (fastest "
            "over slowest)",
            "section 4.7.4.1, Figs. 4.8, 4.9",
            AT_MOST_TWICE,
            networks_differ(matrix),
        )
        for matrix, words in MATRICES.items()
        if matrix != "input"
    ),
    Claim(
        "At initialisation the Fisher matrix's eigenvalues are 1,000 times smaller than at the "
        "end, on CIFAR-10 (orders of magnitude)",
        "Fig. 4.10",
        about(1),
        growth("orders"),
        3,
        CIFAR10,
    ),
    Claim(
        "The Hessian's leading spectrum is similar throughout training (tenth eigenvalue over the "
        "first, end over initialisation)",
        "Fig. 4.10",
        ALIKE,
        hessian_keeps_shape,
    ),
    Claim(
        "Without random labels the empirical Fisher matrix is 10^7 times smaller, on MNIST (orders "
        "of magnitude to the fewest random labels)",
        "Fig. 4.11",
        about(1),
        orders_without_random_labels,
        7,
        PERCEPTRONS,
    ),
    Claim(
        "Fewer than 5% of the inputs' eigenvalues are stiff",
        f"{COWLAGI}, introduction",
        AT_MOST,
        stiff_share_of_inputs,
        0.05,
    ),
    *(
        Claim(
            f"Stiff eigenvalues of {words} hold the bulk of the trace (share, at least half)",
            f"{COWLAGI}, introduction",
            AT_LEAST,
            stiff_part_of_trace(matrix),
            0.5,
        )
        for matrix, words in (("input", "the inputs"), ("fisher", "the Fisher matrix"))
    ),
    Claim(
        "Sloppy eigenvalues of the Fisher matrix grow during training more than the largest "
        "(orders of magnitude, difference)",
        f"{COWLAGI}, Fig. 2",
        POSITIVE,
        sloppy_grow_more,
    ),
    Claim(
        "Stiff eigenvalues of the Fisher matrix are essentially unchanged (largest at the end over "
        "initialisation)",
        f"{COWLAGI}, Fig. 2",
        ALIKE,
        growth("ratio"),
    ),
    Claim(
        "1% of the directions predict poorly (test error, at least a half)",
        f"{COWLAGI}, Fig. 3a",
        AT_LEAST,
        error_with(0.01),
        0.5,
    ),
    Claim(
        "With 1% of the directions, predictions are nearer to a line than with 5% (variance along "
        "the first coordinate, difference of shares)",
        f"{COWLAGI}, Fig. 3",
        POSITIVE,
        nearer_to_a_line,
    ),
]
