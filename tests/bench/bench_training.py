"""Speed of training, beside a plain PyTorch loop, in one run.

``make bench`` runs it on the CPU: the five networks of the default study, one plain loop
(DataLoader, torch's threads) against five seeds trained at once as the workflow can. ``make
bench-gpu`` runs it with ``--device cuda``: the six networks of the dissertation on images of
CIFAR-10's shape in each precision, and from it the cost of the 3,120 trainings. The images are
noise: speed does not depend on what they show.
"""

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import torch
import yaml
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from hyperribbon.networks import configured_network
from hyperribbon.studies.study import parse_study
from hyperribbon.training.forward import Forward
from hyperribbon.training.loop import predict, tf32, train
from hyperribbon.training.methods.configured import configured_method
from hyperribbon.training.methods.method import Material
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.parallel import set_up
from hyperribbon.training.samples import Resident
from hyperribbon.training.schedule import checkpoint_steps

CONFIG = Path(__file__).parents[2] / "config"
SEEDS = 5
TIMEOUT = 600  # seconds, if a process dies


def read_study(name):
    return parse_study(yaml.safe_load((CONFIG / name).read_text()))


def first_configurations(study):
    """A configuration of every network."""
    return {c.network_name: c for c in reversed(study.configurations())}


def noise(configuration, n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(n, *configuration.data.input_shape, generator=generator)
    return images, torch.randint(10, (n,), generator=generator)


def build(configuration):
    return configured_network(configuration.network, configuration.data.input_shape, 10)


def plain(configuration, images, labels, epochs, device="cpu"):
    """The loop of a tutorial; its seconds."""
    network, optimiser_config = build(configuration).to(device), configuration.optimiser
    if optimiser_config.algorithm == "sgd":
        optimiser = torch.optim.SGD(
            network.parameters(),
            lr=optimiser_config.learning_rate,
            momentum=optimiser_config.momentum,
            nesterov=optimiser_config.nesterov,
        )
    else:
        optimiser = torch.optim.Adam(network.parameters(), lr=optimiser_config.learning_rate)
    size = configuration.training.batch_size
    loader = DataLoader(TensorDataset(images, labels), size, shuffle=True, drop_last=True)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 10 * len(loader))

    def epoch():
        network.train()
        for x, y in loader:
            optimiser.zero_grad()
            cross_entropy(network(x.to(device)), y.to(device)).backward()
            optimiser.step()
            scheduler.step()

    epoch()
    synchronise(device)
    start = time.perf_counter()
    for _ in range(epochs):
        epoch()
    synchronise(device)
    return time.perf_counter() - start


def ours(configuration, images, labels, epochs, device="cpu", precision="float32"):
    """The loop of the workflow, without recording; its seconds."""
    images = images.to(device)
    if images.ndim == 4:
        images = images.contiguous(memory_format=torch.channels_last)
    labels = labels.to(device)
    memory_format = torch.channels_last if images.ndim == 4 else torch.contiguous_format
    network = build(configuration).to(device, memory_format=memory_format)
    optimiser, scheduler = build_optimiser(network, configuration.optimiser, 10**6)
    size = configuration.training.batch_size
    material = Material.of_labels(labels.cpu(), batch_size=size, forward=Forward(precision))
    method = configured_method(configuration, material)

    def run(epochs):
        train(
            network,
            optimiser,
            scheduler,
            Resident(images),
            labels,
            method,
            epochs=epochs,
            checkpoints=[],
            record=lambda step, objective: None,
        )
        synchronise(device)

    with tf32(allowed=precision == "tf32"):
        run(1)
        start = time.perf_counter()
        run(epochs)
        seconds = time.perf_counter() - start
    return seconds, network


def synchronise(device):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def alone(function, configuration, n, epochs, prepare=None):
    """Seconds in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, prepare) as pool:
        return pool.apply(seconds_of, (function, configuration, n, epochs))


def seconds_of(function, configuration, n, epochs):
    found = function(configuration, *noise(configuration, n), epochs)
    return found[0] if isinstance(found, tuple) else found


def worker(configuration, n, epochs, barrier):
    set_up()
    data = noise(configuration, n)
    ours(configuration, *data, 1)
    barrier.wait(TIMEOUT)
    ours(configuration, *data, epochs)
    barrier.wait(TIMEOUT)


def together(configuration, n, epochs):
    """Seconds of all seeds at once, without the start of the processes."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(SEEDS + 1)
    arguments = configuration, n, epochs, barrier
    workers = [context.Process(target=worker, args=arguments, daemon=True) for _ in range(SEEDS)]
    for process in workers:
        process.start()
    barrier.wait(TIMEOUT)
    start = time.perf_counter()
    barrier.wait(TIMEOUT)
    seconds = time.perf_counter() - start
    for process in workers:
        process.join()
    return seconds


