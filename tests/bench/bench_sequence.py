"""Distances of token predictions of a large vocabulary, recorded in half precision.

    python tests/bench/bench_sequence.py [models] [positions]

Predictions of 200 models at 1,000 positions, C = 50,257, are 10^10 numbers, 20 GB in half
precision. Required of their distances: 3 minutes and 4 GiB on two cores. The limit is
m^2 N C / 2 = 10^12 multiplications, and each number read once. By default, 16 models at 180
positions are measured, and what all take follows from the processor time, which hardly depends on
what else runs: reading, converting and packing grow with the numbers, multiplying with the pairs.
`200 1000` measures all, with 20 GB in the folder of temporary files.
"""

import argparse
import resource
import sys
import tempfile
import time

import numpy as np
import torch
import zarr
from measuring import FAILED, product_limit, report

import hyperribbon as hr
from hyperribbon.pairwise.cpu import CompiledKernel
from hyperribbon.recording.shards import in_parts
from hyperribbon.storage.predictions import Trajectory, create_checkpoints

C, MODELS, POSITIONS = 50_257, 200, 1_000
SECONDS, GIB = 180, 4
MEMORY = 2**27  # bytes of a few models
SIDE = 64  # models along a side of a tile


def roots(models: int, positions: int):
    """Square roots (positions, C) in float16 of one model after the other."""
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(16, C)).astype(np.float32)
    for k in range(models):
        rows = np.exp(logits + 0.1 * np.roll(logits, k + 1, axis=1))
        rows = np.sqrt(rows / rows.sum(-1, keepdims=True)).astype(np.float16)
        yield rows[np.arange(positions) % len(rows)]


class Checkpoints(Trajectory):
    """The first checkpoints of a recording that has room for any number."""

    def __init__(self, array: zarr.Array, models: int):
        super().__init__(array, 0)
        self.shape = (models, *self.shape[1:])


def product_rate() -> float:
    """Multiplications per second of one core, of models that are packed."""
    kernel = CompiledKernel("log_coefficients", single=True, floor=1e-38, threads=1)
    P = np.full((SIDE, 4, C), 1 / C, np.float32)
    packed, total = kernel.pack(lambda part: P[part], P.shape, "P", SIDE), np.zeros((SIDE, SIDE))
    times = []
    for _ in range(3):
        start = time.process_time()
        kernel.add(packed, packed, total)
        times.append(time.process_time() - start)
    return SIDE**2 * 4 * C / min(times)


def main(models: int, positions: int) -> None:
    """Measure, and compare with the limit and with what is required."""
    print(f"\nDistances of {models} models at {positions} positions, C = {C:,}")
    hr.pairwise_distance(np.full((2, 2, 8), 1 / 8, np.float32))  # which compiles
    with tempfile.TemporaryDirectory() as folder:
        array = create_checkpoints(f"{folder}/train_sqrt_predictions", positions, C)
        in_parts(array, "float16")
        array = zarr.open_array(array.store_path, mode="r+")
        for k, rows in enumerate(roots(models, positions)):
            array[0, k] = rows
        stored = Checkpoints(array, models)
        whole = (models, positions) == (MODELS, POSITIONS)
        # Few models are read twice, in memory that was used before, as it is if there are many.
        for _ in range(1 if whole else 2):
            clock, start = time.perf_counter(), time.process_time()
            hr.pairwise_distance(stored, threads=2, memory=None if whole else MEMORY)
            clock, processor = time.perf_counter() - clock, time.process_time() - start
    rate = product_rate()
    numbers, products = models * positions * C, models**2 * positions * C / 2
    each = (processor - products / rate) / numbers
    everything = MODELS * POSITIONS * C * (each + MODELS / 2 / rate)
    report("reading and packing, processor time per number", f"{each * 1e9:.1f} ns")
    limit = product_limit(torch.float32, 1, sides=(1024,), seconds=0.05)
    share = f"{2 * rate / limit.rate:.0%} of the best product"
    report(f"multiplications per core, {share}", f"{rate / 1e9:.0f}e9 1/s")
    seconds = clock if whole else everything / 2
    how = "measured" if whole else "on two idle cores"
    what = f"{MODELS} models of {POSITIONS} positions, {how}"
    report(what, f"{seconds:.0f} s", f"{SECONDS} s", seconds <= SECONDS)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    report("largest memory", f"{memory:.1f} GiB", f"{GIB} GiB", memory <= GIB)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=int, nargs="?", default=16)
    parser.add_argument("positions", type=int, nargs="?", default=180)
    main(**vars(parser.parse_args()))
