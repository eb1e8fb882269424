"""Claims on the inversion of class manifolds (arXiv:2303.05161), and some of our own.

Rules on published statements were written before the study ran, with values of the text where it
gives some. Those on the linear classifier, and on as many of the misclassified of earlier epochs,
were written after a first look at MNIST.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from hyperribbon.numerics.bootstrap import bootstrap_interval
from hyperribbon.reporting.claims import (
    AT_LEAST,
    AT_MOST,
    POSITIVE,
    Claim,
    NotHere,
    Ours,
    Rule,
    about,
)
from hyperribbon.reporting.statistics import Tables

NAMES = {
    "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST", "cifar10": "CIFAR-10",
}  # fmt: skip
LOWEST, HIGHEST = 0.10, 0.13
PUBLISHED_SHARE = Rule(
    "ours, or a part of its interval, is from 0.10 to 0.13",
    lambda ours, value: (
        np.fmin(ours.value, ours.low) <= HIGHEST and np.fmax(ours.value, ours.high) >= LOWEST
    ),
)
PAPER = "arXiv:2303.05161"
OWN = "our own question"


def share_of(data: str) -> Callable[[Tables], Ours]:
    """Training error at the inversion of the usual runs on one data set."""

    def measure(tables: Tables) -> Ours:
        rows = _points(tables, "usual")
        if data not in set(rows["data"]):
            raise NotHere(f"needs {NAMES[data]}")
        rows = rows[(rows["data"] == data) & (rows["inverts"] == 1)]
        if rows.empty:
            raise NotHere(f"no run on {NAMES[data]} inverts")
        errors = rows["error"].to_numpy()
        low, high = bootstrap_interval(
            lambda w: np.average(errors, weights=w) if w.sum() else np.nan, rows["run"]
        )
        note = f"{len(rows)} runs, {errors.min():.3f} to {errors.max():.3f}"
        return Ours(errors.mean(), float(low), float(high), note)

    return measure


def spread_over_initialisations(tables: Tables) -> Ours:
    """Largest relative standard deviation of the error at t*, over data sets."""
    found = _inverting(_points(tables, "usual")).groupby("data")["error"].agg(["mean", "std"])
    return _largest(found["std"] / found["mean"], tables)


def difference_over(kind: str, condition: Callable[[pd.DataFrame], pd.Series] | None = None):
    """Largest relative difference of the mean error at t* from the usual runs'."""

    def measure(tables: Tables) -> Ours:
        usual = _inverting(_points(tables, "usual")).groupby("data")["error"].mean()
        rows = _points(tables, kind)
        if condition is not None:
            rows = rows[condition(rows)]
        if rows.empty:
            raise NotHere(f"needs trainings with another {kind}")
        means = rows.groupby(["data", "condition"])[["inverts", "error"]].mean()
        never = [" ".join(map(str, key)) for key in means.index[means["inverts"] == 0]]
        means = means.dropna(subset="error")
        apart = (
            means["error"] / usual.reindex(means.index.get_level_values("data")).to_numpy()
        ) - 1
        ours = _largest(apart.abs(), tables)
        if never:
            ours = ours._replace(note=f"{ours.note}; never inverts: {', '.join(never)}")
        return ours

    return measure


def _half(rows: pd.DataFrame) -> pd.Series:
    """Rows of the largest subsamples."""
    return rows["condition"].astype(int) == rows["condition"].astype(int).max()


def _smallest(rows: pd.DataFrame) -> pd.Series:
    """Rows of the smallest subsamples on which some runs of each data set invert."""
    sizes = rows["condition"].astype(int)
    inverting = rows.groupby([sizes, "data"])["inverts"].max().unstack().min(axis=1)
    if not (inverting > 0).any():
        raise NotHere("no subsample inverts on every data set")
    return sizes == inverting.index[inverting > 0].min()


def peak_of_conservation(tables: Tables) -> Ours:
    """Training error of the greatest z-score over that at t*; the data set farthest from 1."""
    ratios = {}
    for data, levels, at in _conserved(tables):
        ratios[data] = levels.loc[levels["z"].idxmax(), "error"] / at["error"]
    if not ratios:
        raise NotHere("needs two runs that invert")
    farthest = max(ratios, key=lambda name: abs(np.log(ratios[name])))
    note = ", ".join(f"{name} {value:.2f}" for name, value in ratios.items())
    return Ours(ratios[farthest], note=note)


def conservation_at_inversion(tables: Tables) -> Ours:
    """Least z-score of stragglers over the greatest at any training error."""
    shares = {data: at["z"] / levels["z"].max() for data, levels, at in _conserved(tables)}
    if not shares:
        raise NotHere("needs two runs that invert")
    return Ours(min(shares.values()), note=_listed(shares, ".3f"))


def _conserved(tables: Tables):
    table = tables["inversion_conservation"]
    for data, rows in table.groupby("data", sort=False):
        levels, at = (rows[rows["compared"] == name] for name in ("runs", "stragglers"))
        if len(levels) and len(at):
            yield data, levels, at.iloc[0]


