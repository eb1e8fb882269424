"""Models away from the manifold, and trainings that fail (thesis 2.3, 2.5.2, 2.5.4.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.rules import POSITIVE, about, at_least, at_most, between, within_factor
from hyperribbon.reporting.statistics import (
    Tables,
    drawn_share,
    of_split,
    weighted_mean,
    weighted_quantile,
    with_interval,
)
from hyperribbon.studies.manifold.claims import CIFAR10
from hyperribbon.studies.manifold.claims.pairs import described, largest_residual

IGNORANT = 0.895  # error of ignorance with ten classes is 0.9
FITTED = 0.001  # train error that the text rounds to zero
BY_ADAM = ("convmixer", "wide_resnet", "resnet")  # architectures of which Adam's models are away
LARGE_BATCH = 500
MOST = between(0.5, 1)
KEYS = ["configuration", "stage", "seed", "checkpoint"]


def _away(tables: Tables, split: str = "train") -> pd.DataFrame:
    """Models away from the manifold, with what their configurations are."""
    models = of_split(tables, "models", split)
    models = models[models["away"].astype(bool)]
    if models.empty:
        raise NotHere("no model is away from the manifold")
    return models.join(
        described(tables)[["architecture", "algorithm", "batch size"]], on="configuration"
    ).reset_index(drop=True)


def _share(found: pd.DataFrame, chosen: pd.Series) -> Ours:
    note = f"{chosen.sum()} of {len(chosen)} models"
    return drawn_share(chosen, found, note)


def _compares_algorithms(chosen: pd.DataFrame) -> None:
    """Raise NotHere unless some networks were trained both by Adam and by SGD."""
    kinds = chosen["algorithm"].str.startswith("adam")
    if kinds.groupby(chosen["network"]).nunique().max() != 2:
        raise NotHere("needs networks that were trained by Adam, and by SGD")


def by_adam_of_some(tables: Tables) -> Ours:
    """Share of Adam among the models of ConvMixer and residual networks that are away."""
    about = described(tables)
    _compares_algorithms(about[about["architecture"].isin(BY_ADAM)])
    found = _away(tables)
    found = found[found["architecture"].isin(BY_ADAM)].reset_index(drop=True)
    if found.empty:
        raise NotHere("no model of these networks is away from the manifold")
    return _share(found, found["algorithm"].str.startswith("adam"))


def by_adam(tables: Tables) -> Ours:
    """Share of Adam among the models that are away."""
    _compares_algorithms(described(tables))
    found = _away(tables)
    return _share(found, found["algorithm"].str.startswith("adam"))


def by_large_batches(tables: Tables) -> Ours:
    """Share of SGD with large batches among the models that are away."""
    about = described(tables)
    if about.loc[about["algorithm"].str.startswith("sgd"), "batch size"].max() < LARGE_BATCH:
        raise NotHere(f"needs SGD with batches of at least {LARGE_BATCH}")
    found = _away(tables)
    large = found["batch size"] >= LARGE_BATCH
    return _share(found, large & found["algorithm"].str.startswith("sgd"))


def adam_is_later(tables: Tables) -> Ours:
    """Mean epoch of models that are away, of Adam less that of SGD."""
    found = _away(tables).dropna(subset="epoch").reset_index(drop=True)
    adam = found["algorithm"].str.startswith("adam").to_numpy()
    if adam.all() or not adam.any():
        raise NotHere("needs models away from the manifold by Adam, and by SGD")
    epoch = found["epoch"]
    return with_interval(
        lambda w: weighted_mean(epoch, w * adam) - weighted_mean(epoch, w * ~adam), found
    )


def fitted_in_the_end(tables: Tables) -> Ours:
    """Share of trainings without final train error, among those with models that are away."""
    names = ["configuration", "seed"]
    trainings = _away(tables)[names].drop_duplicates()
    ends = trainings.merge(of_split(tables, "trajectories", "train"), on=names)
    fits = ends["final_error"] <= FITTED
    note = f"{fits.sum()} of {len(fits)} trainings, at most {FITTED:.1%} error"
    return drawn_share(fits, ends, note)


def as_ignorant(tables: Tables) -> Ours:
    """Share of models that are away and have the error of ignorance."""
    models = of_split(tables, "models", "train")
    found = models["away"].astype(bool) & (models["error"] >= IGNORANT)
    return drawn_share(found, models, f"{found.sum()} of {len(found)} models")


def concentrated(tables: Tables) -> Ours:
    """Share of these models that the 39% of trainings with most of them have."""
    found = _away(tables)
    counts = found[found["error"] >= IGNORANT].groupby(["configuration", "seed"]).size()
    if len(counts) < 5:
        raise NotHere("needs five trainings with models that have the error of ignorance")
    rows = counts.rename("models").reset_index()

    def statistic(weights: np.ndarray) -> float:
        drawn = np.sort(np.repeat(rows["models"].to_numpy(), weights.astype(int)))[::-1]
        return float(drawn[: round(145 / 370 * len(drawn))].sum() / drawn.sum())

    return with_interval(statistic, rows, f"{rows['models'].sum()} models", unit="training")


def away_on_both(tables: Tables) -> Ours:
    """Share of the models away on test that are away on train, too."""
    test, train = (_away(tables, split) for split in ("test", "train"))
    both = test.merge(train[KEYS], on=KEYS, how="left", indicator="also")
    return _share(both, both["also"] == "both")


def _trainings(tables: Tables) -> pd.DataFrame:
    """One row per training, with its network and whether it failed."""
    columns = ["configuration", "network", "seed"]
    ends = of_split(tables, "trajectories", "train")
    failed = ends["final_error"] >= IGNORANT
    diverged = tables["diverged"].reindex(columns=columns).assign(failed=True)
    return pd.concat([ends[columns].assign(failed=failed), diverged], ignore_index=True)


def failing(tables: Tables) -> Ours:
    """Share of trainings that diverged, or ended with the error of ignorance."""
    rows = _trainings(tables)
    return drawn_share(rows["failed"], rows, f"{rows['failed'].sum()} of {len(rows)} trainings")


def failing_networks(tables: Tables) -> Ours:
    """Share of failed trainings of ViT and the larger residual network, less that of others."""
    rows, large = _trainings(tables), largest_residual(tables)
    about = described(tables).drop_duplicates("network").set_index("network")["architecture"]
    own = ((rows["network"] == large) | (rows["network"].map(about) == "vit")).to_numpy()
    if not rows["failed"].any():
        raise NotHere("no training failed")
    if own.all() or "vit" not in set(about):
        raise NotHere("needs a ViT, residual networks of two sizes, and others")
    failed = rows["failed"].astype(float)
    return with_interval(
        lambda w: weighted_mean(failed, w * own) - weighted_mean(failed, w * ~own), rows
    )


def _accurate(tables: Tables) -> pd.DataFrame:
    """Models with a test error below 10%, on test."""
    models = of_split(tables, "models", "test")
    found = models[models["error"] < 0.1].reset_index(drop=True)
    if found.empty:
        raise NotHere("no model has a test error below 10%")
    return found


def accurate_networks(tables: Tables) -> Ours:
    """Share of ConvMixer and the larger residual network among models below 10% test error."""
    large, found = largest_residual(tables), _accurate(tables)
    architecture = found["configuration"].map(described(tables)["architecture"])
    return _share(found, (architecture == "convmixer") | (found["network"] == large))


def accurate_to_truth(tables: Tables) -> Ours:
    """Distance from the truth within which three of four such models are, on test, in nats."""
    found = _accurate(tables)
    distance = found["distance_to_truth"]
    note = f"the largest is {distance.max():.3g}"
    return with_interval(lambda w: weighted_quantile(distance, w, 0.75), found, note)


CLAIMS = [
    Claim(
        "Most models of ConvMixer and residual networks that are away were trained by Adam (share)",
        "section 2.3, Fig. 2.3a",
        MOST,
        by_adam_of_some,
    ),
    Claim(
        "Adam is responsible for about 55% of the models that are away",
        "section 2.3, Fig. 2.3b",
        about(0.1),
        by_adam,
        0.55,
        CIFAR10,
    ),
    Claim(
        "SGD with large batches, of at least 500 samples, is responsible for about 35% of the "
        "models that are away",
        "section 2.3, Fig. 2.3b",
        about(0.1),
        by_large_batches,
        0.35,
        CIFAR10,
    ),
    Claim(
        "Adam's models that are away come later in training than those of SGD (difference of mean "
        "epochs)",
        "section 2.3, Fig. 2.3b",
        POSITIVE,
        adam_is_later,
    ),
    Claim(
        "Over half of the trainings with models away end without train error (share)",
        "section 2.3",
        MOST,
        fitted_in_the_end,
    ),
    Claim(
        "About 1% of all models are away with the error of ignorance (published: 1,500 of 151,407)",
        "section 2.3",
        within_factor(2),
        as_ignorant,
        1500 / 151_407,
        CIFAR10,
    ),
    Claim(
        "Few trainings have most of the models that are away with the error of ignorance: 85% are "
        "from 145 of 370 (share of the 39% with most)",
        "section 2.3",
        at_least(0.05),
        concentrated,
        0.85,
        CIFAR10,
    ),
    Claim(
        "Models away on test are those away on train (share, at least 90%)",
        "section 2.5.4.2",
        between(0.9, 1),
        away_on_both,
    ),
    Claim(
        "Of 3,120 configurations, 824 did not train (share of trainings)",
        "section 2.5.2, Fig. 2.11",
        about(0.05),
        failing,
        824 / 3120,
        CIFAR10,
    ),
    Claim(
        "ViT and the larger residual network fail to train more often than others (share of "
        "trainings, difference)",
        "section 2.5.2, Fig. 2.11",
        POSITIVE,
        failing_networks,
    ),
    Claim(
        "Models with test errors below 10% are mainly ConvMixer and larger residual networks "
        "(share)",
        "section 2.5.4.2, Fig. 2.18",
        MOST,
        accurate_networks,
        data=CIFAR10,
    ),
    Claim(
        "Three of four models with test errors below 10% are within 1 nat of the truth, test",
        "section 2.5.4.2, Fig. 2.18",
        at_most(0.1),
        accurate_to_truth,
        1.0,
        CIFAR10,
    ),
]
