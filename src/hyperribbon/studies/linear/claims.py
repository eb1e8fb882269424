"""Claims on linear regression (thesis 5.2, 5.3).

The rules about the phase diagram and about the decay of eigenvalues were written after a first
look at both; their values and directions are those of the text.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.ndimage import label

from hyperribbon.reporting.claims import (
    AT_LEAST,
    AT_MOST,
    NEGATIVE,
    POSITIVE,
    Claim,
    NotHere,
    Ours,
    Rule,
    about,
)
from hyperribbon.reporting.statistics import Tables

LOW, TENTH = 3, 10  # dimensions
REACHED = 10  # a direction is learnt if T alpha lambda is above this
SMALL = 10.0  # ratio at which initial weights count as small
WITHIN_TWICE = Rule(
    "ours, or a part of its interval, is within a factor of 2 of the published value",
    lambda ours, value: (
        np.fmin(ours.value, ours.low) <= 2 * value and np.fmax(ours.value, ours.high) >= value / 2
    ),
)


def _slice(phase: pd.DataFrame, ratio: float) -> pd.DataFrame:
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
    share = (_slice(phase, ratio) <= LOW).to_numpy().mean()
    return Ours(share, note=f"at a ratio of {ratio:.3g}")


def line_of_log_steps(tables: Tables) -> Ours:
    """Correlation of c with the log T that has most dimensions, from ten steps on.

    Before ten steps, the points hardly differ from the initial weights.
    """
    phase = tables["linear_phase"]
    ratio = _ratio_near(phase, SMALL)
    found = _slice(phase[phase["steps"] >= 10], ratio)
    peak = found.idxmax(axis=1)
    inside = peak[(peak > found.columns.min()) & (peak < found.columns.max())]
    return _line(inside, "most dimensions", f"ratio {ratio:.3g}, ")


def line_of_a_boundary(tables: Tables) -> Ours:
    """Correlation of c with the log T from which there are ten dimensions, smallest ratio."""
    phase = tables["linear_phase"]
    beyond = _slice(phase, phase["ratio"].min()) >= TENTH
    inside = beyond.any(axis=1) & ~beyond.iloc[:, 0]
    return _line(beyond[inside].idxmax(axis=1), "ten dimensions")


def _line(steps: pd.Series, of: str, note: str = "") -> Ours:
    """Correlation of slopes, the series' index, with the logarithm of T."""
    if len(steps) < 5:
        raise NotHere(f"needs five slopes with {of} at a T within the range")
    c, log = steps.index.to_numpy(), np.log(steps.to_numpy(dtype=float))
    note += f"{len(c)} slopes from {c.min():.2g} to {c.max():.2g}; "
    note += f"ln T grows by {np.polyfit(c, log, 1)[0]:.3g} per unit of c"
    return Ours(np.corrcoef(c, log)[0, 1], note=note)


def dimensions_at_small_slope(tables: Tables) -> Ours:
    """Smallest dimension over all T, at the smallest slope and the smallest ratio."""
    phase = tables["linear_phase"]
    found = _slice(phase, phase["ratio"].min())
    note = f"ratio {phase['ratio'].min():.3g}, c = {found.index[0]:.3g}"
    return Ours(found.iloc[0].min(), note=note)