def conservation_between(*kinds: str) -> Callable[[Tables], Ours]:
    """Least mean z-score between stragglers of the usual runs and others."""

    def measure(tables: Tables) -> Ours:
        table = tables["inversion_conservation"]
        rows = table[table["kind"].isin(kinds)]
        if rows.empty:
            raise NotHere(f"needs trainings of another {' or '.join(kinds)} that invert")
        least = rows.loc[rows["z"].idxmin()]
        note = f"{least['compared']}, {least['data']}; log10 p at most {rows['log10_p'].max():.0f}"
        return Ours(least["z"], note=note)

    return measure


def inverting_without(*names: str) -> Callable[[Tables], Ours]:
    """Share of runs that invert without some samples, over all data sets."""

    def measure(tables: Tables) -> Ours:
        rows = _points(tables, "removal")
        rows = rows[rows["condition"].isin(names)]
        if rows.empty:
            raise NotHere("needs runs that invert")
        shares = rows.groupby(["condition", "data"], sort=False)["inverts"].mean()
        note = ", ".join(f"{name} {data} {share:.2f}" for (name, data), share in shares.items())
        return Ours(rows["inverts"].mean(), note=note)

    return measure


def cost_of_removal(tables: Tables) -> Ours:
    """Increase of the test error without stragglers, least over data sets."""
    rows = _points(tables, "removal")
    means = rows.groupby(["data", "condition"])["test_error"].mean().unstack()
    if means.empty:
        raise NotHere("needs runs that invert")
    return _least(means["stragglers"] - means["nothing"])


def inverting(kind: str, layer: str = "") -> Callable[[Tables], Ours]:
    """Share of runs of a kind that invert, in the last layer or in the one that does most."""

    def measure(tables: Tables) -> Ours:
        rows = _points(tables, kind, layer=None)
        if rows.empty:
            raise NotHere(f"needs trainings of the kind {kind}")
        last = rows.groupby(["data", "condition"])["layer"].transform("max")
        chosen = rows[rows["layer"] == last] if layer == "last" else rows
        shares = rows.groupby(["data", "condition", "layer"], sort=False)["inverts"].mean()
        note = ", ".join(f"{d} {c} layer {k} {s:.2f}" for (d, c, k), s in shares.items())
        return Ours(chosen["inverts"].mean(), note=note)

    return measure


def turn_of(quantity: str) -> Callable[[Tables], Ours]:
    """Mean of the step at which a quantity turns over t*; the data set farthest from 1."""

    def measure(tables: Tables) -> Ours:
        table = tables["inversion_signatures"]
        rows = table[table["quantity"] == quantity].dropna(subset="ratio")
        if rows.empty:
            raise NotHere(f"{quantity} never turns, or no run inverts")
        means = rows.groupby("data", sort=False)["ratio"].mean()
        note = f"{_listed(means.to_dict(), '.2f')}; {len(rows)} runs"
        return Ours(means.loc[np.log(means).abs().idxmax()], note=note)

    return measure


def correlation_with(column: str, among: Sequence[str] = ()) -> Callable[[Tables], Ours]:
    """Rank correlation of the stragglers' share with another measure, over tasks."""

    def measure(tables: Tables) -> Ours:
        rows = tables["inversion_difficulty"].dropna(subset=["share", column])
        if among:
            rows = rows[rows["task"].isin(among)]
        if len(rows) < 3:
            raise NotHere("needs three tasks that invert")
        found = rows["share"].corr(rows[column], method="spearman")
        linear = rows["share"].corr(rows[column])
        return Ours(found, note=f"{len(rows)} tasks; linear correlation {linear:.2f}")

    return measure


def _points(tables: Tables, kind: str, layer: int | None = 1) -> pd.DataFrame:
    table = tables["inversion_points"]
    table = table[table["kind"] == kind]
    return table if layer is None else table[table["layer"] == layer]


