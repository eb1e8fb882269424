"""InPCA of the distance matrix; the geodesic is placed in it as new models are."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.embedding.inpca import InPCA, explained_pairwise_distance
from hyperribbon.provenance import derived_attributes
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.store import open_dataset, write_dataset


def main(args: argparse.Namespace) -> None:
    distances = open_dataset(args.distance)
    D = distances["distance"].values
    components = min(args.components, len(D))
    if components < args.components:
        logger.warning("%d models, so only as many components", components)
    inpca = InPCA(components).fit(D)
    component = np.arange(1, components + 1)
    dimension = np.arange(1, len(D) + 1)
    explained = explained_pairwise_distance(D, inpca.embedding_, inpca.signature_)
    dataset = xr.Dataset(
        {
            "embedding": (("model", "component"), inpca.embedding_),
            "geodesic_embedding": (
                ("alpha", "component"),
                inpca.transform(distances["geodesic_distance"].values),
            ),
            "explained_pairwise_distance": ("component", explained),
            "eigenvalue": ("dimension", inpca.eigenvalues_),
            "explained_stress": ("dimension", inpca.explained_stress_),
        },
        {
            "component": component,
            "signature": (
                "component",
                inpca.signature_,
                {"long_name": "+1 space-like, -1 time-like"},
            ),
            "dimension": dimension,
            "alpha": distances["alpha"].values,
        },
        derived_attributes(
            distances.attrs["split"], distances.attrs["data_sha256"], "numpy", "scipy"
        ),
    )
    write_dataset(dataset, args.output)
    logger.info("explained stress of 3 dimensions: %.3f", inpca.explained_stress_[2])


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--distance", type=Path, required=True, help="Zarr store of distances")
    parser.add_argument("--components", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