def upper_left_grows(tables: Tables) -> Ours:
    """Mean dimension of long trainings on less sloppy data, smallest ratio less largest."""
    phase = tables["linear_phase"]
    found = []
    for ratio in (phase["ratio"].min(), phase["ratio"].max()):
        values = _slice(phase, ratio)
        rows, columns = (size // 2 for size in values.shape)
        found.append(values.iloc[:rows, columns:].to_numpy().mean())
    return Ours(found[0] - found[1], note=f"{found[0]:.3g} less {found[1]:.3g}")


def ratio_of_one_region(tables: Tables) -> Ours:
    """Smallest ratio at which both areas with fewer than three dimensions are connected in (T, c).

    One area has the longest trainings on the least sloppy data, the other short trainings on the
    sloppiest data. The interval begins at the next smaller ratio of the diagram.
    """
    phase, before = tables["linear_phase"], np.nan
    for ratio in sorted(phase["ratio"].unique()):
        low = (_slice(phase, ratio) < LOW).to_numpy()  # (slope, T)
        regions, _ = label(low)
        upper_left = regions[: max(len(low) // 10, 1), -1]
        lower_right = regions[-1, : max(low.shape[1] // 2, 1)]
        joined = set(upper_left[upper_left > 0]) & set(lower_right[lower_right > 0])
        if joined:
            share = np.isin(regions, list(joined)).mean()
            note = f"{share:.0%} of (T, c) there; interval from the next smaller ratio"
            return Ours(ratio, before, ratio, note)
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
        return Ours(ratio.median(), note=note if which == "longest" else f"{note} and T")

    return measure


def violations(*bounds: str) -> Callable[[Tables], Ours]:
    """Number of eigenvalues beyond their bounds, over the sweep."""

    def measure(tables: Tables) -> Ours:
        rows = tables["linear_bounds"]
        rows = rows[rows["bound"].str.startswith(bounds)]
        return Ours(rows["violations"].sum(), note=f"of {rows['eigenvalues'].sum()} eigenvalues")

    return measure


def sloppier_decays_slower(tables: Tables) -> Ours:
    """Rank correlation of c with the decay of the targets' eigenvalues, longest training."""
    rows = tables["linear_bounds"]
    rows = rows[rows["bound"] == "Lemma 5.2.1"]
    rows = rows[rows["steps"] == rows["steps"].max()].dropna(subset="decay")
    note = ", ".join(f"{d:.3g} at c = {c:g}" for c, d in rows[["slope", "decay"]].to_numpy())
    return Ours(rows["slope"].corr(rows["decay"], method="spearman"), note=note)


def last_of_initialisation(tables: Tables) -> Ours:
    """The last eigenvalue of T P1 from initial weights that the longest training has learnt."""
    rows = _of(tables, "5.1")
    rows = rows[rows["steps"] == rows["steps"].max()].sort_values("index")
    reached = rows["steps"] * np.exp(-rows["slope"] * (rows["index"] - 1)) > REACHED
    last = rows[reached].iloc[-1]
    return Ours(last["eigenvalue"], note=f"the {last['index']}th, T = {last['steps']:.0e}")


def head_of_targets(tables: Tables) -> Ours:
    """Relative difference between the first three eigenvalues of P1 and of the targets' part."""
    return _apart(tables, "targets", slice(0, 3))


def tail_of_initialisation(tables: Tables) -> Ours:
    """Relative difference between the later half of P1's and the initial weights' eigenvalues."""
    half = len(_of(tables, "5.2").query("part == 'both'")) // 2
    return _apart(tables, "initialisation", slice(half, None))


def _apart(tables: Tables, part: str, which: slice) -> Ours:
    rows = _of(tables, "5.2").pivot(index="index", columns="part", values="eigenvalue")
    apart = (rows["both"] / rows[part] - 1).iloc[which].abs()
    return Ours(apart.max(), note=f"mean {apart.mean():.3g}")


def growth_with_time(which: int) -> Callable[[Tables], Ours]:
    """Smallest factor by which an eigenvalue of T P(N, T) grows to the next T, less 1."""

    def measure(tables: Tables) -> Ours:
        rows = _of(tables, "5.5")
        rows = rows[rows["part"] == "models"].pivot(
            index="steps", columns="index", values="eigenvalue"
        )
        values = rows.dropna(axis=1).iloc[:, which]
        growth = values.pct_change().dropna()
        return Ours(growth.min(), note=f"index {values.name}, T = {rows.index.tolist()}")

    return measure


def change_of_balanced_kernel(tables: Tables) -> Ours:
    """Relative change of the kernel of balanced linear networks with two layers."""
    rows = tables["linear_variants"]
    rows = rows[rows["variant"] == "two layers, balanced"]
    last = rows.loc[rows["steps"].idxmax()]
    note = f"after {last['steps']} steps; v v^T - u u^T moves by {last['imbalance_change']:.2g}"
    return Ours(last["kernel_change"], note=note)


def linear_models_as_predicted(tables: Tables) -> Ours:
    """Largest relative difference of measured from predicted dimensions of linear models."""
    found = _experiments(tables)
    return _largest_difference(found[found["model"] == "linear"])


def wide_networks_as_predicted(tables: Tables) -> Ours:
    """The same for the widest networks, by their narrowest layer."""
    found = _experiments(tables)
    networks = found.loc[found["model"] != "linear", "model"].unique()
    widest = max(networks, key=lambda units: min(map(int, units.split("-"))))
    return _largest_difference(found[found["model"] == widest])


def _largest_difference(found: pd.DataFrame) -> Ours:
    apart = ((found["measured"] - found["predicted"]).abs() / found["predicted"]).to_numpy()
    at = found.iloc[int(np.argmax(apart))]
    units = "" if at["model"] == "linear" else f"{at['model']} units, "
    note = f"{units}{at['data']}, T = {at['steps']}: {at['predicted']} predicted, "
    note += f"{at['measured']} measured; mean of {len(found)} differences {apart.mean():.2g}"
    return Ours(apart.max(), note=note)


def _experiments(tables: Tables) -> pd.DataFrame:
    if "linear_experiments" not in tables:
        raise NotHere("needs models trained on data, as in config/linear.yaml")
    return tables["linear_experiments"]


CLAIMS = [
    Claim(
        "With small initial weights the hyper-ribbon is very low-dimensional for most T and c "
        "(share with at most three dimensions, at the largest sigma_*/sigma_w)",
        "Fig. 5.3a",
        AT_LEAST,
        low_where_weights_are_small,
        0.5,
    ),
    Claim(
        "Dimensionality is larger along a straight line, log T proportional to c (correlation)",
        "Fig. 5.3a",
        AT_LEAST,
        line_of_log_steps,
        0.9,
    ),
    Claim(
        "A straight line, log T proportional to c, separates few from more dimensions if initial "
        "weights are large (correlation along the boundary of ten)",
        "Fig. 5.3b, c",
        AT_LEAST,
        line_of_a_boundary,
        0.9,
    ),
    Claim(
        "For small slopes the hyper-ribbon is high-dimensional for all T if initial weights are "
        "large (smallest dimension over T, at least ten)",
        "Fig. 5.3c",
        AT_LEAST,
        dimensions_at_small_slope,
        10,
    ),
    Claim(
        "The upper left, long training on less sloppy data, is increasingly higher-dimensional as "
        "initial weights grow (difference of mean dimensions)",
        "Fig. 5.3b, c",
        POSITIVE,
        upper_left_grows,
    ),
    Claim(
        "There is a contiguous region of fewer than three dimensions from a ratio of 9 on "
        "(smallest ratio that connects long training on less sloppy data and short training on "
        "sloppy data)",
        "Fig. 5.3e",
        WITHIN_TWICE,
        ratio_of_one_region,
        9,
    ),
    Claim(
        "Eigenvalues from the targets decay about twice as fast as the bound of Lemma 5.2.1 "
        "(median over slopes, longest training)",
        "section 5.2.2",
        about(0.5),
        decay_over_bound("longest"),
        2,
    ),
    Claim(
        "The same, for all lengths of training",
        "section 5.2.2",
        about(0.5),
        decay_over_bound("all"),
        2,
    ),
    Claim(
        "Sloppier data lead to a slower decay of the eigenvalues from the targets (rank "
        "correlation of decay and c, longest training)",
        "section 5.2.2",
        NEGATIVE,
        sloppier_decays_slower,
    ),
    Claim(
        "Lemmas 5.2.1 and 5.2.2 hold (eigenvalues beyond their bounds)",
        "section 5.2.2",
        AT_MOST,
        violations("Lemma 5.2.1", "Lemma 5.2.2"),
        0,
    ),
    Claim(
        "Eq. 5.2.10, and Lemma 5.2.3 as in its proof, hold (eigenvalues beyond their bounds)",
        "Fig. 5.4",
        AT_MOST,
        violations("Eq. 5.2.10", "Lemma 5.2.3"),
        0,
    ),
    Claim(
        "The bound for several kernels, the sum over them as in its proof, holds (eigenvalues "
        "beyond it, two kernels)",
        "section 5.3",
        AT_MOST,
        violations("Eq. 5.3.2"),
        0,
    ),
    Claim(
        "After long training, eigenvalues from initial weights decay to sigma_w^2 / 2 alpha",
        "Fig. 5.1",
        about(0.01),
        last_of_initialisation,
        0.5,
    ),
    Claim(
        "The head of P1 is well approximated by the targets' contribution (largest relative "
        "difference of three eigenvalues)",
        "Fig. 5.2",
        AT_MOST,
        head_of_targets,
        0.1,
    ),
    Claim(
        "The tail of P1 is well approximated by the initial weights' contribution (largest "
        "relative difference, later half)",
        "Fig. 5.2",
        AT_MOST,
        tail_of_initialisation,
        0.1,
    ),
    Claim(
        "The tail of T P(N, T) grows with T (smallest relative growth, last eigenvalue of all T)",
        "Fig. 5.5",
        POSITIVE,
        growth_with_time(-1),
    ),
    Claim(
        "The largest eigenvalue of T P(N, T) grows with T (smallest relative growth)",
        "Fig. 5.5",
        POSITIVE,
        growth_with_time(0),
    ),
    Claim(
        "Balanced linear networks of two layers keep their kernel (relative change)",
        "section 5.3",
        AT_MOST,
        change_of_balanced_kernel,
        0.01,
    ),
    Claim(
        "The theory predicts the dimensions of linear models on real data (largest relative "
        "difference)",
        "section 5.2",
        AT_MOST,
        linear_models_as_predicted,
        0.1,
    ),
    Claim(
        "The theory predicts the dimensions of wide networks (largest relative difference)",
        "section 5.3",
        AT_MOST,
        wide_networks_as_predicted,
        0.1,
    ),
]
