"""Speed of stacked training, beside one network at a time, in one run.

``bench_stacked.py jobs`` runs whole jobs, each of ten trainings of the reduced synthetic study
(config/sloppy_synthetic.yaml) with one thread: the stacked one, and the grid's
(`hyperribbon.training.job`), given the same data, steps and checkpoints. Both train, predict, and
publish their store. It prints seconds per training of either, wall clock and processor, and what
the start of a process adds, which the grid has once per configuration, the synthetic study once per
experiment. Where others use the machine, read processor time.

``bench_stacked.py loops`` takes the trainings alone, without predictions and stores.
Fully-connected networks of one and two hidden layers of 512 on 200 features and 5 classes, SGD with
Nesterov's momentum (thesis 2.5.5). The plain loop trains one network after another, its samples in
memory (no DataLoader), with as many threads. Both are measured in turn; all are medians over the
turns. Where others use the machine, take one thread: threads that wait for each other measure the
others.

The floor is 6 * B * sum(in * out) floating-point operations a network and step: 2 forward, 2 for
the gradients of the weights, 2 for those of the inputs, which the first layer does not need;
"needed" leaves these out.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise, product
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
import xarray as xr
import yaml
from measuring import Limit, product_limit
from torch.nn.functional import cross_entropy

from hyperribbon.config import Configuration, SGDConfig
from hyperribbon.data import Dataset
from hyperribbon.data.sloppy import load
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.studies.study import parse_study
from hyperribbon.studies.synthetic.config import SyntheticExperiment
from hyperribbon.studies.synthetic.training import checkpoints_of, train_experiment
from hyperribbon.training import plan
from hyperribbon.training.job import train_configuration
from hyperribbon.training.parallel import keep_freed_memory
from hyperribbon.training.stacked import StackedFullyConnected
from hyperribbon.training.stacked_loop import train_stacked

STUDY = Path(__file__).parents[2] / "config" / "sloppy_synthetic.yaml"
FEATURES, CLASSES = 200, 5
CONFIG = SGDConfig(
    algorithm="sgd", learning_rate=0.05, momentum=0.9, nesterov=True, weight_decay=1e-5
)


def bench_jobs(decay, optimiser, batches, part, turns):
    """Whole jobs: a line per network and batch size, and their sum."""
    study = parse_study(yaml.safe_load(STUDY.read_text())).synthetic
    whole = study.experiment("grid", decay)
    shorter = {key: round(getattr(whole, key) * part) for key in ("epochs", "checkpoints")}
    whole = whole.model_copy(update=shorter)
    starts = []
    for function in (train_experiment, train_configuration):
        command = [sys.executable, "-c", f"import {function.__module__}"]
        runs = [spent(lambda c=command: subprocess.run(c, check=True)) for _ in range(2)]
        starts.append(np.min(runs, axis=0))
    print(
        f"jobs of {whole.seeds[0]} trainings, c = {decay:g}, {optimiser}, {whole.epochs} epochs, "
        f"{whole.checkpoints} checkpoints; seconds per training, wall clock and processor"
    )
    print(
        f"{'network':9} {'batch':>5} {'stacked':>13} {'one by one':>13} {'ratio':>11}", flush=True
    )
    total = np.zeros((2, 2))
    kinds = list(product(whole.networks, batches or whole.batch_sizes))
    for network, batch_size in kinds:
        experiment = whole.model_copy(
            update={
                "networks": {network: whole.networks[network]},
                "optimisers": {optimiser: whole.optimisers[optimiser]},
                "batch_sizes": (batch_size,),
            }
        )
        jobs(experiment.model_copy(update={"epochs": 1, "checkpoints": 2}))  # warms up
        found = [jobs(experiment) for _ in range(turns)]
        least = np.min(found, axis=0) / experiment.trainings
        total += least / len(kinds)
        show(network, batch_size, least)
    show("mean", "", total)
    # The grid has a process for each configuration, here ten trainings; the experiment has one.
    show("and start", "", total + starts / np.array([[whole.trainings], [experiment.trainings]]))


def show(network, batch_size, seconds):
    """Print seconds of stacked jobs and of others, each of wall clock and processor."""
    shown = [f"{wall:6.2f} {processor:6.2f}" for wall, processor in seconds]
    ratio = " ".join(f"{value:5.2f}" for value in seconds[1] / seconds[0])
    print(f"{network:9} {batch_size:>5} {shown[0]} {shown[1]} {ratio}", flush=True)


def jobs(experiment: SyntheticExperiment) -> np.ndarray:
    """Seconds of all trainings of one kind, (stacked or one by one, wall clock or processor)."""
    (network, widths), (batch_size,) = *experiment.networks.items(), experiment.batch_sizes
    (optimiser,) = experiment.optimisers
    parts = load(decay=experiment.decay, **experiment.data.model_dump())
    configuration = Configuration(
        network_name=network,
        optimiser_name=optimiser,
        data={"name": "mnist5k"},  # a name that it knows; the samples are given below
        network={"architecture": "fully_connected", "widths": widths},
        optimiser=experiment.optimiser(optimiser, batch_size),
        training={
            "epochs": experiment.epochs, "batch_size": batch_size,
            "seeds": experiment.trainings, "record_train": experiment.record_train,
            "keep_weights": [1.0], "device": "cpu", "threads": 1,
        },
    )  # fmt: skip
    dataset = Dataset(
        name="sloppy",
        n_classes=experiment.data.classes,
        mean=np.zeros(experiment.data.features, np.float32),
        std=np.ones(experiment.data.features, np.float32),
        **{
            f"{split}_{what}": values
            for split, part in zip(("train", "test"), parts, strict=True)
            for what, values in (
                ("images", part.images),
                ("labels", part.labels),
                ("index", np.arange(len(part.labels))),
            )
        },
    )

    def checkpoints(epochs, steps_per_epoch):
        return checkpoints_of(experiment.checkpoints, epochs * steps_per_epoch)

    with (
        tempfile.TemporaryDirectory() as folder,
        patch.object(plan, "checkpoint_steps", checkpoints),
    ):
        work, stores = Path(folder) / "work", [Path(folder) / name for name in ("a.zarr", "b.zarr")]
        seconds = np.array(
            [
                spent(lambda: train_experiment(experiment, work, stores[0])),
                spent(lambda: train_configuration(configuration, dataset, work, stores[1])),
            ]
        )
        check_same(*stores)
    return seconds


def check_same(stacked: Path, one_by_one: Path) -> None:
    """See that both have trained the same networks: after a step, each is nearest its equal.

    They are not the same to rounding, as BatchNorm's first statistics are of the samples recorded
    in the grid and of all in the stack.
    """
    P, Q = (
        xr.open_zarr(path, consolidated=False)["test_predictions"].values
        for path in (stacked, one_by_one)
    )
    apart = np.abs(P[:, None, 1] - Q[:, 1]).mean(axis=(2, 3))
    if (apart.argmin(axis=1) != np.arange(len(P))).any():
        sys.exit("the two jobs did not train the same networks")
    end = np.abs(P[:, -1] - Q[:, -1]).mean()
    equal, other = apart.diagonal().mean(), np.median(apart)
    print(f"    apart: {equal:.1e} after a step, other seeds {other:.1e}; {end:.1e} at the end")


def spent(function) -> np.ndarray:
    """Seconds that a function takes, wall clock and processor, with its child processes."""

    def now():
        used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return np.array([time.perf_counter(), sum(u.ru_utime + u.ru_stime for u in used)])

    before = now()
    function()
    return now() - before


def plain(widths, x, labels, batch_size, epochs):
    """Seconds a step of one network, by the loop of a tutorial."""
    network = FullyConnected((FEATURES,), CLASSES, widths)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-5
    )
    steps = len(x) // batch_size
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * steps)
    start = time.perf_counter()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimiser.zero_grad()
            cross_entropy(network(x[batch]), labels[batch]).backward()
            optimiser.step()
            scheduler.step()
    return (time.perf_counter() - start) / (epochs * steps)


def stacked(size, widths, x, labels, batch_size, epochs):
    """Seconds a step of one network of a stack."""
    seeds = range(size)
    stack = StackedFullyConnected.from_seeds(seeds, (FEATURES,), CLASSES, widths=widths)
    start = time.perf_counter()
    train_stacked(
        stack,
        CONFIG,
        x,
        labels,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        checkpoints=[],
        calibrate=False,
    )
    return (time.perf_counter() - start) / (epochs * (len(x) // batch_size) * size)


def bench_loops(widths, batch_size, sizes, turns, seconds, threads):
    """Measure an architecture and batch size, and print a line a stack size."""
    x = torch.randn(4 * batch_size, FEATURES)
    labels = torch.randint(CLASSES, (len(x),))
    once = plain(widths, x, labels, batch_size, 3)
    layers = list(pairwise([FEATURES, *widths, CLASSES]))
    products = [a * b for a, b in layers]
    floor, needed = (batch_size * (6 * sum(products) - less) for less in (0, 2 * products[0]))
    shapes = [(b, a, batch_size) for a, b in layers]
    found, limit = {size: [] for size in sizes}, Limit(0.0, "")
    for turn in range(turns + 1):
        limit = max(limit, product_limit(torch.float32, threads, shapes, sides=(512, 1024)))
        for size in sizes:
            epochs = max(1, round(seconds / once / 4))
            slow = plain(widths, x, labels, batch_size, epochs)
            fast = stacked(size, widths, x, labels, batch_size, max(1, round(epochs / size)))
            if turn:  # the first warms up
                found[size].append((slow, fast))
    for size in sizes:
        slow, fast = np.array(found[size]).T
        share = [np.median(work / fast) / limit.rate for work in (floor, needed)]
        print(
            f"{'-'.join(map(str, widths)):8} {batch_size:5} {size:5} {1 / np.median(slow):9.0f} "
            f"{1 / np.median(fast):9.0f} {np.median(slow / fast):6.2f} {share[0]:6.2f} "
            f"{share[1]:7.2f}",
            flush=True,
        )
    print(f"    of {limit}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["jobs", "loops"])
    parser.add_argument("--turns", type=int, help="by default, 1 of jobs and 7 of loops")
    parser.add_argument("--decay", type=float, default=0.5, help="of jobs")
    parser.add_argument("--optimiser", default="Nesterov", help="of jobs")
    parser.add_argument("--part", type=float, default=1.0, help="of a job's epochs and checkpoints")
    parser.add_argument("--threads", type=int, default=2, help="of loops; jobs have one")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--batches", type=int, nargs="+", help="by default, the study's of jobs")
    parser.add_argument("--layers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=0.3, help="of a measurement of loops")
    args = parser.parse_args()
    keep_freed_memory()
    if args.what == "jobs":
        bench_jobs(args.decay, args.optimiser, args.batches, args.part, args.turns or 1)
        sys.exit()
    torch.set_num_threads(args.threads)
    print(
        f"networks x steps a second, {args.threads} threads, {FEATURES} features; floor, needed: "
        "operations over time, of those of the best matrix product"
    )
    print(
        f"{'widths':8} {'batch':>5} {'stack':>5} {'plain':>9} {'stacked':>9} {'ratio':>6} "
        f"{'floor':>6} {'needed':>7}"
    )
    for layers in args.layers:
        for batch_size in args.batches or (100, 200, 500):
            bench_loops(
                [512] * layers, batch_size, args.sizes, args.turns or 7, args.seconds, args.threads
            )
