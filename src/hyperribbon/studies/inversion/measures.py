"""What the claims on the inversion of class manifolds measure, from a study's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy.stats import chi2

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import largest_of, least_of, magnitude, mean_over
from hyperribbon.reporting.statistics import (
    Tables,
    difference,
    rank_correlation,
    share,
)

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
        note = f"{rows['error'].min():.3f} to {rows['error'].max():.3f}"
        return _over_runs(rows, "error")._replace(note=note)

    return measure


def spread_over_initialisations(tables: Tables) -> Ours:
    """Largest relative standard deviation of the error at t*, over data sets."""
    usual = _inverting(_points(tables, "usual")).groupby("data", sort=False)["error"]
    return largest_of({str(data): _relative_spread(errors) for data, errors in usual})


def _relative_spread(errors: pd.Series) -> Ours:
    """Standard deviation over the mean, with the interval of a normal sample's deviation."""
    n = len(errors)
    if n < 2:
        return Ours(0.0, drawn="no interval: one run", sample="1 run")
    spread = float(errors.std() / errors.mean())
    low, high = spread * np.sqrt((n - 1) / chi2.ppf([0.975, 0.025], n - 1))
    words = f"{n} runs, as of a normal sample (chi-squared)"
    return Ours(spread, float(low), float(high), drawn=words, sample=f"{n} runs")


def difference_over(kind: str, condition: Callable[[pd.DataFrame], pd.Series] | None = None):
    """Largest relative difference of the mean error at t* from the usual runs'."""

    def measure(tables: Tables) -> Ours:
        usual = {str(d): r for d, r in _inverting(_points(tables, "usual")).groupby("data")}
        rows = _points(tables, kind)
        if condition is not None:
            rows = rows[condition(rows)]
        if rows.empty:
            raise NotHere(f"needs trainings with another {kind}")
        found, never = {}, []
        for (data, name), part in rows.groupby(["data", "condition"], sort=False):
            inverting = part[part["inverts"] == 1]
            if inverting.empty:
                never.append(f"{data} {name}")
            elif data in usual:
                mean = usual[data]["error"].mean()
                theirs, ours = (_over_runs(r, "error", mean) for r in (inverting, usual[data]))
                found[f"{data} {name}"] = magnitude(difference(theirs, ours))
        largest = largest_of(found)
        if never:
            note = f"{largest.note}; never inverts: {', '.join(never)}"
            largest = largest._replace(note=note)
        return largest

    return measure


def _over_runs(rows: pd.DataFrame, column: str, unit_of_value: float = 1.0) -> Ours:
    """Mean of a column over runs, in some unit."""
    ours = mean_over(rows.assign(value=rows[column] / unit_of_value), "value", unit="run")
    return ours._replace(sample=_counted(len(rows), "run"))


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
    """Training error of the greatest z-score over that at t*, geometric mean over data sets."""
    ratios = {
        data: levels.loc[levels["z"].idxmax(), "error"] / at["error"]
        for data, levels, at in _conserved(tables)
    }
    if not ratios:
        raise NotHere("needs two runs that invert")
    logs = {data: np.log(ratio) for data, ratio in ratios.items()}
    ours = _over_data(logs, _listed(ratios, ".2f"))
    return ours._replace(
        value=np.exp(ours.value), low=float(np.exp(ours.low)), high=float(np.exp(ours.high))
    )


def conservation_at_inversion(tables: Tables) -> Ours:
    """Z-score of stragglers over the greatest at any training error, mean over data sets."""
    shares = {data: at["z"] / levels["z"].max() for data, levels, at in _conserved(tables)}
    if not shares:
        raise NotHere("needs two runs that invert")
    return _over_data(shares, _listed(shares, ".3f"))


def _over_data(values: dict[str, float], note: str) -> Ours:
    """Mean over data sets: all runs of one are compared at once, so that they cannot be drawn."""
    table = pd.DataFrame({"data": values.keys(), "value": values.values()})
    ours = mean_over(table, "value", note, unit="data set", by=["data"])
    return ours._replace(sample=_counted(len(table), "data set"))


def _conserved(tables: Tables):
    table = tables["inversion_conservation"]
    for data, rows in table.groupby("data", sort=False):
        levels, at = (rows[rows["compared"] == name] for name in ("runs", "stragglers"))
        if len(levels) and len(at):
            yield data, levels, at.iloc[0]


