"""Cost of a step of each method of learning, in one run: ``make bench`` runs it on the CPU.

What is compared is a step of a method with supervised steps over as many views, augmented in the
same way: SimCLR and Barlow Twins see two views of each sample, FixMatch one of the samples with
labels and two of the others. All take turns, and the least time of each counts, because other
processes come and go. Images are noise: speed does not depend on what they show.
"""

import argparse
import time
from importlib import import_module

import numpy as np
import torch
from measuring import report
from pydantic import TypeAdapter

from hyperribbon.config import AugmentationConfig, MethodConfig, SGDConfig, SupervisedConfig
from hyperribbon.config.methods import STRONG, VIEWS
from hyperribbon.networks import build_network
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.loop import train
from hyperribbon.training.methods.method import OWN, Material
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.parallel import set_up
from hyperribbon.training.samples import Resident
from hyperribbon.training.state import Purpose

SIZE, BATCH, C, N = 16, 64, 10, 2000
CROP = AugmentationConfig(crop="random", padding=2, flip=True)
# Section, batch, views per step, and the augmentation of the supervised steps beside it.
METHODS = {
    "supervised": ({"name": "supervised"}, BATCH, BATCH, CROP),
    "2-way episodes": ({"name": "prototypical", "way": 2, "queries": 20}, BATCH, 40, CROP),
    "5-way episodes": ({"name": "prototypical", "way": 5, "queries": 50}, BATCH, 100, CROP),
    "two tasks at once": ({"name": "joint"}, BATCH, BATCH, CROP),
    "SimCLR": ({"name": "simclr"}, BATCH, 2 * BATCH, VIEWS),
    "Barlow Twins": ({"name": "barlow_twins"}, BATCH, 2 * BATCH, VIEWS),
    "FixMatch": (
        {"name": "fixmatch", "labelled": 200, "unlabelled_ratio": 1},
        BATCH,
        3 * BATCH,
        STRONG,
    ),
}
LIMIT = {"SimCLR": 1.3, "Barlow Twins": 1.3, "FixMatch": 1.3}


def augmentation(section, device, purpose=Purpose.AUGMENTATION):
    shape = (3, 1, 1)
    return Augmentation(
        section,
        image_size=SIZE,
        black=torch.full(shape, -2.0, device=device),
        white=torch.full(shape, 2.0, device=device),
        seed=0,
        steps_per_epoch=10**6,
        purpose=purpose,
    )


class Steps:
    """Steps of a method, each with the loop of the workflow."""

    def __init__(self, section, batch_size, own, device):
        generator = torch.Generator().manual_seed(0)
        images = torch.rand(N, 3, SIZE, SIZE, generator=generator) * 4 - 2
        self.samples = Resident(images.to(device).contiguous(memory_format=torch.channels_last))
        labels = np.arange(N) % C
        tasks = 2 if section.several_tasks else 1
        self.labels = torch.from_numpy(labels).to(device)
        if tasks > 1:
            self.labels = self.labels[:, None].expand(-1, tasks)
        self.device, self.count = device, 10
        augmentations = {
            name: augmentation(views, device, Purpose.VIEWS)
            for name, views in section.augmentations.items()
        }
        material = Material(
            targets=np.stack([labels] * tasks, axis=1),
            classes=(C,) * tasks,
            batch_size=batch_size,
            seed=0,
            steps_per_epoch=self.count,
            augmentations={OWN: augmentation(own, device), **augmentations},
        )
        module = import_module(f"hyperribbon.training.methods.{section.name}")
        self.method = module.METHOD(section, material)
        torch.manual_seed(0)
        network = build_network(
            "wide_resnet", (3, SIZE, SIZE), C, depth=10, width=8, widen_factor=1
        )
        network.classifier = self.method.head(network.classifier)
        self.network = network.to(device, memory_format=torch.channels_last)
        config = SGDConfig(algorithm="sgd", learning_rate=0.01, momentum=0.9, nesterov=True)
        self.optimiser = build_optimiser(self.network, config, 10**6)

    def epochs(self, number):
        """The first steps of an epoch."""
        for batches in self.method.epochs(number):
            yield batches[: self.count]

    def loss(self, *given):
        """That of the method."""
        return self.method.loss(*given)

    def milliseconds(self):
        """Of one step."""
        synchronise(self.device)
        start = time.perf_counter()
        train(
            self.network,
            *self.optimiser,
            self.samples,
            self.labels,
            self,
            epochs=1,
            checkpoints=[],
            record=lambda step, objective: None,
        )
        synchronise(self.device)
        return 1000 * (time.perf_counter() - start) / self.count


def synchronise(device):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


class Views:
    """An augmentation alone."""

    def __init__(self, section, count, device):
        images = torch.rand(count, 3, SIZE, SIZE, device=device) * 4 - 2
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.augment, self.device = augmentation(section, device), device

    def milliseconds(self):
        """Of a batch."""
        synchronise(self.device)
        start = time.perf_counter()
        for step in range(10):
            self.augment(self.images, step)
        synchronise(self.device)
        return 100 * (time.perf_counter() - start)


def main(rounds, device):
    set_up(1, device)
    runs, adapter = {}, TypeAdapter(MethodConfig)
    for name, (keys, batch_size, views, own) in METHODS.items():
        section = adapter.validate_python(keys)
        plain = CROP if section.takes_augmentation else AugmentationConfig()
        runs[name] = Steps(section, batch_size, plain, device)
        supervised = SupervisedConfig(name="supervised")
        runs[f"{name}, beside"] = Steps(supervised, BATCH, own, device)
        runs[f"{name}, augmentation"] = Views(own, views, device)
    least = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, steps in runs.items():
            least[name] = min(least[name], steps.milliseconds())
    print(f"{device}, 1 thread, WRN-10 of 8/16/32 features, {SIZE} x {SIZE} pixels, batch {BATCH}")
    for name, (_, _, views, _) in METHODS.items():
        report(f"{name}: ms per step of {views} views", f"{least[name]:.1f}")
        beside = least[f"{name}, beside"] * views / BATCH
        ratio, limit = least[name] / beside, LIMIT.get(name)
        required = f"at most {limit}" if limit else ""
        report(
            "    over supervised steps of as many views",
            f"{ratio:.2f}",
            required,
            not limit or ratio <= limit,
        )
        plain = least["supervised"] * views / BATCH
        report("    over supervised steps that crop and flip", f"{least[name] / plain:.2f}")
        share = least[f"{name}, augmentation"] / least[name]
        report("    share of such an augmentation of all views", f"{share:.0%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=8)
    main(**vars(parser.parse_args()))
