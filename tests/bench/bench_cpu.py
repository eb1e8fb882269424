"""Speed and memory of the geometry core on this machine's CPU, as ratios measured in one run.

    make bench

Prints each figure beside what is required of it, and exits with 1 if one falls short.
"""

import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import torch
import xarray as xr
import zarr
from measuring import FAILED, best_of, product_limit, report, report_share
from scipy.linalg import eigh

from hyperribbon.embedding import InPCA
from hyperribbon.numerics.blocks import n_threads
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import progress
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.manifest import Manifest
from hyperribbon.storage.predictions import Trajectory, create_predictions, open_predictions
from hyperribbon.studies.manifold.incremental_distance import grow, keep_manifest


def main() -> None:
    if sys.argv[1:] == ["memory"]:
        return measure_memory()
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, numpy {np.__version__}")
    bench_distance()
    bench_memory()
    bench_growth()
    bench_inpca()
    bench_progress()
    sys.exit(1 if FAILED else 0)


def random_predictions(m: int, n_samples: int, n_classes: int, seed: int = 0) -> np.ndarray:
    """Softmax of noise that grows from model to model, as confidence does in training, float32."""
    generator = torch.Generator().manual_seed(seed)
    P = torch.empty(m, n_samples, n_classes)
    for k in range(m):
        torch.randn(n_samples, n_classes, generator=generator, out=P[k])
        P[k] = (P[k] * (0.1 + 8 * k / m)).softmax(dim=1)
    return P.numpy()


# Distances


def reference_distance(P: np.ndarray) -> np.ndarray:
    """What the research code does: batched products of square roots, and every logarithm."""
    roots = torch.from_numpy(P).sqrt().transpose(0, 1).contiguous()
    n_samples, m, _ = roots.shape
    D = torch.zeros(m, m, dtype=torch.float64)
    for start in range(0, n_samples, 20):
        part = roots[start : start + 20]
        for i in range(0, m, 500):
            coefficients = torch.bmm(part[:, i : i + 500], part.transpose(1, 2))
            D[i : i + 500] -= coefficients.log().sum(dim=0, dtype=torch.float64)
    return (D / n_samples).numpy()


def bench_distance() -> None:
    m, n_samples, n_classes = 2000, 2000, 10
    print(f"\nBhattacharyya distances, m = {m:,}, N = {n_samples:,}, C = {n_classes}, float32")
    P = random_predictions(m, n_samples, n_classes)
    operations = m * (m + 1) / 2 * n_samples * n_classes * 2  # of the triangle
    seconds = best_of(5, pairwise_distance, P)
    report("ours", f"{seconds:.3f} s")
    reference_distance(P[:100])
    reference = best_of(2, reference_distance, P)
    report("reference", f"{reference:.1f} s")
    report("ours over reference", f"{reference / seconds:.0f}x", "50x", reference >= 50 * seconds)
    # A tile of ours, sample by sample, and as one product.
    tiles = [(512, n_classes, 512), (512, n_samples * n_classes, 512)]
    limit = product_limit(torch.float32, n_threads(), tiles)
    what = "share of a matrix product of float32, packing included"
    report_share(what, operations / seconds, limit, least=0.25)
    expected = reference_distance(P)
    error = np.abs(pairwise_distance(P) - expected) / np.maximum(1, expected)
    report("largest difference from the reference", f"{error.max():.1e}")
    rows = np.linspace(0, m - 1, 40).astype(int)
    exact = pairwise_distance(P[rows].astype(np.float64), P.astype(np.float64))
    error = np.abs(pairwise_distance(P)[rows] - exact) / np.maximum(1, exact)
    report("error against float64", f"{error.max():.1e}", "1e-6", error.max() <= 1e-6)
    seconds = best_of(3, pairwise_distance, P.astype(np.float64))
    report("ours in float64", f"{seconds:.3f} s")
    limit = product_limit(torch.float64, n_threads(), tiles)
    report_share("share of a matrix product of float64", operations / seconds, limit)
    for metric in ("geodesic", "symmetric_kl", "euclidean"):
        report(metric, f"{best_of(2, pairwise_distance, P, metric=metric):.3f} s")


# Memory


def bench_memory() -> None:
    m, n_samples, n_classes = 20_000, 1000, 10
    print(f"\nFrom Zarr to Zarr, m = {m:,}, N = {n_samples:,}, C = {n_classes}")
    with tempfile.TemporaryDirectory() as folder:
        P = zarr.create_array(
            Path(folder) / "P.zarr",
            shape=(m, n_samples, n_classes),
            chunks=(1, n_samples, n_classes),
            dtype="float32",
        )
        for start in range(0, m, 1000):
            P[start : start + 1000] = random_predictions(1000, n_samples, n_classes, start)
        output = subprocess.run(
            [sys.executable, __file__, "memory"], cwd=folder, stdout=subprocess.PIPE, check=True
        ).stdout
    seconds, peak = map(float, output.split())
    report("time, with reading and writing", f"{seconds:.0f} s")
    report("peak memory of the whole process", f"{peak:.2f} GiB", "2 GiB", peak < 2)


def measure_memory() -> None:
    """In a process of its own: time in s and peak memory in GiB."""
    P = zarr.open_array("P.zarr", mode="r")
    out = zarr.create_array(
        "D.zarr", shape=P.shape[:1] * 2, chunks=(512, 512), dtype="float64", fill_value=np.nan
    )
    start = perf_counter()
    pairwise_distance(P, out=out)
    print(perf_counter() - start, peak_memory())


def peak_memory() -> float:
    """Most memory that this process has had, in GiB."""
    status = Path("/proc/self/status")
    if status.exists():  # where getrusage tells that of the process that started this one, if more
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    maximum = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return maximum / 2 ** (30 if sys.platform == "darwin" else 20)