def conservation_between(*kinds: str) -> Callable[[Tables], Ours]:
    """Least mean z-score between stragglers of the usual runs and others, mean over data sets."""

    def measure(tables: Tables) -> Ours:
        table = tables["inversion_conservation"]
        rows = table[table["kind"].isin(kinds)]
        if rows.empty:
            raise NotHere(f"needs trainings of another {' or '.join(kinds)} that invert")
        least = rows.loc[rows["z"].idxmin()]
        note = f"least {least['z']:.3g}: {least['compared']}, {least['data']}; "
        note += f"log10 p at most {rows['log10_p'].max():.0f}"
        return _over_data(rows.groupby("data", sort=False)["z"].min().to_dict(), note)

    return measure


def inverting_without(*names: str) -> Callable[[Tables], Ours]:
    """Share of runs that invert without some samples, over all data sets; the least of several."""

    def measure(tables: Tables) -> Ours:
        rows = _points(tables, "removal")
        found = {}
        for name in names:
            some = rows[rows["condition"] == name]
            if len(some):
                by_data = some.groupby("data", sort=False)["inverts"].mean()
                key = f"{name} ({_listed(by_data.to_dict(), '.2f')})"
                found[key] = share(int(some["inverts"].sum()), len(some), "run")
        if not found:
            raise NotHere("needs runs that invert")
        return least_of(found, digits=2)

    return measure


def cost_of_removal(tables: Tables) -> Ours:
    """Increase of the test error without stragglers, run by run, least over data sets."""
    rows = _points(tables, "removal")
    if rows.empty:
        raise NotHere("needs runs that invert")
    errors = rows.pivot(index=["data", "run"], columns="condition", values="test_error")
    costs = (errors["stragglers"] - errors["nothing"]).dropna().rename("cost").reset_index()
    return least_of(
        {str(data): _over_runs(part, "cost") for data, part in costs.groupby("data", sort=False)}
    )


def inverting(kind: str, layer: str = "") -> Callable[[Tables], Ours]:
    """Share of runs of a kind whose first or last hidden layer inverts."""

    def measure(tables: Tables) -> Ours:
        rows = _points(tables, kind, layer=None)
        if rows.empty:
            raise NotHere(f"needs trainings of the kind {kind}")
        last = rows.groupby(["data", "condition"])["layer"].transform("max")
        chosen = rows[rows["layer"] == (last if layer == "last" else 1)]
        shares = rows.groupby(["data", "condition", "layer"], sort=False)["inverts"].mean()
        note = ", ".join(f"{d} {c} layer {k} {s:.2f}" for (d, c, k), s in shares.items())
        return share(int(chosen["inverts"].sum()), len(chosen), "run", note)

    return measure


def turn_of(quantity: str) -> Callable[[Tables], Ours]:
    """How far the step at which a quantity turns is from t*, relative to t*.

    Mean over runs, the largest over data sets.
    """

    def measure(tables: Tables) -> Ours:
        table = tables["inversion_signatures"]
        rows = table[table["quantity"] == quantity].dropna(subset="ratio")
        if rows.empty:
            raise NotHere(f"{quantity} never turns, or no run inverts")
        means = {
            str(data): _over_runs(part, "ratio") for data, part in rows.groupby("data", sort=False)
        }
        note = f"step over t*: {_listed({d: o.value for d, o in means.items()}, '.2f')}"
        one = Ours(1.0, 1.0, 1.0)
        away = {data: magnitude(difference(ours, one)) for data, ours in means.items()}
        away = {data: ours._replace(drawn=means[data].drawn) for data, ours in away.items()}
        return largest_of(away)._replace(note=note)

    return measure


def correlation_with(column: str, among: Sequence[str] = ()) -> Callable[[Tables], Ours]:
    """Rank correlation of the stragglers' share with another measure, over tasks."""

    def measure(tables: Tables) -> Ours:
        rows = tables["inversion_difficulty"].dropna(subset=["share", column])
        if among:
            rows = rows[rows["task"].isin(among)]
        if len(rows) < 3:
            raise NotHere("needs three tasks that invert")
        note = f"linear correlation {rows['share'].corr(rows[column]):.2f}"
        return rank_correlation(rows["share"], rows[column], "task", note)

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


def _listed(values: dict, form: str) -> str:
    return ", ".join(f"{name} {value:{form}}" for name, value in values.items())


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' * (number != 1)}"
