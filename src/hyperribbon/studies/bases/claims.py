"""Questions of chapter 6, which has no published answers: these are first values.

The rules were written before the study ran, except that the target of 95% for samples, and the
correlations of monitoring, were chosen after a first look at the default study. Pieces are random
halves of the trainings, which are drawn for the intervals: with the few that a study has, these are
wide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from hyperribbon.embedding.bases.judging import size_reaching
from hyperribbon.reporting.claims import Claim, NotHere, Ours
from hyperribbon.reporting.combining import mean_over
from hyperribbon.reporting.rules import AT_LEAST, AT_MOST, POSITIVE, not_worse
from hyperribbon.reporting.statistics import Tables, of_split

SOURCE = "Sec. 6, our own question"
SHARE = 0.95
EXPLAINED = "explained_pairwise_distance"
SUBSET = {"method": "subset", "mixture": "probability"}
GREEDY = {"method": "greedy", "weighted": True}
RANDOM = {"method": "random", "weighted": False}
HALVES = "trainings"


def _rows(
    tables: Tables,
    name: str,
    held_out: str,
    about: Mapping[str, object] = MappingProxyType({}),
    split: str = "test",
) -> pd.DataFrame:
    """Rows of a table with models held out in a way, and given values in some columns."""
    if name not in tables:
        raise NotHere("needs bases of models and of samples, as in config/bases.yaml")
    found = of_split(tables, name, split, held_out=held_out, **about)
    if found.empty:
        raise NotHere(f"the study has no models to hold out by {held_out}")
    return found


def _over(values: pd.Series, note: str, unit: str = "piece") -> Ours:
    """Mean over pieces, or other units, of values by their names."""
    table = pd.DataFrame({unit: values.index.astype(str), "value": values.to_numpy(float)})
    ours = mean_over(table, "value", note, unit=unit)
    return ours._replace(sample=f"{len(table)} {unit}{'s' * (len(table) != 1)}")


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["size"] == table["size"].max()]


def share_of_models_needed(tables: Tables) -> Ours:
    """Basis models for 95%, as a share of the models fitted."""
    found = _rows(tables, "model_bases", HALVES)
    found = found[found["mixture"] == "probability"]
    needed = {str(method): _sizes(rows, SHARE) for method, rows in found.groupby("method")}
    reached = {method: sizes for method, sizes in needed.items() if not sizes.isna().any()}
    if not reached:
        best = _largest(found).groupby("method")[EXPLAINED].mean()
        size = found["size"].max()
        raise NotHere(
            f"no basis of up to {size} models keeps 95% of the distances of trainings held out "
            f"(at most {best.max():.0%}, {best.idxmax()})"
        )
    method = min(reached, key=lambda name: reached[name].mean())
    shares = reached[method] / found["fitted"].iloc[0]
    return _over(shares, f"{method}, {reached[method].mean():.0f} models")


def _sizes(rows: pd.DataFrame, share: float) -> pd.Series:
    """Least size of a basis that keeps a share of the distances, by piece; NaN if none does."""
    return pd.Series({piece: size_reaching(part, share) for piece, part in rows.groupby("piece")})


def best_share_of_models(column: str = EXPLAINED) -> Callable[[Tables], Ours]:
    """Function that measures what the best method keeps with the most basis models."""

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "model_bases", HALVES)
        found = _largest(found[found["mixture"] == "probability"])
        method = found.groupby("method")[column].mean().idxmax()
        note = f"{method}, {found['size'].iloc[0]} of {found['fitted'].iloc[0]} models"
        return _over(found[found["method"] == method].set_index("piece")[column], note)

    return measure


def mixtures_less_inpca(tables: Tables) -> Ours:
    """Explained by the best basis of models less by as many coordinates of InPCA."""
    found = _rows(tables, "model_bases", HALVES)
    found = _largest(found[found["mixture"].fillna("").isin(["", "probability"])])
    by_piece = found.pivot(index="piece", columns="method", values=EXPLAINED)
    inpca = by_piece.pop("InPCA")
    method = str(by_piece.mean().idxmax())
    return _over(by_piece[method] - inpca, f"{method}, {found['size'].iloc[0]} models")


def larger_less_halves(name: str, about: Mapping[str, object]) -> Callable[[Tables], Ours]:
    """Function that measures what a basis from small networks loses on large ones.

    A study has one division of its networks by size, so there is no interval.
    """

    def measure(tables: Tables) -> Ours:
        larger = _largest(_rows(tables, name, "larger networks", about))
        halves = _largest(_rows(tables, name, HALVES, about))
        note = f"{larger['size'].iloc[0]}, fitted to {larger['piece'].iloc[0]}"
        value = larger[EXPLAINED].iloc[0] - halves[EXPLAINED].mean()
        drawn = "no interval: one division of the networks by size"
        return Ours(value, note=note, drawn=drawn, sample=f"{larger['judged'].iloc[0]} models")

    return measure


def samples_needed(tables: Tables) -> Ours:
    """Samples of a greedy basis for 95%, as a share of all."""
    found = _rows(tables, "sample_bases", HALVES, GREEDY)
    sizes = _sizes(found, SHARE)
    if sizes.isna().any():
        raise NotHere(f"{found['size'].max()} samples keep less than 95% of the distances")
    monitored = _rows(tables, "monitoring", HALVES, GREEDY)
    total = float(monitored["all_samples"].iloc[0])
    return _over(sizes / total, f"{sizes.mean():.0f} of {total:.0f} samples")


def greedy_less_random(tables: Tables) -> Ours:
    """Explained by 20 (or the most) greedy samples less by as many random ones."""
    greedy, random = (
        _rows(tables, "sample_bases", HALVES, about).set_index(["piece", "size"])[EXPLAINED]
        for about in (GREEDY, RANDOM)
    )
    sizes = greedy.index.unique("size")
    size = sizes[np.abs(sizes - 20).argmin()]
    less = (greedy - random).xs(size, level="size")
    return _over(less, f"{size} samples")


def correlation(quantity: str, models: str) -> Callable[[Tables], Ours]:
    """Function that measures how well about 50 samples rank unseen models."""

    def measure(tables: Tables) -> Ours:
        about = {"quantity": quantity, "models": models, **GREEDY}
        found = _rows(tables, "monitoring", HALVES, about)
        size = found.loc[(found["size"] - 50).abs().idxmin(), "size"]
        found = found[found["size"] == size]
        values = found.set_index("piece")["pearson"].dropna()
        if values.empty:
            raise NotHere("all models have the same value")
        cut = found["cost_cut"].iloc[0]
        return _over(values, f"{size} samples, evaluation {cut:.0f} times cheaper")

    return measure


def tangents_less(other: str) -> Callable[[Tables], Ours]:
    """Function that measures what three directions keep less what another basis does.

    All are fitted to the models that they are judged by, at once, so there is no interval.
    """

    def measure(tables: Tables) -> Ours:
        found = _rows(tables, "tangent_bases", "none", split="train")
        models = found["judged"].iloc[0]
        found = found[found["dimensions"] == 3].set_index("basis")[EXPLAINED]
        if not {"tangents", other} <= set(found.index):
            raise NotHere("no models near both ends, so there are no tangents")
        note = f"{found['tangents']:.3f} less {found[other]:.3f}"
        drawn = "no interval: all models at once"
        value = float(found["tangents"] - found[other])
        return Ours(value, note=note, drawn=drawn, sample=f"{models} models")

    return measure


def kernel_cosine(at_end: bool) -> Callable[[Tables], Ours]:
    """Function that measures how trainings and their tangent kernels agree, over networks."""

    def measure(tables: Tables) -> Ours:
        if "kernel_tangents" not in tables or tables["kernel_tangents"].empty:
            raise NotHere("needs trainings whose weights before training are kept, and bases")
        rows = tables["kernel_tangents"].groupby("network", sort=False)
        found = (rows.last() if at_end else rows.first())["cosine"]
        note = ", ".join(f"{network} {value:.2f}" for network, value in found.items())
        return _over(found, note, unit="network")

    return measure


CLAIMS = [
    Claim(
        "The mixtures of few models keep 95% of the distances between trainings held out: K << m "
        "(share of the models that are needed, test)",
        SOURCE,
        AT_MOST,
        share_of_models_needed,
        0.1,
    ),
    Claim(
        "A basis of models keeps most of the distances between trainings held out (best method, "
        "most basis models, test)",
        SOURCE,
        AT_LEAST,
        best_share_of_models(),
        0.9,
    ),
    Claim(
        "A basis of models keeps most of these distances with one number more per model, its "
        "distance to its mixture (best method, most basis models, test)",
        SOURCE,
        AT_LEAST,
        best_share_of_models("explained_with_residuals"),
        0.9,
    ),
    Claim(
        "Mixtures of K models keep as much as K coordinates of InPCA (difference, test)",
        SOURCE,
        not_worse(0.02),
        mixtures_less_inpca,
    ),
    Claim(
        "A basis of models from small networks holds for large ones (difference from random "
        "halves, test)",
        SOURCE,
        not_worse(0.05),
        larger_less_halves("model_bases", SUBSET),
    ),
    Claim(
        "A basis of samples from small networks holds for large ones (difference from random "
        "halves, test)",
        SOURCE,
        not_worse(0.02),
        larger_less_halves("sample_bases", GREEDY),
    ),
    Claim(
        "Few samples keep 95% of the distances between trainings held out (share of all samples, "
        "test)",
        SOURCE,
        AT_MOST,
        samples_needed,
        0.1,
    ),
    Claim(
        "Samples chosen greedily keep more than as many random ones (difference at about 20, test)",
        SOURCE,
        POSITIVE,
        greedy_less_random,
    ),
    *(
        Claim(
            f"About 50 samples rank {what} by {quantity} as all samples do (correlation, test)",
            SOURCE,
            AT_LEAST,
            correlation(quantity, models),
            0.95,
        )
        for models, what in (
            ("checkpoints", "unseen checkpoints"),
            ("ends", "the ends of unseen trainings"),
        )
        for quantity in ("progress", "loss", "error")
    ),
    Claim(
        "Three directions keep more than the embedding of four points (difference, train)",
        SOURCE,
        POSITIVE,
        tangents_less("four points"),
    ),
    Claim(
        "Three directions keep as much as InPCA's first three coordinates (difference, train)",
        SOURCE,
        not_worse(0.05),
        tangents_less("InPCA"),
    ),
    Claim(
        "Trainings start in the direction of their tangent kernel (cosine at the first checkpoint, "
        "mean over networks)",
        SOURCE,
        AT_LEAST,
        kernel_cosine(at_end=False),
        0.9,
    ),
    Claim(
        "Trainings leave the direction of their tangent kernel (cosine at the end, mean over "
        "networks)",
        SOURCE,
        AT_MOST,
        kernel_cosine(at_end=True),
        0.5,
    ),
]
