"""InPCA of the distance matrix; the geodesic is placed in it as new models are."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyperribbon.embedding import InPCA
from hyperribbon.storage.dataset import open_dataset, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step, step_parser

SPECTRUM = 100  # eigenvalues found at least, of as many models


def main(args: argparse.Namespace) -> None:
    store = store_path(args.distance)
    distances = open_dataset(store)
    m = distances.sizes["model"]
    components = min(args.components, m)
    if components < args.components:
        logger.warning("%d models, so only as many components", components)
    inpca = InPCA(min(max(components, SPECTRUM), m), metric="precomputed", random_state=0)
    inpca.fit(zarr.open_array(store / "distance", mode="r"))
    curve = inpca.transform(distances["geodesic_distance"].values)
    logger.info("largest residual of an eigenpair, relative: %.1e", inpca.residuals_.max())
    dataset = xr.Dataset(
        {
            "embedding": (("model", "component"), inpca.embedding_[:, :components]),
            "geodesic_embedding": (("alpha", "component"), curve[:, :components]),
            "eigenvalue": ("dimension", inpca.eigenvalues_, {"units": "nats"}),
            "explained_stress": ("dimension", inpca.explained_stress_),
            "explained_pairwise_distance": ("dimension", inpca.explained_pairwise_distance_),
        },
        {
            "component": np.arange(1, components + 1),
            "signature": (
                "component",
                inpca.signature_[:components],
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
            code=args.code,
            components=args.components,
        ),
    )
    write_dataset(dataset, args.output, inputs=inputs_of([store]))
    logger.info("explained stress of 3 dimensions: %.3f", inpca.explained_stress_[:3][-1])


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--distance", type=Path, required=True, help="manifest of distances")
    parser.add_argument("--components", type=int, required=True)
    parser.add_argument("--code", required=True, help="version of the code")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
