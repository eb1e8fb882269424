"""Write the interactive picture as one HTML file that loads nothing from the network."""

from pathlib import Path

import zarr

from hyperribbon.analysis.apart import samples_apart
from hyperribbon.analysis.explorer import SetsApart, explorer
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import parameters_of
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.step import run_step


def main(
    tables: list[Path],
    predictions: list[Path],
    progress: tuple[Path, Path],
    threads: int,
    output: Path,
    data: Path | None = None,
    classes: tuple[str, ...] = (),
) -> None:
    """Write the interactive picture of all models, with the samples that set each apart.

    Parameters
    ----------
    tables : CSV files
    predictions : manifests
    progress : manifests of the models' progress, train then test
    threads : blocks of models worked on at once
    output : HTML file to write
    data : manifest of the data, which may be images; none if they are not known
    classes : names of the classes; their numbers by default
    """
    models = Models(list(map(store_path, predictions)))
    names = classes or models.class_names() or [str(c) for c in range(models.n_classes)]
    sets_apart: dict[str, SetsApart] = {}
    for split, manifest in zip(SPLITS, progress, strict=True):
        store = models.open(store_path(manifest))
        apart = samples_apart(
            list(models.trajectories(split)),
            models.labels(split),
            store["progress"].values,
            smoothing=parameters_of(store)["smoothing"],
            threads=threads,
        )
        images = None if data is None else store_path(data) / f"{split}_images"
        known = zarr.open_array(images, mode="r") if images and images.exists() else None
        sets_apart[split] = SetsApart(apart, models.labels(split), names, known)
    page = explorer(read_tables(tables), sets_apart)
    with written_whole(output) as partial:
        partial.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    run_step(main)