# Growth


def bench_growth() -> None:
    n, length, n_samples, n_classes = 21, 600, 10_000, 10
    print(
        f"\nAdding 1 configuration to {n - 1}, of {length} models each, N = {n_samples:,}, "
        f"C = {n_classes}"
    )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        stored_as_by_a_training(work / "P.zarr", random_predictions(length, n_samples, n_classes))
        # One serves for all: by their digests they differ.
        training = Trajectory(open_predictions(work / "P.zarr", "test"), 0)

        def grown(which: list[int]) -> tuple[float, float]:
            """Time of a matrix of some configurations, with all that the step does, and of CPUs."""
            shutil.rmtree(work / "distance.zarr", ignore_errors=True)  # as Snakemake does
            start = perf_counter(), process_time()
            digests, options = list(map(str, which)), {"floor": FLOOR, "memory": 2 * 10**9}
            matrix = grow(work / "work", [training] * len(which), digests, code="", **options)
            write_dataset(xr.Dataset(), work / "distance.zarr", {"distance": matrix / "distance"})
            keep_manifest(matrix, work / "distance.json")
            return perf_counter() - start[0], process_time() - start[1]

        every = list(range(n))
        grown(every[:1])  # compiles
        shutil.rmtree(work / "work")
        seconds, whole = grown(every)
        expected = Manifest.read(work / "distance.json")
        report("all, with reading, writing and checksums", f"{seconds:.1f} s")
        new = 1 - (n - 1) * ((n - 1) * length + 1) / (n * (n * length + 1))
        report("pairs that are new", f"{new:.1%}")
        # In between, all tiles that follow are shifted, and copied.
        for where, added, most in (("at the end", n - 1, 0.15), ("in between", n // 2, 0.2)):
            grown([k for k in every if k != added])
            seconds, cost = grown(every)
            report(f"1 added {where}", f"{seconds:.1f} s")
            ratio = cost / whole
            report("processor time, of the whole", f"{ratio:.1%}", f"{most:.0%}", ratio <= most)
            same = Manifest.read(work / "distance.json") == expected
            report("the same to the last bit", "yes" if same else "no", "yes", same)


def stored_as_by_a_training(path: Path, P: np.ndarray) -> None:
    """A predictions store of one seed with predictions on the test samples only."""
    length, n_samples, n_classes = P.shape
    samples = {"train": np.zeros(1, int), "test": np.zeros(n_samples, int)}
    create_predictions(
        path,
        seeds=[0],
        steps=range(length),
        steps_per_epoch=1,
        snapshot_steps=[0],
        layout=[("weight", (1,))],
        labels=samples,
        index=samples,
        n_classes=n_classes,
        attributes={},
    )
    zarr.open_array(path / "test_predictions", mode="r+")[0] = P


# InPCA and progress


def bench_inpca() -> None:
    m, k = 8000, 50
    print(f"\nInPCA, m = {m:,}, k = {k}")
    # Trajectories of 40 models that end in different places, 50 samples of 10 classes.
    D = pairwise_distance(trajectories(200, 40, 50, 10))
    seconds = best_of(2, InPCA(k, metric="precomputed", solver="block", random_state=0).fit, D)
    inpca = InPCA(k, metric="precomputed", solver="block", random_state=0).fit(D)
    report("block solver", f"{seconds:.2f} s")
    residual = inpca.residuals_.max()
    report("largest residual, relative", f"{residual:.1e}", "1e-8", residual < 1e-8)
    report("time-like among them", f"{(inpca.signature_ < 0).sum()}")
    means = D.mean(axis=0)
    W = -0.5 * (D - means - means[:, None] + means.mean())
    options = {"driver": "evd", "check_finite": False}
    full = best_of(2, eigh, W, **options)
    eigenvalues = eigh(W, eigvals_only=True, **options)
    report("full eigh", f"{full:.1f} s")
    report("block solver over eigh", f"{full / seconds:.0f}x", "10x", full >= 10 * seconds)
    leading = eigenvalues[np.argsort(-np.abs(eigenvalues))[:k]]
    error = np.abs(inpca.eigenvalues_ - leading).max() / abs(leading[0])
    report("error of the eigenvalues, of the first", f"{error:.1e}", "1e-12", error < 1e-12)


def trajectories(n: int, length: int, n_samples: int, n_classes: int) -> np.ndarray:
    """Predictions on n noisy ways from ignorance to corners of their own, float32."""
    rng = np.random.default_rng(0)
    ends = 6 * rng.normal(size=(n, 1, n_samples, n_classes)) + 8 * rng.normal(
        size=(1, 1, n_samples, n_classes)
    )
    logits = np.linspace(0, 1, length)[:, None, None] * ends
    logits += 0.1 * rng.normal(size=logits.shape)
    P = torch.from_numpy(logits.astype(np.float32)).softmax(dim=3)
    return P.reshape(-1, n_samples, n_classes).numpy()


def bench_progress() -> None:
    m, n_samples, n_classes = 2000, 10_000, 10
    print(f"\nProgress, m = {m:,}, N = {n_samples:,}, C = {n_classes}, float32")
    P = random_predictions(m, n_samples, n_classes)
    labels = np.random.default_rng(0).integers(n_classes, size=n_samples)
    progress(P[:2], labels)
    seconds = best_of(2, progress, P, labels)
    report("ours", f"{seconds:.2f} s", "10 s", seconds < 10)
    blocks = np.array_split(P, 64)
    with ThreadPoolExecutor(n_threads()) as pool:
        reading = best_of(3, lambda: list(pool.map(np.max, blocks)))
    report("reading the predictions once takes", f"{reading:.2f} s")


if __name__ == "__main__":
    main()