def bench_cpu(n, epochs):
    cores, threads = len(os.sched_getaffinity(0)), torch.get_num_threads()
    print(
        f"images/s of training on {cores} cores, batches of 200, {n} images of the default study's "
        f"shape; plain: DataLoader, torch's {threads} threads, seeds in turn; ours: 1 thread a "
        f"seed, {SEEDS} seeds at once"
    )
    print(f"{'network':16} {'plain':>9} {'ours, 1 seed':>13} {'ours, 5 seeds':>14} {'ratio':>6}")
    ratios = []
    for name, configuration in first_configurations(read_study("config.yaml")).items():
        seen = n // configuration.training.batch_size * configuration.training.batch_size * epochs
        slow = seen / alone(plain, configuration, n, epochs)
        one = seen / alone(ours, configuration, n, epochs, set_up)
        # Each seed warms up by an epoch, as the others do.
        fast = SEEDS * seen * (epochs + 1) / epochs / together(configuration, n, epochs)
        ratios.append(fast / slow)
        print(f"{name:16} {slow:9.0f} {one:13.0f} {fast:14.0f} {ratios[-1]:6.2f}", flush=True)
    print(f"smallest ratio {min(ratios):.2f}, geometric mean {np.exp(np.log(ratios).mean()):.2f}")


def bench_gpu(n, epochs):
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}; images/s of training")
    print(f"{'network':16} {'plain':>9} {'float32':>9} {'tf32':>9} {'bfloat16':>9} {'predict':>9}")
    study = read_study("cifar10.yaml")
    seconds = {}
    for name, configuration in first_configurations(study).items():
        images, labels = noise(configuration, n)
        seen = n // configuration.training.batch_size * configuration.training.batch_size * epochs
        torch.use_deterministic_algorithms(False)
        with tf32(allowed=False):
            rates = [seen / plain(configuration, images, labels, epochs, "cuda")]
        torch.use_deterministic_algorithms(True, warn_only=True)  # as the workflow does
        for precision in ("float32", "tf32", "bfloat16"):
            taken, network = ours(configuration, images, labels, epochs, "cuda", precision)
            rates.append(seen / taken)
        samples = Resident(images.cuda().contiguous(memory_format=torch.channels_last))
        predict(network, samples)
        synchronise("cuda")
        start = time.perf_counter()
        predict(network, samples)
        synchronise("cuda")
        rates.append(n / (time.perf_counter() - start))
        print(f"{name:16} " + " ".join(f"{rate:9.0f}" for rate in rates), flush=True)
        seconds[name] = {
            k: 1 / rate for k, rate in zip(("32", "tf32", "16"), rates[1:4], strict=True)
        }
        seconds[name]["predict"] = 1 / rates[4]
    configurations = study.configurations()
    for precision in ("32", "tf32", "16"):
        total = 0.0
        for c in configurations:
            epochs, size = c.training.epochs, c.training.batch_size
            checkpoints = len(checkpoint_steps(epochs, c.data.train_size // size))
            trained = epochs * c.data.train_size * seconds[c.network_name][precision]
            predicted = checkpoints * (c.data.train_size + c.data.test_size)
            predicted *= seconds[c.network_name]["predict"]
            total += c.training.seeds * (trained + predicted)
        number = sum(c.training.seeds for c in configurations)
        print(f"{number} trainings of cifar10.yaml at {precision}: {total / 3600:.0f} GPU-hours")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--images", type=int, default=None)
    parser.add_argument("--epochs", type=int, default=None)
    args = parser.parse_args()
    if args.device == "cpu":
        bench_cpu(args.images or 4000, args.epochs or 10)
    else:
        bench_gpu(args.images or 10_000, args.epochs or 1)
