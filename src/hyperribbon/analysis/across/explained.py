"""What the first dimensions explain, of each study and of all together, beside null models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from hyperribbon.analysis.across.pictures import Picture
from hyperribbon.bars import step_bar
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.embedding.intervals import explained_stress_interval
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability.shuffling import NULLS
from hyperribbon.probability.views import selections

MODELS = 400  # whose distances are computed again for each draw of a null model, at most
DRAWS = 3  # of each null model
DIMENSIONS = 50
MEASURES = ("explained_stress", "explained_pairwise_distance")
COLUMNS = [
    "picture", "study", "split", "kind", "draw", "models", "samples", "dimension", *MEASURES,
    "low", "high",
]  # fmt: skip


def explained_by_dimension(pictures: Sequence[Picture]) -> pd.DataFrame:
    """What the first dimensions of InPCA explain, beside null models.

    Explained stress depends on how many models there are, so at most 400 of each study are taken,
    evenly spaced, and as many of all studies of a picture together. In a null model, samples
    trade places within their classes, by training or by model: then models share nothing but how
    far they got. Where labels are not known, there is no null model.

    Parameters
    ----------
    pictures : sequence of Picture

    Returns
    -------
    DataFrame
        One row per picture, study (or picture again, for all of its studies together), split,
        kind ("observed" or the name of a null model), draw and dimension: explained_stress (Eq.
        2.2.8), explained_pairwise_distance (Eq. 2.4.2); low and high, the 95% bootstrap interval
        of the observed explained stress over configurations.
    """
    todo = [
        (picture, split, rows, name)
        for picture in pictures
        for split in picture.study.splits
        for name, rows in _families(picture)
    ]
    found = []
    with step_bar(len(todo), "explained stress and null models") as bar:
        for picture, split, rows, name in todo:
            table = pd.concat(_of_family(picture, split, rows))
            found.append(table.assign(picture=picture.study.name, study=name, split=split))
            bar.update(1)
    return pd.concat(found, ignore_index=True)[COLUMNS]


def _families(picture: Picture) -> Iterator[tuple[str, np.ndarray]]:
    """Each study of a picture, then all together, with the rows of the models that are taken."""
    study = picture.study.models["study"]
    for name in picture.names:
        rows = np.flatnonzero(study == name)
        yield name, rows[evenly(len(rows), MODELS)]
    if len(picture.names) > 1:
        yield picture.study.name, evenly(len(study), MODELS)


def _of_family(picture: Picture, split: str, rows: np.ndarray) -> Iterator[pd.DataFrame]:
    geometry = picture.study.geometry(split)
    parts = selections(geometry.held, rows)
    configurations = picture.study.models["configuration"].iloc[rows]
    D = pairwise_distance(parts, floor=FLOOR)
    table = _table(D)
    low, high = explained_stress_interval(D, configurations, table["explained_stress"].to_numpy())
    about = {"models": len(rows), "samples": parts[0].shape[1]}
    yield table.assign(kind="observed", draw=0, low=low, high=high, **about)
    if geometry.labels is None:
        return
    for draw in range(DRAWS):
        for kind, shuffled in NULLS.items():
            D = pairwise_distance(shuffled(parts, geometry.labels, draw), floor=FLOOR)
            yield _table(D).assign(kind=kind, draw=draw, low=np.nan, high=np.nan, **about)


def _table(D: np.ndarray) -> pd.DataFrame:
    inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0)
    return dimension_table(inpca.fit(D))[["dimension", *MEASURES]]
