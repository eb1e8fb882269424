"""Further claims on linear regression (thesis 5.2, 5.3).

Values of the phase diagram are means over draws of the true weights, computed in closed form, and
count as exact. Rules were written before any study was judged by them.
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
)
from hyperribbon.reporting.statistics import Tables, weighted_median, with_interval
from hyperribbon.studies.linear.measures import LOW, TENTH, at_ratio, of_theory, share_of_one_region

WINGS = 4.8  # ratio of the contour in Fig. 5.3e whose two wings are apart
HEAD = 5  # leading eigenvalues
LEAST_STEPS = 10  # below, few eigenvalues have reached their limit


def _ratios(tables: Tables) -> np.ndarray:
    return np.sort(tables["linear_phase"]["ratio"].unique())


def fall_of_initialisation(tables: Tables) -> Ours:
    """Growth of the index at which eigenvalues fall with ln T, times c, of T P1 in Fig. 5.1.

    The index is that of the last eigenvalue above half of the plateau.
    """
    rows = tables["linear_spectra"]
    rows = rows[(rows["figure"] == "5.1") & (rows["steps"] >= LEAST_STEPS)]
    slope, size = rows["slope"].iloc[0], rows["index"].max()
    plateau = rows["eigenvalue"].max() / 2  # the first eigenvalue is twice the limit
    last = rows[rows["eigenvalue"] > plateau / 2].groupby("steps")["index"].max()
    last = last[last < size]
    if len(last) < 2:
        raise NotHere("needs two lengths of training at which eigenvalues fall within the samples")
    growth = np.polyfit(np.log(last.index.to_numpy(dtype=float)), last.to_numpy(), 1)[0]
    note = f"T = {last.index.tolist()}, indices {last.tolist()}"
    return of_theory(growth * slope, note, rows)


def _heads(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leading eigenvalues in Fig. 5.2 by index, of targets and of initial weights, and all rows."""
    rows = tables["linear_spectra"]
    rows = rows[rows["figure"] == "5.2"]
    wide = rows.pivot(index="index", columns="part", values="eigenvalue").sort_index()
    return wide[["targets", "initialisation"]].iloc[:HEAD], rows


def decays_of_heads(tables: Tables) -> Ours:
    """Decay per index of the leading eigenvalues from targets over that from initial weights."""
    head, rows = _heads(tables)
    decays = -np.polyfit(head.index, np.log(head), 1)[0]
    return of_theory(decays[0] / decays[1], f"{decays[0]:.3g} over {decays[1]:.3g}", rows)


def heights_of_heads(tables: Tables) -> Ours:
    """Largest eigenvalue from targets over that from initial weights."""
    head, rows = _heads(tables)
    first, second = head.iloc[0]
    return of_theory(first / second, f"{first:.3g} over {second:.3g}", rows)


def longer_is_higher(tables: Tables) -> Ours:
    """Rank correlation of T with the mean dimension over slopes, at the smallest ratio."""
    dimensions = at_ratio(tables["linear_phase"], _ratios(tables)[0]).to_numpy().mean(axis=0)
    value = spearmanr(range(len(dimensions)), dimensions)[0]
    return of_theory(value, f"{len(dimensions)} lengths", tables["linear_phase"])


def decay_over_lengths(tables: Tables) -> Ours:
    """Decay of the targets' eigenvalues: largest over smallest of all T, largest over slopes."""
    rows = tables["linear_bounds"]
    rows = rows[(rows["bound"] == "Lemma 5.2.1") & (rows["steps"] >= LEAST_STEPS)]
    decays = rows.dropna(subset="decay").groupby("slope")["decay"]
    ratio = (decays.max() / decays.min())[decays.count() > 1]
    if ratio.empty:
        raise NotHere("needs two lengths of training")
    note = ", ".join(f"{value:.3g} at c = {slope:g}" for slope, value in ratio.items())
    return of_theory(ratio.max(), note, rows)


def lower_with_ratio(tables: Tables) -> Ours:
    """Rank correlation of the ratio with the mean dimension over slopes and T."""
    ratios = _ratios(tables)
    means = [at_ratio(tables["linear_phase"], ratio).to_numpy().mean() for ratio in ratios]
    value = spearmanr(ratios, means)[0]
    return of_theory(value, f"{len(ratios)} ratios", tables["linear_phase"])


def sensitive_at_small_slope(tables: Tables) -> Ours:
    """Range of the dimension over T and ratios at the smallest slope, less at the largest."""
    phase = tables["linear_phase"]
    ranges = phase.groupby("slope")["dimension"].agg(lambda x: x.max() - x.min())
    note = f"{ranges.iloc[0]:g} less {ranges.iloc[-1]:g}"
    return of_theory(ranges.iloc[0] - ranges.iloc[-1], note, phase)


def from_corner_to_corner(tables: Tables) -> Ours:
    """Dimension at large T, small c and ratio, less that at small T, large c and ratio."""
    ratios, phase = _ratios(tables), tables["linear_phase"]
    first, last = (at_ratio(phase, ratio).to_numpy() for ratio in (ratios[-1], ratios[0]))
    note = f"{last[0, -1]:g} less {first[-1, 0]:g}"
    return of_theory(last[0, -1] - first[-1, 0], note, tables["linear_phase"])


