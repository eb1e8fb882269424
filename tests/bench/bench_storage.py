"""What storing predictions otherwise would save and cost, on the predictions of a study.

``python tests/bench/bench_storage.py results/mnist5k`` reports, for either form and for some
compressors, bytes and the time to read a chunk, and what square roots in half precision do to the
distances between all models and to InPCA.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec, ZstdCodec

from hyperribbon.embedding import InPCA
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import PREDICTION_FORMS, as_stored


def codecs(itemsize):
    """Compressors by name, for numbers of so many bytes."""
    return {
        "none": None,
        "zstd 3": ZstdCodec(level=3),
        "blosc lz4, bytes shuffled": BloscCodec(cname="lz4", shuffle="shuffle", typesize=itemsize),
        "blosc zstd 5, bits shuffled": BloscCodec(
            cname="zstd", clevel=5, shuffle="bitshuffle", typesize=itemsize
        ),
    }


def sizes(P):
    """Bytes of the models one by one, and seconds to read them, by form and compressor."""
    print(f"{'form':13} {'compressor':28} {'bytes':>6} {'read, ms a model':>17}")
    for form in PREDICTION_FORMS:
        values = as_stored(P, form)
        for name, codec in codecs(values.itemsize).items():
            store = zarr.storage.MemoryStore()
            array = zarr.create_array(
                store, shape=values.shape, dtype=values.dtype, chunks=(1, *P.shape[1:]),
                compressors=codec,
            )  # fmt: skip
            array[:] = values
            start = time.perf_counter()
            for k in range(len(P)):
                array[k]
            seconds = (time.perf_counter() - start) / len(P)
            print(
                f"{form:13} {name:28} {array.nbytes_stored() / P.nbytes:6.1%} {seconds * 1e3:17.2f}"
            )


def effect(P):
    """Print what half precision does to distances and to what InPCA explains."""
    R = np.square(as_stored(P, "sqrt_float16"), dtype=np.float32)
    R /= R.sum(axis=-1, keepdims=True)
    exact, rounded = pairwise_distance(P), pairwise_distance(R)
    pairs = np.triu_indices(len(P), 1)
    error, D = np.abs(rounded - exact)[pairs], exact[pairs]
    own = pairwise_distance(P.reshape(1, -1, P.shape[-1]), R.reshape(1, -1, P.shape[-1]))[0, 0]
    print(
        f"{len(P)} models, {len(D)} pairs, distances up to {D.max():.3g}, median {np.median(D):.3g}"
    )
    print(f"from a model to the one stored: {own:.2g} nats in the mean")
    print(f"error of a distance: median {np.median(error):.2g}, largest {error.max():.2g} nats")
    for low, high in ((0, 1e-4), (1e-4, 1e-2), (1e-2, 1), (1, np.inf)):
        part = (low < D) & (high >= D)
        if part.any():
            worst = error[part].max(), (error[part] / D[part]).max()
            print(f"  of {part.sum()} in ({low:g}, {high:g}]: {worst[0]:.2g} nats, {worst[1]:.1g}")
    explained = [InPCA(10, metric="precomputed").fit(E).explained_stress_ for E in (exact, rounded)]
    print(f"explained stress of 1 to 10 dimensions moves by {np.ptp(explained, axis=0).max():.2g}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, help="of a study, such as results/mnist5k")
    parser.add_argument("--split", default="test")
    args = parser.parse_args()
    models = Models(sorted(args.results.glob("predictions/*.zarr")))
    P = np.concatenate([np.asarray(training) for training in models.trajectories(args.split)])
    sizes(P[::10])
    effect(P)
