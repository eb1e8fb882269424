"""Models in the span of three directions, beside embeddings of four points and of all models."""

from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from hyperribbon.embedding import explained_pairwise_distance
from hyperribbon.embedding.bases import TangentBasis, judge_inpca
from hyperribbon.embedding.bases.tangents import DIRECTIONS
from hyperribbon.embedding.four_points import embed_four_points
from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import progress
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.bases.config import BasesConfig
from hyperribbon.studies.bases.divisions import (
    FITTED,
    TRAININGS,
    SomeModels,
    divisions,
    some_checkpoints,
)
from hyperribbon.studies.step import logger, run_step

S = 0.2  # progress of the averages, as the thesis shows it
COUNTS = (1, 2, 3)
COLUMNS = ["split", "held_out", "piece", "fitted", "judged", "basis", "dimensions"]


def main(
    predictions: list[Path], bases: BasesConfig, threads: int, output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:  # fmt: skip
    """Judge three directions as a basis.

    Parameters
    ----------
    predictions : manifests
    bases : section of the study, JSON
    threads : of linear algebra, and tiles of distances worked on at once
    output : CSV files of what is kept, and of the angles between the directions
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    rows = some_checkpoints(models, bases.checkpoints)
    kept, angles = [], []
    with threadpool_limits(threads):
        for split in SPLITS:
            P, labels = SomeModels(models, split, rows), models.labels(split)
            D = pairwise_distance(P.all, floor=FLOOR, threads=threads)
            s = np.ravel(progress(P.all, labels, smoothing=smoothing, threads=threads))
            table = models.table.iloc[rows].reset_index(drop=True)
            for division in divisions(table, models.configurations, bases.draws):
                if division.held_out not in (FITTED, TRAININGS):
                    continue
                fitted, judged = division.fitted, division.judged
                among = D[np.ix_(judged, judged)]
                of_fitted, of_judged = P[fitted], P[judged]
                about = {"split": split, **division.about()}
                try:
                    basis = TangentBasis(S).fit(of_fitted, labels, progress_of_models=s[fitted])
                except DataError as error:  # no model near one end
                    logger.warning("%s: %s", split, error)
                else:
                    shares = [basis.score(of_judged, among, count) for count in COUNTS]
                    kept.append(_rows("tangents", shares).assign(**about))
                    if division.held_out == FITTED:
                        angles.append(_angles(basis.cosines_).assign(split=split))
                if division.held_out == FITTED:
                    four = embed_four_points(of_fitted, s, labels, values=[S], smoothing=smoothing)
                    for found in four.values():
                        signs = found.inpca.signature_
                        of_four = explained_pairwise_distance(among, found.embedding, signs)
                        kept.append(_rows("four points", of_four).assign(**about))
                within, between = D[np.ix_(fitted, fitted)], D[np.ix_(judged, fitted)]
                of_inpca = judge_inpca(within, between, among, COUNTS)
                shares = of_inpca["explained_pairwise_distance"].tolist()
                kept.append(_rows("InPCA", shares).assign(**about))
            logger.info("%s: three directions, from %d models", split, len(rows))
    write_table(pd.concat(kept).set_index(COLUMNS).reset_index(), output[0])
    columns = ["split", "direction", "other", "cosine"]
    found = pd.concat(angles) if angles else pd.DataFrame(columns=columns)
    write_table(found[columns], output[1])


def _rows(name: str, shares) -> pd.DataFrame:
    """One row per number of dimensions."""
    found = pd.DataFrame({"dimensions": COUNTS, "explained_pairwise_distance": list(shares)})
    return found.assign(basis=name)


def _angles(cosines: np.ndarray) -> pd.DataFrame:
    """One row per pair of directions."""
    pairs = [(j, k) for j in range(3) for k in range(j + 1, 3)]
    return pd.DataFrame(
        {"direction": DIRECTIONS[j], "other": DIRECTIONS[k], "cosine": cosines[j, k]}
        for j, k in pairs
    )


if __name__ == "__main__":
    run_step(main)
