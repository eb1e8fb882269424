"""The picture while networks train: a new checkpoint against recomputing everything, and the
training beside the watcher against the training alone.

    make bench

A checkpoint of 10,000 samples and 10 classes comes to 2,000 and to 10,000 models: it is read,
placed and shown. Exits with 1 if that takes 1 s or 3 s. Then a network trains on all cores, with a
checkpoint every few seconds, on its own and while `hyperribbon watch` watches it, in turns; exits
with 1 if it takes over 2 % more time, in the least of its turns. The watcher has shown another
training before: to begin takes it a second of processor time, once. With --small, a tenth of the
models and samples.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from urllib.request import urlopen

import numpy as np
from measuring import FAILED, best_of, report
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

import hyperribbon as hr
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.watching.live import Live, Row
from hyperribbon.watching.recordings import Checkpoint, Folders
from hyperribbon.watching.references import POINTS
from hyperribbon.watching.view import View
from hyperribbon.watching.watcher import Watcher

CLASSES = 10
REQUIRED = {2000: 1.0, 10_000: 3.0}  # s
SLOWER = 0.02
STEPS = 2400
TRAIN = """
import sys, time, torch, hyperribbon as hr
torch.set_num_threads(int(sys.argv[3])); torch.manual_seed(0)
n = int(sys.argv[2]); x = torch.randn(n, 256); y = torch.randint(0, 10, (n,))
net = torch.nn.Sequential(torch.nn.Linear(256, 1024), torch.nn.ReLU(), torch.nn.Linear(1024, 10))
optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
rec = hr.Recorder(sys.argv[1], x, y, network="MLP")
rec.checkpoint(net, 0); start = time.perf_counter(); cpu = time.process_time()
for step in range(1, int(sys.argv[4]) + 1):
    batch = torch.randint(0, n, (500,))
    optimiser.zero_grad(); torch.nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
    optimiser.step()
    if step % 400 == 0: rec.checkpoint(net, step)
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def model(rng, samples: int) -> np.ndarray:
    """A model (N, C), at random."""
    P = rng.random((samples, CLASSES), dtype=np.float32) ** 4
    return P / P.sum(axis=1, keepdims=True)


def crowded(models: int, samples: int, rng) -> tuple[Live, list[np.ndarray]]:
    """A picture of so many models, whose distances are made up, and its references."""
    live = Live("train", (samples, CLASSES), rng.integers(0, CLASSES, samples))
    references = live.picture.references
    of_slot = np.arange(models) * min(references.most, models) // models
    rows = np.flatnonzero(np.diff(of_slot, prepend=-1))
    X = rng.normal(size=(models, 5)) * [1, 0.5, 0.3, 0.1, 0.05]
    D = cdist(X, X[rows], "sqeuclidean")
    references.restore(D, rows, np.ones((POINTS, len(rows))))
    some = [model(rng, samples) for _ in range(50)]
    references.pack(lambda chosen: np.stack([some[row % 50] for row in chosen]))
    nowhere = Checkpoint({}, (0, 0), {}, {"train": {"loss": 1.0, "error": 0.5}})
    live.rows = [Row(("net-0", k), (0, 0, 0), nowhere, 0.5) for k in range(models)]
    live.picture.restore(np.zeros((models, 3)), np.ones(3))
    live.embed()
    return live, some


def place(folder: Path, models: int, samples: int, required: float | None) -> float:
    """Time from the look that finds a checkpoint to the answer that a page gets."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, samples)
    P = np.stack([model(rng, samples) for _ in range(4)])
    runs = folder / f"runs-{models}"
    runs.mkdir()
    hr.record_predictions(runs / "net-0", P, labels, network="Net")
    live, _ = crowded(models, samples, rng)
    watcher = Watcher([runs])
    watcher._live, view = live, View()
    watcher.view = view
    watcher._show()
    version = json.loads(view.read(-1, -1, 0))
    times = []
    for step in range(4):
        start = perf_counter()
        [training] = Folders([runs]).look()[0]
        failed = live.add([(("net-1", step), training.checkpoints[step])])
        watcher._show()
        view.read(version["version"], version["generation"], models + step)
        times.append(perf_counter() - start)
        assert not failed
    taken = min(times[1:])
    report(
        f"a checkpoint of {samples:,} samples among {models:,} models",
        f"{taken:.3f} s",
        f"{required} s" if required else "",
        required is None or taken < required,
    )
    return taken


def everything(models: int, samples: int) -> float:
    """Time to compute all distances and the embedding."""
    rng = np.random.default_rng(0)
    some = np.stack([model(rng, samples) for _ in range(50)])
    P = some[np.arange(models) % 50]

    def compute() -> None:
        D = pairwise_distance(P, floor=FLOOR, threads=1)
        hr.InPCA(3, metric="precomputed", solver="block", random_state=0).fit(D)

    return best_of(1, compute)


def train(folder: Path, samples: int, watched: bool) -> tuple[float, float, float]:
    """Wall time and processor time of a training, and the processor time of its watcher."""

    def trained(name: str, steps: int) -> list[float]:
        threads = str(len(os.sched_getaffinity(0)))
        about = str(folder / name), str(samples), threads, str(steps)
        command = [sys.executable, "-c", TRAIN, *about]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        return list(map(float, run.stdout.split()))

    if not watched:
        wall, cpu = trained("net", STEPS)
        return wall, cpu, 0.0
    trained("first", STEPS // 10)
    command = [sys.executable, "-m", "hyperribbon.cli", "watch", str(folder), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        address = watcher.stdout.readline().split()[0]
        while not json.loads(urlopen(f"{address}state").read())["models"].get("step"):
            sleep(0.1)
        status = Path(f"/proc/{watcher.pid}/stat")
        begun = _processor_time(status)
        wall, cpu = trained("net", STEPS)
        used = _processor_time(status) - begun
        watcher.terminate()
    return wall, cpu, used


def _processor_time(status: Path) -> float:
    fields = status.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="a tenth of the models and samples")
    parser.add_argument("--turns", type=int, default=3, help="of the training with and without")
    options = parser.parse_args()
    part = 10 if options.small else 1
    print("\nWatching trainings")
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        samples = 10_000 // part
        taken = {
            m // part: place(Path(folder), m // part, samples, None if options.small else required)
            for m, required in REQUIRED.items()
        }
        few = 2000 // part
        again = everything(few, samples)
        report(f"recomputing everything for {few:,} models, one thread", f"{again:.2f} s")
        report("    times a new checkpoint", f"{again / taken[few]:.0f}")
        turns = []
        for k in range(options.turns):
            both = [Path(folder, f"train-{k}-{watched}") for watched in (False, True)]
            for one in both:
                one.mkdir()
            turns.append([train(one, samples, bool(w)) for w, one in enumerate(both)])
        alone, watched = zip(*turns, strict=True)
        slower = min(wall for wall, *_ in watched) / min(wall for wall, *_ in alone) - 1
        share = median(used / cpu for _, cpu, used in watched)
        fine = slower < SLOWER
        report(
            "a training that is watched takes longer by", f"{slower:+.1%}", f"{SLOWER:.0%}", fine
        )
        report("    the watcher's processor time, of the training's", f"{share:.1%}")
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
