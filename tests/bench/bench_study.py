"""From recordings to the picture: a family of trainings as one object, against its distances alone.

    make bench

2,000 models of 2,000 samples and 10 classes, recorded in 40 stores. A fresh process opens them,
embeds them and draws them, with nothing kept from before; another writes the explorer's page.
Exits with 1 if the first takes 10 s, or the import of hyperribbon a tenth of a second.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from measuring import FAILED, report

import hyperribbon as hr

RUNS, CHECKPOINTS, SAMPLES, CLASSES = 40, 50, 2000, 10
PICTURE, IMPORT = 10.0, 0.1  # s
PAGE = 10.0  # MB
NOTEBOOK = """
import time; start = time.perf_counter()
import hyperribbon as hr; imported = time.perf_counter()
study = hr.Study.from_runs("runs")
import matplotlib; matplotlib.use("Agg")
hr.plot.embedding(study.embed()).figure.savefig("picture.png"); drawn = time.perf_counter()
study.geometry().__dict__.pop("distance"); again = time.perf_counter()
study.distances(); computed = time.perf_counter()
study.explore("page.html"); explored = time.perf_counter()
print(imported - start, drawn - start, computed - again, explored - computed)
"""


def record(folder: Path) -> None:
    """Trainings that leave ignorance for the truth, each by way of its own errors."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, SAMPLES)
    ends = hr.ignorance(SAMPLES, CLASSES), hr.truth(labels, CLASSES)
    line = hr.geodesic(*ends, np.linspace(0, 0.95, CHECKPOINTS)).astype(np.float32)
    for k in range(RUNS):
        errors = rng.dirichlet(np.ones(CLASSES), size=SAMPLES).astype(np.float32)
        P = 0.8 * line + 0.2 * errors
        hr.record_predictions(folder / f"net-{k}", P, labels, network="Net", seed=k)


def main() -> None:
    print(f"\nA study of {RUNS * CHECKPOINTS:,} recorded models")
    with tempfile.TemporaryDirectory() as folder:
        record(Path(folder, "runs"))
        run = subprocess.run(
            [sys.executable, "-c", NOTEBOOK],
            cwd=folder,
            env=os.environ | {"XDG_CACHE_HOME": str(Path(folder, "cache"))},
            capture_output=True,
            text=True,
            check=True,
        )
        imported, drawn, distances, page = map(float, run.stdout.split()[-4:])
        size = Path(folder, "page.html").stat().st_size / 1e6
    report("import hyperribbon", f"{imported:.3f} s", f"{IMPORT} s", imported < IMPORT)
    times = f"{drawn / distances:.1f} times the distances alone"
    report(f"from start to picture, {times}", f"{drawn:.1f} s", f"{PICTURE:.0f} s", drawn < PICTURE)
    report(f"the explorer's page, {page:.1f} s", f"{size:.1f} MB", f"{PAGE:.0f} MB", size < PAGE)
    sys.exit(1 if FAILED else 0)


if __name__ == "__main__":
    main()
