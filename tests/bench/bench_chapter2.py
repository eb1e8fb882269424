"""Seconds and memory of every rule of the analysis on a study of many recorded models.

``python tests/bench/bench_chapter2.py FOLDER`` writes made-up trainings (samples of different
difficulty, learnt one after another, an order and speed of its own for every configuration) as
recordings to a folder, runs the real workflow there, and prints what each rule took. The numbers
of models, samples and classes are options; by default 20,100 models of 1,000 samples.
"""

import argparse
import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml

from hyperribbon import record_predictions

ROOT = Path(__file__).parents[2]
NETWORKS, OPTIMISERS = 6, 5


def training(rng, network, optimiser, labels, n_classes, checkpoints):
    """Predictions (K, N, C) of a training that learns samples one after another."""
    difficulty = np.random.default_rng(0).normal(size=len(labels))
    own = np.random.default_rng(1 + network).normal(size=len(labels))
    order = difficulty + 0.5 * own + 0.1 * rng.normal(size=len(labels))
    confused = np.random.default_rng(99 + network).normal(size=(len(labels), n_classes))
    time = np.linspace(-3, 4, checkpoints)[:, None] + 0.2 * optimiser
    learnt = 8 / (1 + np.exp(-3 * (time - order)))
    logits = np.repeat(0.5 * np.tanh(time + 3)[..., None] * confused, 1, axis=0)
    logits[:, np.arange(len(labels)), labels] += learnt
    P = np.exp(logits - logits.max(axis=-1, keepdims=True), dtype=np.float32)
    return P / P.sum(axis=-1, keepdims=True)


def main(args):
    runs = args.folder / "runs"
    rng = np.random.default_rng(2)
    labels = {"train": np.arange(args.samples) % args.classes}
    labels["test"] = labels["train"][: args.samples // 2]
    seeds = -(-args.models // (NETWORKS * OPTIMISERS * args.checkpoints))
    for network in range(NETWORKS):
        for optimiser in range(OPTIMISERS):
            for seed in range(seeds):
                path = runs / f"n{network}-o{optimiser}-{seed}.zarr"
                if path.exists():
                    continue
                P = {
                    split: training(rng, network, optimiser, y, args.classes, args.checkpoints)
                    for split, y in labels.items()
                }
                record_predictions(
                    path, P["train"], labels["train"], test_predictions=P["test"],
                    test_labels=labels["test"], steps=range(args.checkpoints),
                    network=f"n{network}", optimiser=f"o{optimiser}", seed=seed,
                )  # fmt: skip
    config = args.folder / "study.yaml"
    config.write_text(yaml.safe_dump({"study": "many", "external": [f"{runs.absolute()}/*.zarr"]}))
    command = [sys.executable, "-m", "snakemake", "--cores", str(args.cores), "--snakefile",
               str(ROOT / "Snakefile"), "--configfile", str(config.absolute()),
               "--directory", str(args.folder), "--profile", "none"]  # fmt: skip
    subprocess.run(command, check=True)
    print(f"{'rule':28} {'s':>8} {'max. memory, MB':>16}")
    for path in sorted((args.folder / "results/many/benchmarks").rglob("*.tsv")):
        with open(path) as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        name = path.relative_to(args.folder / "results/many/benchmarks").with_suffix("")
        print(f"{name!s:28} {float(row['s']):8.1f} {row['max_rss']:>16}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", type=int, default=20_000)
    parser.add_argument("--samples", type=int, default=1000, help="of train; half as many of test")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--checkpoints", type=int, default=67)
    parser.add_argument("--cores", type=int, default=2)
    main(parser.parse_args())
