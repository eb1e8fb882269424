"""How fast networks progress, and how progress and error go together (thesis 2.3, Fig. 2.7)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import least_of
from hyperribbon.reporting.rules import NEGATIVE, POSITIVE, about, between
from hyperribbon.reporting.statistics import (
    Tables,
    of_split,
    weighted_mean,
    with_interval,
    with_less_without,
)
from hyperribbon.studies.manifold.claims import IMAGENET
from hyperribbon.studies.manifold.claims.pairs import described, largest_residual

FITTED = 0.001  # train error that the text rounds to zero
LOW = {"train": 0.1, "test": 0.3}  # errors at the left of both panels of Fig. 2.7
HIGH = 0.5
MATCHED = ["network", "batch size", "augmentation"]


def _ends(tables: Tables, split: str) -> pd.DataFrame:
    """One row per training: its end, and what its configuration is."""
    ends = of_split(tables, "trajectories", split).drop(columns=["network", "augmentation"])
    return ends.join(described(tables), on="configuration")


def fits_without_progress(tables: Tables) -> Ours:
    """Final progress without train error, of AllCNN with Adam less that of all others."""
    ends = _ends(tables, "train")
    ends = ends[ends["final_error"] <= FITTED].reset_index(drop=True)
    own = (ends["architecture"] == "allcnn") & ends["algorithm"].str.startswith("adam")
    own = own.to_numpy()
    if own.all() or not own.any():
        raise NotHere("needs trainings without train error, of AllCNN with Adam and of others")
    progress = ends["final_progress"]
    return with_interval(
        lambda w: weighted_mean(progress, w * own) - weighted_mean(progress, w * ~own), ends
    )


def _beside_line(models: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    """Function of multiplicities: progress above the line through all models' errors."""
    x, y = models["error"].to_numpy(), models["progress"].to_numpy()

    def residual(weights: np.ndarray) -> np.ndarray:
        if np.ptp(x[weights > 0]) == 0:
            return y - np.average(y, weights=weights)
        slope, level = np.polyfit(x, y, 1, w=np.sqrt(weights))
        return y - slope * x - level

    return residual


def progress_at_low_error(split: str, network: str = "") -> Callable[[Tables], Ours]:
    """Progress of a network at low errors less that of others, beside the line through all.

    The network is one by name, or the larger residual one.
    """

    def measure(tables: Tables) -> Ours:
        name = network or largest_residual(tables)
        models = of_split(tables, "models", split)
        models = models[models["error"] < LOW[split]].reset_index(drop=True)
        own = (models["network"] == name).to_numpy()
        if own.all() or not own.any():
            raise NotHere(
                f"needs models of {name} and of others with {split} errors below {LOW[split]:.0%}"
            )
        beside = _beside_line(models)

        def statistic(weights: np.ndarray) -> float:
            if not (weights * own).any() or not (weights * ~own).any():
                return np.nan
            found = beside(weights)
            return np.average(found, weights=weights * own) - np.average(
                found, weights=weights * ~own
            )

        return with_interval(statistic, models, f"{own.sum()} models of {name}")

    return measure


def alike_at_high_error(tables: Tables) -> Ours:
    """Range over networks of progress beside the line, at high errors less at low ones."""
    models = of_split(tables, "models", "train")
    parts = {}
    for name, kept in (("high", models["error"] > HIGH), ("low", models["error"] < LOW["train"])):
        part = models[kept].reset_index()
        group, names = pd.factorize(part["network"])
        if len(names) < 2:
            raise NotHere("needs two networks with train errors above 50%, and below 10%")
        parts[name] = part["index"].to_numpy(), group, len(names), _beside_line(part)

    def spread(name: str, weights: np.ndarray) -> float:
        rows, group, size, beside = parts[name]
        w = weights[rows]
        with np.errstate(invalid="ignore"):
            means = np.bincount(group, w * beside(w), size) / np.bincount(group, w, size)
        return np.nanmax(means) - np.nanmin(means) if np.isfinite(means).any() else np.nan

    return with_interval(lambda w: spread("high", w) - spread("low", w), models)


def spread_of_seeds(tables: Tables) -> Ours:
    """Standard deviation of progress over seeds, over that over configurations, at equal epochs."""
    models = of_split(tables, "models", "train").query("step > 0").dropna(subset="epoch")
    found = models.groupby(["configuration", "epoch"])["progress"]
    rows = found.agg(["mean", "var"]).dropna().reset_index()
    rows = rows[rows.groupby("epoch")["mean"].transform("size") > 1].reset_index(drop=True)
    if rows.empty:
        raise NotHere("needs two configurations of two seeds with epochs in common")
    epoch, names = pd.factorize(rows["epoch"])
    mean, var = rows["mean"].to_numpy(), rows["var"].to_numpy()

    def statistic(weights: np.ndarray) -> float:
        total = np.bincount(epoch, weights, len(names))
        with np.errstate(invalid="ignore", divide="ignore"):
            centre = np.bincount(epoch, weights * mean, len(names)) / total
        between_ = np.average((mean - np.nan_to_num(centre)[epoch]) ** 2, weights=weights)
        return float(np.sqrt(np.average(var, weights=weights) / between_)) if between_ else np.nan

    return with_interval(statistic, rows, scale="ratio")


