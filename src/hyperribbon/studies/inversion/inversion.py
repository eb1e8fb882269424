"""Class manifolds of one data set: trainings, their inversion, its stragglers."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from threadpoolctl import threadpool_limits

from hyperribbon.errors import StoreError
from hyperribbon.representations.inversion_experiments import (
    Images,
    InversionSettings,
    curves_table,
    points_table,
    run_all,
)
from hyperribbon.representations.inversion_in_predictions import predictions_table
from hyperribbon.representations.straggler_experiments import (
    as_images,
    conservation_table,
    difficulty_table,
    run_removals,
)
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.inversion.config import InversionConfig
from hyperribbon.studies.step import logger, run_step
from hyperribbon.training.parallel import set_up


def main(inversion: InversionConfig, inputs: Path, output: list[Path]) -> None:
    """Train networks on one data set, and find where their class manifolds invert.

    Parameters
    ----------
    inversion : section of the study, JSON
    inputs : npz file of images, DATA.npz
    output : CSV files, TABLE-DATA.csv
    """
    set_up(1)
    threadpool_limits(1)  # numpy's products, too, because one job runs per core
    name = inputs.stem
    images = read_images(inputs)
    settings = settings_of(inversion, name)
    base, others = run_all(images, settings, progress_bar=name)
    found = base.inversions[0]
    if found.inverts.any():
        logger.info(
            "%s: %d of %d runs invert, at epoch %.0f, training error %.4f", name,
            found.inverts.sum(), len(found.step), np.nanmean(found.step), np.nanmean(found.error),
        )  # fmt: skip
    else:
        logger.warning(
            "%s: no run inverts within %d epochs; its curves are kept, but there are no stragglers "
            "to compare or remove", name, settings.epochs,
        )  # fmt: skip
    removed, counts = run_removals(base, images, settings)
    manifold, signatures = predictions_table(base)
    tables = {
        "inversion_curves": curves_table([base, *others, *removed]),
        "inversion_points": points_table([base, *others, *removed]),
        "inversion_removed": counts,
        "inversion_conservation": conservation_table(base, others, images),
        "inversion_difficulty": difficulty_table(base, others, images),
        "inversion_manifold": manifold,
        "inversion_signatures": signatures,
    }
    for path in output:
        table = tables[path.stem.removesuffix(f"-{name}")]
        table.insert(0, "data", name)
        write_table(table, path)


def settings_of(inversion: InversionConfig, name: str) -> InversionSettings:
    """What is trained on a data set."""
    common = inversion.model_dump(exclude={"data", "samples"})
    section = {str(key): value for key, value in inversion.data.items()}[name]
    return InversionSettings(section.learning_rate, section.epochs, **common)


def read_images(path: Path) -> Images:
    """Images as the step `inversion_inputs` writes them, standardised."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names = ("x", "classes", "test_x", "test_classes")
            return as_images(*(arrays[key] for key in names))
    except (EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StoreError(f"{path}: damaged ({error}); delete it and run again") from None


if __name__ == "__main__":
    run_step(main)
