"""What the claims on linear regression measure, from a study's tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.ndimage import label

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.combining import mean_over
from hyperribbon.reporting.statistics import Tables, exactly

LOW, TENTH = 3, 10  # dimensions
REACHED = 10  # a direction is learnt if T alpha lambda is above this
SMALL = 10.0  # ratio at which initial weights count as small


def of_theory(value: float, note: str, rows: pd.DataFrame) -> Ours:
    """A value in closed form, for the study's true weights."""
    counts = [
        f"{rows[column].nunique()} {name}"
        for column, name in (("ratio", "ratios"), ("slope", "slopes"), ("steps", "lengths T"))
        if column in rows and rows[column].nunique()
    ]
    ours = exactly(value, note, ", ".join(counts))
    return ours._replace(drawn="exact: closed form, for the true weights of the study")


def at_ratio(phase: pd.DataFrame, ratio: float) -> pd.DataFrame:
    """Dimensions at one ratio: one row per slope, one column per T."""
    return phase[phase["ratio"] == ratio].pivot(index="slope", columns="steps", values="dimension")


def _ratio_near(phase: pd.DataFrame, wanted: float) -> float:
    ratios = phase["ratio"].unique()
    return ratios[np.argmin(np.abs(np.log(ratios / wanted)))]


def _of(tables: Tables, figure: str) -> pd.DataFrame:
    spectra = tables["linear_spectra"]
    return spectra[spectra["figure"] == figure]


def low_where_weights_are_small(tables: Tables) -> Ours:
    """Share of (T, c) with at most three dimensions, at the largest ratio."""
    phase = tables["linear_phase"]
    ratio = phase["ratio"].max()
    share = (at_ratio(phase, ratio) <= LOW).to_numpy().mean()
    return of_theory(share, f"at a ratio of {ratio:.3g}", phase)


def line_of_log_steps(tables: Tables) -> Ours:
    """Correlation of c with the log T that has most dimensions, from ten steps on.

    Before ten steps, the points hardly differ from the initial weights.
    """
    phase = tables["linear_phase"]
    ratio = _ratio_near(phase, SMALL)
    found = at_ratio(phase[phase["steps"] >= 10], ratio)
    peak = found.idxmax(axis=1)
    inside = peak[(peak > found.columns.min()) & (peak < found.columns.max())]
    return _line(phase, inside, "most dimensions", f"ratio {ratio:.3g}, ")


def line_of_a_boundary(tables: Tables) -> Ours:
    """Correlation of c with the log T from which there are ten dimensions, smallest ratio."""
    phase = tables["linear_phase"]
    beyond = at_ratio(phase, phase["ratio"].min()) >= TENTH
    inside = beyond.any(axis=1) & ~beyond.iloc[:, 0]
    return _line(phase, beyond[inside].idxmax(axis=1), "ten dimensions")


def _line(phase: pd.DataFrame, steps: pd.Series, of: str, note: str = "") -> Ours:
    """Correlation of slopes, the series' index, with the logarithm of T."""
    if len(steps) < 5:
        raise NotHere(f"needs five slopes with {of} at a T within the range")
    c, log = steps.index.to_numpy(), np.log(steps.to_numpy(dtype=float))
    note += f"{len(c)} slopes from {c.min():.2g} to {c.max():.2g}; "
    note += f"ln T grows by {np.polyfit(c, log, 1)[0]:.3g} per unit of c"
    return of_theory(np.corrcoef(c, log)[0, 1], note, phase)


def dimensions_at_small_slope(tables: Tables) -> Ours:
    """Smallest dimension over all T, at the smallest slope and the smallest ratio."""
    phase = tables["linear_phase"]
    found = at_ratio(phase, phase["ratio"].min())
    note = f"ratio {phase['ratio'].min():.3g}, c = {found.index[0]:.3g}"
    return of_theory(found.iloc[0].min(), note, phase)


