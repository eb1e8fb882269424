"""Time and memory of planning a study as large as the dissertation's, and of doing nothing again.

    make bench

Prints each figure beside what is required of it, and exits with 1 if one falls short.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import yaml

ROOT = Path(__file__).parents[2]
NETWORKS, OPTIMISERS, SEEDS = 6, 52, 10  # 312 configurations


def main() -> None:
    if sys.argv[1:2] == ["measure"]:
        return measure(sys.argv[2:])
    sys.path.append(str(ROOT / "tests" / "workflow"))
    from measuring import FAILED, report
    from running import copy_repository

    print(f"\nPlanning {NETWORKS * OPTIMISERS} configurations of {SEEDS} seeds (snakemake -n)")
    with tempfile.TemporaryDirectory() as folder:
        repository = copy_repository(Path(folder) / "repository")
        (repository / "config" / "config.yaml").write_text(large_study())
        seconds, peak, output = snakemake(repository, "--dry-run", "--quiet", "rules")
        report("jobs", output.split("\ntotal")[1].split()[0])
        report("time", f"{seconds:.1f} s", "10 s", seconds < 10)
        report("peak memory of the largest process", f"{peak:.0f} MiB", "300 MiB", peak < 300)

    print("\nNothing to do: the default study again (snakemake --cores 1)")
    if "Nothing to be done" in snakemake(ROOT, "--dry-run")[2]:
        seconds, peak, _ = snakemake(ROOT, "--cores", "1")
        report("time", f"{seconds:.1f} s", "5 s", seconds < 5)
        report("peak memory of the largest process", f"{peak:.0f} MiB")
    else:
        report("not measured, since there is something to do", "say `make`")
    sys.exit(1 if FAILED else 0)


def large_study() -> str:
    """The default study with more networks, optimisers and seeds."""
    study = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    study["study"] = "large"
    networks, optimisers = study["networks"], study["optimisers"]
    few = len(networks)
    for k in range(NETWORKS - few):
        widths = [512, 16 * (k + 1)]
        networks[f"Network-{k}"] = {"architecture": "fully_connected", "widths": widths}
    for k in range(OPTIMISERS - len(optimisers)):
        optimisers[f"SGD-{k}"] = {"algorithm": "sgd", "learning_rate": 0.01 + 0.001 * k}
    study["training"]["seeds"] = SEEDS
    return yaml.safe_dump(study, sort_keys=False)


def snakemake(repository: Path, *args: str) -> tuple[float, float, str]:
    """Seconds, MiB and output of the better one of two runs.

    Between this process and Snakemake's is a small one: a child's peak counts from its parent's.
    """
    runs = []
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, __file__, "measure", *args],
            cwd=repository,
            stdout=subprocess.PIPE,
            text=True,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        )
        if run.returncode:
            sys.exit(f"snakemake {' '.join(args)}:\n{run.stdout}")
        output, figures = run.stdout.rstrip().rsplit("\n", 1)
        seconds, peak = map(float, figures.split())
        runs.append((seconds, peak, output))
    return min(runs)


def measure(args: list[str]) -> None:
    """In a process of its own: Snakemake's output, then its time in s and peak memory in MiB."""
    start = perf_counter()
    run = subprocess.run([sys.executable, "-m", "snakemake", *args], stderr=subprocess.STDOUT)
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"\n{seconds} {peak / 2 ** (20 if sys.platform == 'darwin' else 10)}")
    sys.exit(run.returncode)


if __name__ == "__main__":
    main()