def nesterov_in_the_end(tables: Tables) -> Ours:
    """Final train progress with Nesterov's acceleration less without, at equal batch size."""
    ends = _ends(tables, "train")
    return with_less_without(
        ends, "final_progress", ends["algorithm"].str.contains("Nesterov"), MATCHED,
        "an optimiser named after Nesterov, and another one with the same batch size",
    )  # fmt: skip


def weight_decay_in_the_end(split: str) -> Callable[[Tables], Ours]:
    """Final progress with weight decay less without."""

    def measure(tables: Tables) -> Ours:
        ends = _ends(tables, split)
        return with_less_without(
            ends, "final_progress", ends["weight decay"], [*MATCHED, "algorithm"],
            "optimisers that are alike but for their weight decay",
        )  # fmt: skip

    return measure


def adam_errs_more(tables: Tables) -> Ours:
    """Final test error of Adam less that of SGD."""
    ends = _ends(tables, "test")
    return with_less_without(
        ends, "final_error", ends["algorithm"].str.startswith("adam"), ["network", "augmentation"],
        "networks that were trained by Adam, and by SGD",
    )  # fmt: skip


def _sizes(table: pd.DataFrame, value: str, at: list[str]) -> pd.DataFrame:
    """One row per otherwise equal pair of sizes: the larger network's value less the smaller's."""
    among = ["architecture", "algorithm", "optimiser", "augmentation"]
    means = table.groupby([*among, *at, "parameters"])[value].mean().reset_index()
    first, last = (means.groupby([*among, *at])["parameters"].transform(f) for f in ("min", "max"))
    pairs = means[last > first].sort_values("parameters").groupby([*among, *at])[value]
    less = (pairs.last() - pairs.first()).rename("less").reset_index()
    if less.empty:
        raise NotHere("no architecture in two sizes with updates in common")
    return less.groupby(among)["less"].mean().reset_index()


def _mean(pairs: pd.DataFrame) -> Ours:
    pairs = pairs.reset_index(drop=True)
    return with_interval(
        lambda w: weighted_mean(pairs["less"], w), pairs, unit="pair",
        by=["architecture", "optimiser", "augmentation"],
    )  # fmt: skip


def larger_with_any_algorithm(tables: Tables) -> Ours:
    """Progress at equal updates, larger network less smaller; least over algorithms."""
    models = of_split(tables, "models", "train").query("step > 0")
    models = models.drop(columns=["network", "augmentation"]).join(
        described(tables), on="configuration"
    )
    pairs = _sizes(models, "progress", ["step"])
    return least_of({str(name): _mean(part) for name, part in pairs.groupby("algorithm")})


def larger_in_the_end(tables: Tables) -> Ours:
    """Final train progress, larger network less smaller."""
    return _mean(_sizes(_ends(tables, "train"), "final_progress", []))


def final_progress(tables: Tables) -> Ours:
    """Mean final progress of all trainings, on train."""
    ends = of_split(tables, "trajectories", "train")
    return with_interval(lambda w: weighted_mean(ends["final_progress"], w), ends)


CLAIMS = [
    Claim(
        "AllCNN with Adam fits all samples at less progress than others (final train progress "
        "without train error, difference)",
        "section 2.3",
        NEGATIVE,
        fits_without_progress,
    ),
    *(
        Claim(
            f"At low error, {words} progress than other networks, {split} (beside the line through "
            "all, difference)",
            f"section 2.3, Fig. 2.7{panel}",
            rule,
            progress_at_low_error(split, network),
        )
        for split, panel in (("train", "a"), ("test", "b"))
        for network, words, rule in (
            ("AllCNN", "AllCNN has less", NEGATIVE),
            ("", "the larger residual network has more", POSITIVE),
        )
    ),
    Claim(
        "At high error all networks have similar progress, train (range over networks, errors "
        "above 50% less those below 10%)",
        "section 2.3, Fig. 2.7a",
        NEGATIVE,
        alike_at_high_error,
    ),
    Claim(
        "Initial weights do not change the rate of progress, train (deviation over seeds over that "
        "over configurations, at most half)",
        "section 2.3",
        between(0, 0.5),
        spread_of_seeds,
    ),
    Claim(
        "The lead of Nesterov's acceleration vanishes (difference of final train progress, at most "
        "0.05)",
        "section 2.3",
        between(-0.05, 0.05),
        nesterov_in_the_end,
    ),
    *(
        Claim(
            f"Weight decay leads to less final progress, {split} (difference)",
            "section 2.3",
            NEGATIVE,
            weight_decay_in_the_end(split),
        )
        for split in ("train", "test")
    ),
    Claim(
        "Adam ends with a larger test error than SGD (difference)",
        "section 2.3",
        POSITIVE,
        adam_errs_more,
    ),
    Claim(
        "The larger network of an architecture is ahead at equal updates irrespective of the "
        "optimiser (progress, least difference over algorithms)",
        "Fig. 2.8",
        POSITIVE,
        larger_with_any_algorithm,
    ),
    Claim(
        "The larger network of an architecture proceeds further towards the truth (difference of "
        "final train progress)",
        "section 2.4",
        POSITIVE,
        larger_in_the_end,
    ),
    Claim(
        "Trajectories end at a progress close to 0.9, train",
        "section 2.3",
        about(0.05),
        final_progress,
        0.9,
        IMAGENET,
    ),
]