def short_on_sloppy(tables: Tables) -> Ours:
    """Largest dimension over ratios, at the largest slope and the shortest training."""
    found = [at_ratio(tables["linear_phase"], ratio).to_numpy()[-1, 0] for ratio in _ratios(tables)]
    return of_theory(max(found), f"{len(found)} ratios", tables["linear_phase"])


def _first_connected(tables: Tables, below: int) -> float:
    for ratio in _ratios(tables):
        if share_of_one_region(at_ratio(tables["linear_phase"], ratio).to_numpy(), below):
            return float(ratio)
    raise NotHere(f"areas with fewer than {below} dimensions are connected at no ratio")


def wings(tables: Tables) -> Ours:
    """Whether the areas of fewer than three dimensions are connected at the ratio nearest 4.8."""
    ratios = _ratios(tables)
    ratio = ratios[np.abs(np.log(ratios / WINGS)).argmin()]
    dimensions = at_ratio(tables["linear_phase"], ratio).to_numpy()
    value = share_of_one_region(dimensions, LOW) > 0
    return of_theory(value, f"ratio {ratio:.3g}", tables["linear_phase"])


def ten_before_three(tables: Tables) -> Ours:
    """Smallest ratio that connects areas below ten dimensions, over that for three."""
    ten, three = (_first_connected(tables, below) for below in (TENTH, LOW))
    return of_theory(ten / three, f"{ten:.3g} over {three:.3g}", tables["linear_phase"])


def kernel_decays(kernel: str) -> Callable[[Tables], Ours]:
    """Decay of a kernel's sloppy eigenvalues over that of the linear one, median over data."""

    def measure(tables: Tables) -> Ours:
        if "linear_kernel_spectra" not in tables:
            raise NotHere("needs models trained on data, as in config/linear.yaml")
        found = tables["linear_kernel_spectra"].groupby(["data", "kernel"])["slope"].first()
        wide = found.unstack("kernel").reindex(columns=[kernel, "linear"]).dropna()
        if wide.empty:
            raise NotHere("no sloppy range with a slope")
        rows = (wide[kernel] / wide["linear"]).rename("ratio").reset_index()
        note = ", ".join(f"{name} {value:.2g}" for name, value in rows.itertuples(index=False))
        return with_interval(
            lambda w: weighted_median(rows["ratio"], w), rows, note, unit="data set", by=["data"],
            scale="ratio",
        )  # fmt: skip

    return measure


CLAIMS = [
    Claim(
        "Eigenvalues from initial weights fall from index ln(2 T alpha) / c on (growth of the "
        "index with ln T, times c)",
        "Fig. 5.1",
        about(0.1),
        fall_of_initialisation,
        1,
    ),
    Claim(
        "Leading eigenvalues from targets and from initial weights decay comparably (ratio of "
        "decays per index, first five)",
        "section 5.2.2",
        ALIKE,
        decays_of_heads,
    ),
    Claim(
        "If initial weights are small, the head from the targets is much taller (ratio of the "
        "largest, at least ten)",
        "section 5.2.2, Fig. 5.2",
        AT_LEAST,
        heights_of_heads,
        10,
    ),
    Claim(
        "If initial weights are large, models trained for longer have a higher-dimensional "
        "hyper-ribbon (rank correlation of T and mean dimension, smallest ratio)",
        "section 5.2.2",
        POSITIVE,
        longer_is_higher,
    ),
    Claim(
        "The decay of the eigenvalues from the targets does not depend on T (largest over "
        "smallest, from ten steps on)",
        "section 5.2.2",
        AT_MOST_TWICE,
        decay_over_lengths,
    ),
    Claim(
        "A large sigma_*/sigma_w leads to a low-dimensional hyper-ribbon (rank correlation of "
        "ratio and mean dimension)",
        "Fig. 5.3d",
        NEGATIVE,
        lower_with_ratio,
    ),
    Claim(
        "The geometry is sensitive to the other parameters if the slope is small (range of the "
        "dimension, smallest slope less largest)",
        "Fig. 5.3d",
        POSITIVE,
        sensitive_at_small_slope,
    ),
    Claim(
        "From short training on sloppy data with small initial weights to the opposite corner the "
        "dimension grows (difference)",
        "Fig. 5.3d",
        POSITIVE,
        from_corner_to_corner,
    ),
    Claim(
        "For large c and small T the hyper-ribbon is low-dimensional at any ratio (largest "
        "dimension over ratios, at most three)",
        "Fig. 5.3b, c",
        AT_MOST,
        short_on_sloppy,
        LOW,
    ),
    Claim(
        "At a ratio of 4.8 the region of fewer than three dimensions has two separate wings "
        "(connected: 1, separate: 0)",
        "Fig. 5.3e",
        between(0, 0),
        wings,
    ),
    Claim(
        "Regions of fewer than ten dimensions are contiguous at smaller ratios than those of fewer "
        "than three (ratio of the smallest ratios, at most 1)",
        "Fig. 5.3f",
        AT_MOST,
        ten_before_three,
        1,
    ),
    *(
        Claim(
            f"If inputs are sloppy, so is the Gram matrix of a kernel ({kernel}: decay over that "
            "of the linear kernel, median over data)",
            "section 5.3",
            ALIKE,
            kernel_decays(kernel),
        )
        for kernel in ("RBF", "Laplace")
    ),
]
