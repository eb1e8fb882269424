"""InPCA of the distance matrix; the geodesic is placed in it as new models are."""

from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.inpca import without_rounding
from hyperribbon.storage.dataset import open_dataset, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step

SPECTRUM = 100  # eigenvalues found at least, of as many models


def main(distance: Path, components: int, code: str, output: Path) -> None:
    """Embed all models by their distances on one split.

    Parameters
    ----------
    distance : manifest of distances
    components : number of coordinates kept, of as many models
    code : version of the code
    output : Zarr store to write
    """
    store = store_path(distance)
    distances = open_dataset(store)
    m = distances.sizes["model"]
    kept = min(components, m)
    if kept < components:
        logger.warning("%d models, so only as many components", kept)
    inpca = InPCA(min(max(kept, SPECTRUM), m), metric="precomputed", random_state=0)
    matrix = zarr.open_array(store / "distance", mode="r")
    inpca.fit(without_rounding(matrix, "bhattacharyya", "float32"))
    curve = inpca.transform(distances["geodesic_distance"].values)
    logger.info("largest residual of an eigenpair, relative: %.1e", inpca.residuals_.max())
    dataset = xr.Dataset(
        {
            "embedding": (("model", "component"), inpca.embedding_[:, :kept]),
            "geodesic_embedding": (("alpha", "component"), curve[:, :kept]),
            "eigenvalue": ("dimension", inpca.eigenvalues_, {"units": "nats"}),
            "explained_stress": ("dimension", inpca.explained_stress_),
            "explained_pairwise_distance": ("dimension", inpca.explained_pairwise_distance_),
        },
        {
            "component": np.arange(1, kept + 1),
            "signature": (
                "component",
                inpca.signature_[:kept],
                {"long_name": "+1 space-like, -1 time-like"},
            ),
            "dimension": np.arange(1, len(inpca.eigenvalues_) + 1),
            "alpha": distances["alpha"].values,
            **{name: distances[name] for name in ("configuration", "seed", "checkpoint", "step")},
        },
        derived_attributes(
            distances.attrs["split"],
            distances.attrs["data_sha256"],
            "numpy",
            "scipy",
            code=code,
            components=components,
        ),
    )
    write_dataset(dataset, output, inputs=inputs_of([store]))
    logger.info("explained stress of 3 dimensions: %.3f", inpca.explained_stress_[:3][-1])


if __name__ == "__main__":
    run_step(main)
