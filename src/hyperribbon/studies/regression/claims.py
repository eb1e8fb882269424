"""Claims on networks that learn a regression (Cowlagi & Chaudhari, Fig. 2 b to d)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import AT_MOST, AT_MOST_TWICE, POSITIVE, Claim, NotHere, Ours
from hyperribbon.reporting.statistics import Tables


def _fisher(tables: Tables, data: str, moment: str | None = "end") -> pd.DataFrame:
    """Rows of the Fisher matrices for some data, at one moment or all."""
    found = tables["regression_sloppiness"]
    found = found[(found["matrix"] == "fisher") & (found["data"] == data)]
    return found if moment is None else found[found["moment"] == moment]


def stiff_share(tables: Tables) -> Ours:
    """Stiff eigenvalues as a share of the nonzero ones, mean over all trainings."""
    found = _fisher(tables, "boston")
    shares = found["elbow"] / found["eigenvalues"]
    return Ours(shares.mean(), note=f"{shares.min():.3f} to {shares.max():.3f}")


def slopes_differ(tables: Tables) -> Ours:
    """Fastest decay divided by the slowest, among means over seeds."""
    slopes = _fisher(tables, "boston").groupby("network")["slope"].mean()
    if len(slopes) < 2:
        raise NotHere("needs two networks")
    note = f"{slopes.idxmin()} over {slopes.idxmax()} units, of {len(slopes)} networks"
    return Ours(slopes.min() / slopes.max(), note=note)


def random_decays_slower(tables: Tables) -> Ours:
    """Decay per index on the housing data less that on random data, for the network with both."""
    random = _fisher(tables, "random").set_index("seed")
    table = _fisher(tables, "boston")
    table = table[table["network"] == random["network"].iloc[0]].set_index("seed")
    less = random["slope"] - table["slope"]
    note = f"{-table['slope'].mean():.4f} less {-random['slope'].mean():.4f}; range of seeds"
    return Ours(less.mean(), less.min(), less.max(), note)


def random_decades(tables: Tables) -> Ours:
    """Orders of magnitude that the fitted line of sloppy eigenvalues spans on random data."""
    found = _fisher(tables, "random")
    decades = -found["slope"] * (found["last"] - found["first"]) / np.log(10)
    return Ours(decades.mean(), decades.min(), decades.max(), "range of seeds")


def least_growth_of_trace(tables: Tables) -> Ours:
    """Smallest relative change of the trace from one moment to the next."""
    found = _fisher(tables, "boston", None).sort_values("epoch")
    traces = found.groupby(["network", "seed"])["trace"]
    return Ours(traces.pct_change().min(), note=f"of {traces.ngroups} trainings")


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
        "The trace increases during training (least relative change between two moments)",
        SOURCE,
        POSITIVE,
        least_growth_of_trace,
    ),
]