def upper_left_grows(tables: Tables) -> Ours:
    """Mean dimension of long trainings on less sloppy data, smallest ratio less largest."""
    phase = tables["linear_phase"]
    found = []
    for ratio in (phase["ratio"].min(), phase["ratio"].max()):
        values = at_ratio(phase, ratio)
        rows, columns = (size // 2 for size in values.shape)
        found.append(values.iloc[:rows, columns:].to_numpy().mean())
    return of_theory(found[0] - found[1], f"{found[0]:.3g} less {found[1]:.3g}", phase)


def share_of_one_region(dimensions: np.ndarray, below: int) -> float:
    """Share of (T, c) in regions below a dimension that reach both areas that the text names.

    One has the longest trainings on the least sloppy data, the other short trainings on the
    sloppiest data.

    Parameters
    ----------
    dimensions : (slopes, T), both ascending
    below : int

    Examples
    --------
    >>> share_of_one_region(np.array([[9, 9, 1], [9, 1, 1], [1, 1, 9]]), 3)
    0.5555555555555556
    >>> share_of_one_region(np.array([[9, 9, 1], [9, 9, 9], [1, 9, 9]]), 3)
    0.0
    """
    regions, _ = label(dimensions < below)
    first = regions[: max(len(regions) // 10, 1), -1]
    second = regions[-1, : max(regions.shape[1] // 2, 1)]
    joined = set(first[first > 0]) & set(second[second > 0])
    return float(np.isin(regions, list(joined)).mean())


def ratio_of_one_region(tables: Tables) -> Ours:
    """Smallest ratio at which both areas with fewer than three dimensions are connected in (T, c).

    The interval begins at the next smaller ratio of the diagram.
    """
    phase, before = tables["linear_phase"], np.nan
    for ratio in sorted(phase["ratio"].unique()):
        share = share_of_one_region(at_ratio(phase, ratio).to_numpy(), LOW)
        if share:
            ours = of_theory(ratio, f"{share:.0%} of (T, c) there", phase)
            drawn = f"{ours.drawn}; from the next smaller ratio of the diagram"
            return ours._replace(low=before, drawn=drawn)
        before = ratio
    raise NotHere("the areas are not connected at any ratio of the diagram")


def decay_over_bound(which: str) -> Callable[[Tables], Ours]:
    """Median decay of the targets' eigenvalues, divided by the decay of their bound."""

    def measure(tables: Tables) -> Ours:
        rows = tables["linear_bounds"]
        rows = rows[rows["bound"] == "Lemma 5.2.1"].dropna(subset="decay")
        rows = rows[rows["decay_of_bound"] > 0]
        if which == "longest":
            rows = rows[rows["steps"] == rows["steps"].max()]
        ratio = rows["decay"] / rows["decay_of_bound"]
        note = f"{ratio.min():.3g} to {ratio.max():.3g} over {len(ratio)} slopes"
        return of_theory(ratio.median(), note if which == "longest" else f"{note} and T", rows)

    return measure


def violations(*bounds: str) -> Callable[[Tables], Ours]:
    """Number of eigenvalues beyond their bounds, over the sweep."""

    def measure(tables: Tables) -> Ours:
        rows = tables["linear_bounds"]
        rows = rows[rows["bound"].str.startswith(bounds)]
        note = f"of {rows['eigenvalues'].sum()} eigenvalues"
        return of_theory(rows["violations"].sum(), note, rows)

    return measure


def sloppier_decays_slower(tables: Tables) -> Ours:
    """Rank correlation of c with the decay of the targets' eigenvalues, longest training."""
    rows = tables["linear_bounds"]
    rows = rows[rows["bound"] == "Lemma 5.2.1"]
    rows = rows[rows["steps"] == rows["steps"].max()].dropna(subset="decay")
    note = ", ".join(f"{d:.3g} at c = {c:g}" for c, d in rows[["slope", "decay"]].to_numpy())
    return of_theory(rows["slope"].corr(rows["decay"], method="spearman"), note, rows)


def last_of_initialisation(tables: Tables) -> Ours:
    """The last eigenvalue of T P1 from initial weights that the longest training has learnt."""
    rows = _of(tables, "5.1")
    rows = rows[rows["steps"] == rows["steps"].max()].sort_values("index")
    reached = rows["steps"] * np.exp(-rows["slope"] * (rows["index"] - 1)) > REACHED
    last = rows[reached].iloc[-1]
    note = f"the {last['index']}th, T = {last['steps']:.0e}"
    return of_theory(last["eigenvalue"], note, rows)


def head_of_targets(tables: Tables) -> Ours:
    """Relative difference between the first three eigenvalues of P1 and of the targets' part."""
    return _apart(tables, "targets", slice(0, 3))


def tail_of_initialisation(tables: Tables) -> Ours:
    """Relative difference between the later half of P1's and the initial weights' eigenvalues."""
    half = len(_of(tables, "5.2").query("part == 'both'")) // 2
    return _apart(tables, "initialisation", slice(half, None))


def _apart(tables: Tables, part: str, which: slice) -> Ours:
    found = _of(tables, "5.2")
    rows = found.pivot(index="index", columns="part", values="eigenvalue")
    apart = (rows["both"] / rows[part] - 1).iloc[which].abs()
    return of_theory(apart.max(), f"mean {apart.mean():.3g}", found)


def growth_with_time(which: int) -> Callable[[Tables], Ours]:
    """Smallest factor by which an eigenvalue of T P(N, T) grows to the next T, less 1."""

    def measure(tables: Tables) -> Ours:
        found = _of(tables, "5.5").query("part == 'models'")
        rows = found.pivot(index="steps", columns="index", values="eigenvalue")
        values = rows.dropna(axis=1).iloc[:, which]
        growth = values.pct_change().dropna()
        note = f"index {values.name}, T = {rows.index.tolist()}"
        return of_theory(growth.min(), note, found)

    return measure


def change_of_balanced_kernel(tables: Tables) -> Ours:
    """Relative change of the kernel of balanced linear networks with two layers."""
    rows = tables["linear_variants"]
    rows = rows[rows["variant"] == "two layers, balanced"]
    last = rows.loc[rows["steps"].idxmax()]
    note = f"after {last['steps']} steps; v v^T - u u^T moves by {last['imbalance_change']:.2g}"
    ours = exactly(last["kernel_change"], note, "1 network")
    return ours._replace(drawn="exact: an identity is checked, for which one network suffices")


def linear_models_as_predicted(tables: Tables) -> Ours:
    """Relative difference of measured from predicted dimensions of linear models.

    The largest on each data set, mean over data sets.
    """
    found = _experiments(tables)
    return _largest_differences(found[found["model"] == "linear"])


def wide_networks_as_predicted(tables: Tables) -> Ours:
    """The same for the widest networks, by their narrowest layer."""
    found = _experiments(tables)
    networks = found.loc[found["model"] != "linear", "model"].unique()
    if not len(networks):
        raise NotHere("needs networks")
    widest = max(networks, key=lambda units: min(map(int, units.split("-"))))
    return _largest_differences(found[found["model"] == widest])


def _largest_differences(found: pd.DataFrame) -> Ours:
    if found.empty:
        raise NotHere("needs linear models")
    apart = (found["measured"] - found["predicted"]).abs() / found["predicted"]
    at = found.loc[apart.idxmax()]
    units = "" if at["model"] == "linear" else f"{at['model']} units, "
    note = f"largest {apart.max():.2g}: {units}{at['data']}, T = {at['steps']}: "
    note += f"{at['predicted']} predicted, {at['measured']} measured; "
    note += f"mean of {len(found)} differences {apart.mean():.2g}"
    of_data = apart.groupby(found["data"]).max().rename("apart").reset_index()
    ours = mean_over(of_data, "apart", note, unit="data set", by=["data"])
    return ours._replace(sample=f"{len(found)} numbers of dimensions")


def _experiments(tables: Tables) -> pd.DataFrame:
    if "linear_experiments" not in tables:
        raise NotHere("needs models trained on data, as in config/linear.yaml")
    return tables["linear_experiments"]