def _inverting(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows[rows["inverts"] == 1]
    if rows.empty:
        raise NotHere("no run inverts")
    return rows


def _largest(values: pd.Series, tables: Tables) -> Ours:
    values = values.dropna()
    if values.empty:
        raise NotHere("needs runs that invert")
    at = values.idxmax()
    name = at if isinstance(at, str) else " ".join(map(str, at))
    return Ours(values.max(), note=f"{name}; mean {values.mean():.3g}")


def _least(values: pd.Series) -> Ours:
    return Ours(values.min(), note=_listed(values.to_dict(), ".3f"))


def _listed(values: dict, form: str) -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


CLAIMS = [
    *(
        Claim(
            f"Stragglers are 10 to 13% of the training samples ({name})",
            PAPER,
            PUBLISHED_SHARE,
            share_of(data),
        )
        for data, name in NAMES.items()
    ),
    Claim(
        "The training error at the inversion is stable across initialisations (largest relative "
        "standard deviation)",
        PAPER,
        AT_MOST,
        spread_over_initialisations,
        0.1,
    ),
    Claim(
        "It is stable across optimisers (largest relative difference from gradient descent)",
        PAPER,
        AT_MOST,
        difference_over("optimiser"),
        0.1,
    ),
    Claim(
        "It is stable under subsampling (largest relative difference, half of the samples)",
        PAPER,
        AT_MOST,
        difference_over("samples", _half),
        0.1,
    ),
    Claim(
        "The same, for the fewest samples with which some runs on every data set invert",
        PAPER,
        AT_MOST,
        difference_over("samples", _smallest),
        0.1,
    ),
    Claim(
        "It does not depend on the width (largest relative difference)",
        OWN,
        AT_MOST,
        difference_over("width"),
        0.1,
    ),
    Claim(
        "Of all sets of misclassified samples, stragglers are maximally conserved between runs "
        "(training error of the greatest z-score over that at the inversion)",
        PAPER,
        about(0.2),
        peak_of_conservation,
        1.0,
    ),
    Claim(
        "The same: their z-score is near the greatest (least share of it)",
        PAPER,
        AT_LEAST,
        conservation_at_inversion,
        0.98,
    ),
    Claim(
        "Stragglers are conserved across architectures (least mean z-score)",
        PAPER,
        AT_LEAST,
        conservation_between("width", "depth", "convolutional"),
        10,
    ),
    Claim(
        "Without stragglers there is no inversion (share of runs that invert)",
        PAPER,
        AT_MOST,
        inverting_without("stragglers"),
        0,
    ),
    Claim(
        "Without as many random samples there is (share of runs that invert)",
        PAPER,
        AT_LEAST,
        inverting_without("random, as many"),
        0.9,
    ),
    Claim(
        "Stragglers alone have this effect: without the misclassified of other epochs there is an "
        "inversion (share of runs that invert)",
        OWN,
        AT_LEAST,
        inverting_without(
            "misclassified at t*/4", "misclassified at t*/2", "misclassified at 2 t*"
        ),
        0.5,
    ),
    Claim(
        "The same, without as many of the misclassified of earlier epochs as there are stragglers",
        OWN,
        AT_LEAST,
        inverting_without("as many of them at t*/4", "as many of them at t*/2"),
        0.5,
    ),
    Claim(
        "Without the samples that a linear classifier misclassifies there is no inversion (share "
        "of runs that invert)",
        OWN,
        AT_MOST,
        inverting_without("misclassified by a linear classifier"),
        0,
    ),
    Claim(
        "Stragglers matter for generalisation (increase of the test error without them, least "
        "over data sets)",
        PAPER,
        POSITIVE,
        cost_of_removal,
    ),
    Claim(
        "Class manifolds of all ten classes invert, too (share of runs)",
        OWN,
        AT_LEAST,
        inverting("classes"),
        0.5,
    ),
    Claim(
        "The last hidden layer of deeper networks inverts (share of runs)",
        OWN,
        AT_LEAST,
        inverting("depth", "last"),
        0.5,
    ),
    Claim(
        "The hidden layer of a convolutional network inverts (share of runs)",
        f"{PAPER}, open question 2",
        AT_LEAST,
        inverting("convolutional", "last"),
        0.5,
    ),
    Claim(
        "The inversion shows in the manifold of predictions: the second InPCA coordinate turns at "
        "it (step of the turn over t*)",
        OWN,
        about(0.2),
        turn_of("pc2"),
        1.0,
    ),
    Claim(
        "The tube of runs is narrowest at the inversion (step of the least spread over t*)",
        OWN,
        about(0.2),
        turn_of("spread"),
        1.0,
    ),
    Claim(
        "Stragglers stop moving away from the truth at the inversion (step of the turn over t*)",
        OWN,
        about(0.2),
        turn_of("to_truth_stragglers"),
        1.0,
    ),
    Claim(
        "The share of stragglers falls with the progress at the inversion (minus the rank "
        "correlation over tasks)",
        f"{PAPER}, open question 1",
        AT_LEAST,
        lambda tables: _minus(correlation_with("progress")(tables)),
        0.9,
    ),
    Claim(
        "It follows the training error of a linear classifier (rank correlation over tasks)",
        f"{PAPER}, open question 1",
        AT_LEAST,
        correlation_with("linear_error"),
        0.9,
    ),
    Claim(
        "Stragglers are the samples that a linear classifier misclassifies (least mean z-score)",
        OWN,
        AT_LEAST,
        conservation_between("linear"),
        10,
    ),
    Claim(
        "It grows with the intrinsic dimension of the images (rank correlation over data sets)",
        f"{PAPER}, open question 1",
        AT_LEAST,
        correlation_with("intrinsic_dimension", ["parity"]),
        0.9,
    ),
]


def _minus(ours: Ours) -> Ours:
    return ours._replace(value=-ours.value)
