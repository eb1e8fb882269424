"""Spectra, eigenspaces and reduced models of one configuration, of its first seed that ended."""

import argparse
from dataclasses import replace
from math import prod
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn

from hyperribbon.config import Configuration
from hyperribbon.curvature import (
    Bound,
    Hessian,
    Problem,
    kinks,
    norm_bounds,
    overlaps,
    reduced_models,
    spectral_density,
    subspace_overlap,
)
from hyperribbon.curvature.survey import WHOLE, Survey, padded, survey
from hyperribbon.data import Dataset
from hyperribbon.errors import DataError, StoreError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pac_bayes.certificate import certify
from hyperribbon.runtime.device import own_gpu, resolve_device
from hyperribbon.storage.dataset import SPLITS, open_dataset, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.training.corners import partly_random_labels

TEXTS = ("statement", "quantity")  # of a bound
DENSITY = {"steps": 60, "probes": 4}
FRACTIONS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)  # of the weights
LAYERED = {"activations": "layer", "gradients": "layer", "jacobian": "class"}


def main(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    path = store_path(args.predictions)
    store, dataset = open_dataset(path), Dataset.open(store_path(args.data))
    if store.attrs["data_sha256"] != dataset.sha256:
        raise StoreError(f"{path}: trained on other data than those in {store_path(args.data)}")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    ended = np.flatnonzero(store["diverged_step"].values < 0)
    about = derived_attributes(
        "train", dataset.sha256, "numpy", "scipy", "torch", "zarr",
        code=args.code, samples=args.samples, eigenvalues=args.eigenvalues, draws=args.draws,
    ) | {"configuration_id": configuration.id, "network": configuration.network_name,
         "optimiser": configuration.optimiser_name,
         "augmentation": configuration.augmentation_name}  # fmt: skip
    if len(ended):
        seed = int(store["seed"][ended[0]])
        wanted = "auto" if args.gpus else "cpu"
        with own_gpu(wanted, args.gpus):
            network = build(configuration, dataset).to(resolve_device(wanted))
            found = look(network, configuration, store, dataset, seed, args)
        found = found.assign_attrs(about, seed=seed)
    else:
        logger.warning("%s: all seeds diverged, so there are no weights to look at", path)
        found = xr.Dataset(attrs=about)
    write_dataset(found, args.output, inputs=inputs_of([path]))


def look(
    network: nn.Module,
    configuration: Configuration,
    store: xr.Dataset,
    dataset: Dataset,
    seed: int,
    args: argparse.Namespace,
) -> xr.Dataset:
    """All that is found of one training, by the moments of which weights are kept."""
    noise = configuration.augmentation.random_labels
    samples, labels = chosen(dataset, "train", args.samples, noise)
    problem, label = Problem(network, samples, labels), configuration.label
    variables, last, weights = over_training(problem, store, seed, args.eigenvalues, label)
    test = Problem(network, *chosen(dataset, "test"))
    if last.fisher is not None:
        variables |= reduction(last, test)
    if "hessian" in last.partial:
        variables |= density(problem, label)
    variables |= bounds(problem)
    if args.draws:
        everything = Problem(network, *chosen(dataset, "train", noise=noise))
        progress_bar = f"{label}, certificate"
        found = certify(everything, test, weights, args.draws, seed=seed, progress_bar=progress_bar)
        about = found._asdict()
        variables |= {f"certified_{k}": v for k, v in about.pop("certificate")._asdict().items()}
        variables |= {f"certified_{k}": v for k, v in about.items()}
    steps_per_epoch = len(dataset.train_labels) // configuration.training.batch_size
    kept = store["snapshot_step"].values
    coordinates = {
        "snapshot_step": ("snapshot", kept),
        "snapshot_epoch": ("snapshot", kept / steps_per_epoch),
        "layer": np.array(last.layers, dtype=object),
        "class": np.arange(dataset.n_classes),
        "split": np.array(SPLITS, dtype=object),
        "train_label": ("train_sample", labels.numpy()),
    }
    counts = {
        "n_inputs": prod(dataset.input_shape),
        "n_parameters": len(weights),
        "train_samples": len(dataset.train_labels),
    }
    return xr.Dataset(variables, coordinates, counts)


def over_training(
    problem: Problem, store: xr.Dataset, seed: int, k: int, label: str
) -> tuple[dict[str, tuple], Survey, np.ndarray]:
    """What is found of each moment; the survey of the last, whose weights it leaves; the first's.

    Of moments between them no vectors are kept.
    """
    spectra, agreements, weights, first = [], [], [], None
    for step in store["snapshot_step"].values:
        load(problem.network, store, seed, int(step))
        moment = f"{label} step {step}"
        now = survey(problem, k, progress_bar=moment)
        first = first or replace(now, fisher=None)
        spectra.append(now.spectra)
        agreements.append(agreement(first, now))
        weights.append(problem.flat_weights())
        if at_kink := kinks(problem):
            logger.warning("%s: %d inputs of ReLU are exactly 0, at its kink", moment, at_kink)
        logger.info("%s: p = %d, %d samples", moment, problem.n_parameters, problem.n_samples)
    variables = eigenvalues(spectra, now.partial)
    for name in agreements[0]:
        variables[name] = (("snapshot", "k"), padded([found[name] for found in agreements]))
    products = overlaps(now.fisher_vectors, now.hessian_vectors)
    variables["inner_product"] = (("fisher_vector", "hessian_vector"), products, {"of": "the end"})
    distance = [float(((w - weights[0]) ** 2).sum()) for w in weights]
    about = {"long_name": "squared, from the first weights kept"}
    variables["squared_distance"] = ("snapshot", distance, about)
    return variables, now, weights[0]


def build(configuration: Configuration, dataset: Dataset) -> nn.Module:
    """The network in evaluation mode, float64."""
    network = configured_network(configuration.network, dataset.input_shape, dataset.n_classes)
    return network.double().eval()


def load(network: nn.Module, store: xr.Dataset, seed: int, step: int) -> None:
    """Put kept weights and BatchNorm's statistics into a network."""
    state = network.state_dict()
    for name, values in load_weights(store, seed, step).items():
        state[name].copy_(torch.from_numpy(values.copy()))


def chosen(
    dataset: Dataset, split: str, count: int | None = None, noise: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples as networks see them, evenly spread, all by default; and labels trained to."""
    images, labels, _ = dataset.split(split)
    labels = partly_random_labels(labels, dataset.n_classes, noise)
    rows = evenly(len(labels), count)
    return dataset.as_input(torch.from_numpy(images[rows])), torch.from_numpy(labels[rows])


def eigenvalues(spectra: list[dict[str, np.ndarray]], partial: set[str]) -> dict[str, tuple]:
    """Eigenvalues by snapshot; NaN beyond the end of shorter ones."""
    found = {}
    for name in spectra[0]:
        values = [of_moment[name] for of_moment in spectra]
        dims = ("snapshot", f"{name}_index")
        if name in LAYERED:
            dims = ("snapshot", LAYERED[name], f"{name}_index")
            array = np.stack(values)
        else:
            array = padded(values)
        known = "leading" if name in partial else "complete"
        found[f"{name}_eigenvalue"] = (dims, array, {"spectrum": known})
    return found


def density(problem: Problem, label: str) -> dict[str, tuple]:
    """Density of the Hessian's spectrum, at the end."""
    found = spectral_density(Hessian(problem), **DENSITY, progress_bar=f"{label}, density")
    dims, about = ("probe", "node"), {"of": "the Hessian at the end"}
    return {
        "density_node": (dims, found.nodes, about),
        "density_weight": (dims, found.weights, about),
    }


def bounds(problem: Problem) -> dict[str, tuple]:
    """Bounds by the norms of the weights, of networks for which they were proved, at the end."""
    if problem.n_samples * problem.n_outputs > WHOLE:
        return {}
    try:
        found = norm_bounds(problem)
    except DataError as error:
        logger.info("no bounds by norms: %s", error)
        return {}
    columns = zip(Bound._fields, zip(*found, strict=True), strict=True)
    return {
        f"bound_{name}": ("bound", np.array(values, object if name in TEXTS else None))
        for name, values in columns
    }


def agreement(first: Survey, now: Survey) -> dict[str, np.ndarray]:
    """How far stiff directions agree: of Fisher matrix and Hessian, and with those at first."""
    F, H = now.fisher_vectors, now.hessian_vectors
    return {
        "overlap_fisher_hessian": subspace_overlap(F, H),
        "overlap_fisher_initial": subspace_overlap(first.fisher_vectors, F),
        "overlap_hessian_initial": subspace_overlap(first.hessian_vectors, H),
    }


def reduction(last: Survey, test: Problem) -> dict[str, tuple]:
    """Models reduced to the first k eigenvectors, to all that are not 0, and the whole one."""
    found = reduced_models(last.fisher, test, FRACTIONS)
    return {
        "kept": ("reduced", found.kept, {"long_name": "eigenvectors; at last, all weights"}),
        "reduced_error": (("reduced", "split"), found.errors),
        "reduced_predictions": (("reduced", "train_sample", "class"), found.predictions),
    }


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, required=True, help="manifest of the trainings")
    parser.add_argument("--data", type=Path, required=True, help="manifest of the data")
    parser.add_argument("--samples", type=int, required=True, help="training samples, at most")
    parser.add_argument("--eigenvalues", type=int, required=True, help="leading eigenpairs")
    parser.add_argument("--draws", type=int, default=0, help="networks drawn for a certificate")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs that the job was given")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", default="", help="hash of the code")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to publish")
    run_step(main, parser)
