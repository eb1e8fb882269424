"""What the claims on the inversion of class manifolds measure, from a study's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from hyperribbon.numerics.bootstrap import bootstrap_mean
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import Tables

NAMES = {
    "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST", "cifar10": "CIFAR-10",
}  # fmt: skip


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
        note = f"{len(rows)} runs, {errors.min():.3f} to {errors.max():.3f}"
        return Ours(*bootstrap_mean(errors, rows["run"]), note)

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


def half(rows: pd.DataFrame) -> pd.Series:
    """Rows of the largest subsamples."""
    return rows["condition"].astype(int) == rows["condition"].astype(int).max()


def smallest(rows: pd.DataFrame) -> pd.Series:
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
