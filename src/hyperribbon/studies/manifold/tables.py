"""Everything a study found, as tidy CSV tables; `split` is the first column where there is one."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.analysis.tables import TABLES
from hyperribbon.probability import ignorance, truth
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.manifold.stored import KINDS, StoredGeometry
from hyperribbon.studies.step import logger, run_step
from hyperribbon.trajectories import trajectory_length


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    embedding: tuple[Path, Path],
    progress: tuple[Path, Path],
    trajectories: tuple[Path, Path],
    output: list[Path],
) -> None:
    """Write the tables of a study.

    Parameters
    ----------
    predictions : manifests
    distance, embedding, progress, trajectories : manifests, train then test
    output : CSV files, TABLE.csv
    """
    models = Models(list(map(store_path, predictions)))
    manifests = zip(distance, embedding, progress, trajectories, strict=True)
    splits = [
        StoredGeometry(models, split, dict(zip(KINDS, map(store_path, given), strict=True)))
        for split, given in zip(SPLITS, manifests, strict=True)
    ]
    tables = {name: [table(of_split) for of_split in splits] for name, table in TABLES.items()}
    tables["away"] = [away_table(per_model) for per_model in tables["models"]]
    whole = {
        name: pd.concat(parts).set_index("split").reset_index() for name, parts in tables.items()
    }
    whole["configurations"] = models.configurations
    whole["diverged"] = models.trainings.query("diverged_step >= 0")
    length = geodesic_length(models.n_classes, splits[0].smoothing)
    whole["summary"] = summary_table(models, whole, length)
    for path in output:
        write_table(whole[path.stem], path)
        logger.info("%s: %d rows", path.name, len(whole[path.stem]))


def away_table(per_model: pd.DataFrame) -> pd.DataFrame:
    """One row per network, optimiser, augmentation and time: models, and those that are away."""
    strata = ["split", "network", "optimiser", "augmentation", "step", "epoch"]
    found = per_model.groupby(strata, sort=False, dropna=False)["away"]
    return found.agg(models="size", away="sum").reset_index()


def geodesic_length(n_classes: int, smoothing: float) -> float:
    """Length of the geodesic from ignorance to truth, radians."""
    end = truth(np.zeros(1, int), n_classes, smoothing)
    return float(trajectory_length(np.stack([ignorance(1, n_classes), end])))


def summary_table(
    models: Models, tables: dict[str, pd.DataFrame], geodesic_length: float
) -> pd.DataFrame:
    """Sum up what was found in a few numbers."""
    diverged = tables["diverged"]
    names = [f"{row.configuration} seed {row.seed}" for row in diverged.itertuples()]
    rows: list[tuple[str, str, str]] = [
        ("configurations", str(models.trainings["configuration"].nunique()), ""),
        ("trainings", str(len(models.trainings)), ""),
        ("diverged trainings, left out", str(len(diverged)), "; ".join(names)),
        ("models", str(len(models)), "checkpoints of the trainings that did not diverge"),
        ("length of the geodesic", f"{geodesic_length:.4f}", "radians"),
    ]
    for split in SPLITS:
        stress = tables["explained_stress"].query("split == @split")
        for dimension in (1, 3, 10, 25, 50):
            found = stress.query("dimension == @dimension")
            if len(found):
                share = found["explained_stress"].iloc[0]
                value, note = ("", "all in one point") if np.isnan(share) else (f"{share:.3f}", "")
                rows.append((f"explained stress of {dimension} dimensions, {split}", value, note))
        per_model = tables["models"].query("split == @split")
        r = np.corrcoef(per_model["progress"], per_model["error"])[0, 1]
        rows.append((f"R^2 of progress and error, {split}", f"{r**2:.3f}", "linear regression"))
        widths = tables["tubes"].query("split == @split")["to_mean"].dropna()
        if len(widths):
            rows.append((f"median tube width, {split}", f"{widths.median():.4f}", "nats"))
        to_truth = tables["trajectories"].query("not stage.str.startswith('to corner')")
        final = to_truth.query("split == @split")["final_error"]
        value = f"{final.mean():.4f}"
        rows.append(
            (f"mean final error, {split}", value, f"{final.min():.4f} to {final.max():.4f}")
        )
    return pd.DataFrame(rows, columns=["quantity", "value", "note"])


if __name__ == "__main__":
    run_step(main)
