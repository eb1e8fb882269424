"""Claims on networks that learn a regression (Cowlagi & Chaudhari, Fig. 2 b to d).

The data are given, so a repetition of the study would draw other initial weights (seeds), and other
networks where a claim is about networks in general.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import least_of, mean_over
from hyperribbon.reporting.rules import AT_MOST, AT_MOST_TWICE, POSITIVE
from hyperribbon.reporting.statistics import Tables, with_interval


def _fisher(tables: Tables, data: str, moment: str | None = "end") -> pd.DataFrame:
    """Rows of the Fisher matrices for some data, at one moment or all, by network and seed."""
    found = tables["regression_sloppiness"]
    found = found[(found["matrix"] == "fisher") & (found["data"] == data)]
    found = found.assign(configuration=found["network"].astype(str))
    return (found if moment is None else found[found["moment"] == moment]).reset_index(drop=True)


def stiff_share(tables: Tables) -> Ours:
    """Stiff eigenvalues as a share of the nonzero ones, mean over networks."""
    found = _fisher(tables, "boston")
    shares = found["elbow"] / found["eigenvalues"]
    note = f"{shares.min():.3f} to {shares.max():.3f}"
    return mean_over(found.assign(share=shares), "share", note)


def slopes_differ(tables: Tables) -> Ours:
    """Fastest decay divided by the slowest, among means over seeds."""
    found = _fisher(tables, "boston").dropna(subset="slope").reset_index(drop=True)
    slopes = found.groupby("configuration")["slope"].mean()
    if len(slopes) < 2:
        raise NotHere("needs two networks")

    def statistic(weights: np.ndarray) -> float:
        sums = pd.DataFrame({"slope": found["slope"] * weights, "weight": weights})
        means = sums.groupby(found["configuration"]).sum()
        means = means["slope"] / means["weight"]
        return float(means.min() / means.max())

    note = f"{slopes.idxmin()} over {slopes.idxmax()} units, of {len(slopes)} networks"
    return with_interval(statistic, found, note, unit="seed", scale="ratio")


def random_decays_slower(tables: Tables) -> Ours:
    """Decay per index on the housing data less that on random data, for the network with both."""
    random = _fisher(tables, "random").set_index(["configuration", "seed"])["slope"]
    table = _fisher(tables, "boston").set_index(["configuration", "seed"])["slope"]
    less = (random - table).dropna().rename("less").reset_index()
    if less.empty:
        raise NotHere("needs a network that learns both data")
    both = (-slopes.loc[random.index].mean() for slopes in (table, random))
    note = "{:.4f} less {:.4f}".format(*both)
    return mean_over(less, "less", note, unit="seed")


def random_decades(tables: Tables) -> Ours:
    """Orders of magnitude that the fitted line of sloppy eigenvalues spans on random data."""
    found = _fisher(tables, "random").dropna(subset="slope")
    decades = -found["slope"] * (found["last"] - found["first"]) / np.log(10)
    return mean_over(found.assign(decades=decades), "decades", unit="seed")


def least_growth_of_trace(tables: Tables) -> Ours:
    """Relative change of the trace from one moment to the next, mean over networks; the least."""
    found = _fisher(tables, "boston", None)
    traces = found.pivot(index=["configuration", "seed"], columns="epoch", values="trace")
    growth = (traces.T.pct_change(fill_method=None).T).iloc[:, 1:]
    changes = {
        f"until epoch {epoch}": mean_over(growth[epoch].rename("change").reset_index(), "change")
        for epoch in growth.columns[growth.notna().any()]
    }
    return least_of(changes, f"least of all trainings {growth.min().min():.3g}")


SOURCE = "Cowlagi & Chaudhari, Fig. 2"
CLAIMS = [
    Claim("Fewer than 5% of the eigenvalues are stiff", SOURCE, AT_MOST, stiff_share, 0.05),
    Claim(
        "Different perceptrons on the same data have similar slopes (fastest decay over slowest)",
        f"{SOURCE}c",
        AT_MOST_TWICE,
        slopes_differ,
    ),
    Claim(
        "On random data the spectrum is less sloppy (decay per index, difference)",
        f"{SOURCE}d",
        POSITIVE,
        random_decays_slower,
    ),
    Claim(
        "After its initial drop it falls by only one to two orders (line of the sloppy range)",
        f"{SOURCE}d",
        AT_MOST,
        random_decades,
        2.0,
    ),
    Claim(
        "The trace increases during training (mean relative change between two moments, the least)",
        SOURCE,
        POSITIVE,
        least_growth_of_trace,
    ),
]
