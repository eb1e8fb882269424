"""The metric of one configuration's networks: between test images, on planes, at images."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import StoreError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.image_survey import (
    choose_pairs,
    choose_triples,
    classifier,
    plane_axes,
    survey_paths,
    survey_plane,
)
from hyperribbon.representations.metric import metric_spectrum
from hyperribbon.representations.paths import neighbour_paths, plane_through, straight_paths
from hyperribbon.storage.dataset import open_dataset, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.representations.config import ImagesConfig
from hyperribbon.studies.step import logger, run_step

LAYER = "features"  # what the classifier reads, in all networks of the package
KINDS = ("straight", "neighbours")  # of paths
PATHS = ("training", "snapshot", "kind", "path", "position")
SHOWN = 7  # images of a path that figures show


def main(
    predictions: Path, data: Path, images: ImagesConfig, threads: int, output: Path, code: str = ""
) -> None:
    """Survey the metric of one configuration's networks at their snapshots.

    Parameters
    ----------
    predictions : manifest of the trainings
    data : manifest of the data
    images : section of the study, JSON
    threads : of torch
    output : Zarr store to publish
    code : hash of the code
    """
    torch.set_num_threads(threads)
    path = store_path(predictions)
    store, dataset = open_dataset(path), Dataset.open(store_path(data))
    if store.attrs["data_sha256"] != dataset.sha256:
        raise StoreError(f"{path}: trained on other data than those in {store_path(data)}")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    ended = np.flatnonzero(store["diverged_step"].values < 0)[: images.seeds]
    about = derived_attributes(
        "train", dataset.sha256, "numpy", "scipy", "torch", "zarr",
        code=code, images=images.model_dump(mode="json"),
    ) | {"configuration_id": configuration.id, "network": configuration.network_name,
         "optimiser": configuration.optimiser_name,
         "augmentation": configuration.augmentation_name,
         "family": family(configuration)}  # fmt: skip
    if len(ended):
        seeds = store["seed"].values[ended].tolist()
        found = survey(configuration, store, dataset, seeds, images).assign_attrs(about)
    else:
        logger.warning("%s: all seeds diverged, so there are no networks to look at", path)
        found = xr.Dataset(attrs=about)
    write_dataset(found, output, inputs=inputs_of([path]))


def survey(
    configuration: Configuration,
    store: xr.Dataset,
    dataset: Dataset,
    seeds: list[int],
    images: ImagesConfig,
) -> xr.Dataset:
    """Survey some trainings at the snapshots whose weights are kept."""
    shape, labels = dataset.input_shape, dataset.test_labels
    pairs = choose_pairs(labels, images.pairs, images.seed)
    triples = choose_triples(labels, images.planes, images.seed)
    spots = evenly(len(labels), images.spectra)
    ends = inputs(dataset, "test", pairs.start), inputs(dataset, "test", pairs.stop)
    every = inputs(dataset, "train", np.arange(len(dataset.train_labels)))
    paths = np.stack(
        [
            straight_paths(*ends, images.steps),
            neighbour_paths(every, *ends, images.steps, images.neighbours),
        ]
    )
    planes = [plane_through(inputs(dataset, "test", rows)) for rows in triples]
    steps = store["snapshot_step"].values.tolist()
    network = configured_network(configuration.network, shape, dataset.n_classes)
    network = network.double().eval()
    along: dict[str, list] = {"log_volume": [], "rank": [], "predicted": []}
    on_planes: dict[str, list] = {"log_volume": [], "ricci": [], "predicted": []}
    spectra, crossed = [], []
    for k, seed in enumerate(seeds):
        for j, step in enumerate(steps):
            label = f"{configuration.label} seed {seed} step {step}"
            weights = load_weights(store, seed, step)
            state = {name: torch.from_numpy(values.copy()) for name, values in weights.items()}
            network.load_state_dict(state, strict=False)
            features, classify = layer_features(network, LAYER, shape), classifier(network, shape)
            for kind, of_kind in enumerate(paths):
                found = survey_paths(features, classify, of_kind, progress_bar=label)
                for name, values in along.items():
                    values.append(getattr(found, name))
                which = np.broadcast_to([k, j, kind], (len(found.crossings.path), 3))
                crossed.append(np.column_stack([which, *found.crossings[:4]]))
            spectra.append(metric_spectrum(features, inputs(dataset, "test", spots)))
            if k == 0:
                for plane in planes:
                    of_plane = survey_plane(features, classify, plane, images.plane_grid)
                    for name, values in on_planes.items():
                        values.append(getattr(of_plane, name))
            logger.info("%s: log volumes of %d points", label, paths[..., 0].size)
    lead = (len(seeds), len(steps))
    variables: dict[str, Any] = {
        name: (PATHS, np.stack(values).reshape(*lead, *paths.shape[:3]))
        for name, values in along.items()
    }
    names = ("training", "snapshot", "kind", "path", "position", "before", "after")
    for name, column in zip(names, np.concatenate(crossed).T, strict=True):
        whole = column if name == "position" else column.astype(int)
        variables[f"crossing_{name}"] = ("crossing", whole)
    eigenvalues = np.stack(spectra)
    variables["eigenvalue"] = (
        ("training", "snapshot", "image", "index"), eigenvalues.reshape(*lead, *eigenvalues.shape[1:])
    )  # fmt: skip
    if planes:
        n = images.plane_grid
        for name, values in on_planes.items():
            of_each = np.stack(values).reshape(len(steps), len(planes), n, n)
            variables[f"plane_{name}"] = (("snapshot", "plane", "y", "x"), of_each)
        axes = np.stack([plane_axes(plane, n) for plane in planes])
        variables["plane_axis"] = (("plane", "axis", "x"), axes)
        corners = np.stack([plane.corners for plane in planes])
        variables["plane_corner"] = (("plane", "corner", "axis"), corners)
        variables["plane_label"] = (("plane", "corner"), labels[triples])
    shown = np.array([0, images.pairs])  # the first pair of different classes, and of the same
    variables["picture"] = (
        ("kind", "shown", "place", "pixel"),
        pictures(dataset, paths[:, shown][:, :, evenly_between(images.steps, SHOWN)]),
    )
    steps_per_epoch = len(dataset.train_labels) // configuration.training.batch_size
    coordinates = {
        "seed": ("training", np.array(seeds)),
        "step": ("snapshot", np.array(steps)),
        "epoch": ("snapshot", np.array(steps) / steps_per_epoch),
        "kind": np.array(KINDS, dtype=object),
        "label_start": ("path", labels[pairs.start]),
        "label_stop": ("path", labels[pairs.stop]),
        "same": ("path", pairs.same.astype(int)),
        "shown": shown,
        "image_label": ("image", labels[spots]),
    }
    counts = {"inputs": paths.shape[3], "shape": "x".join(map(str, shape))}
    return xr.Dataset(variables, coordinates, counts)


def family(configuration: Configuration) -> str:
    """What the source tells apart: shallow, deep or residual; otherwise the architecture."""
    network = configuration.network
    if network.architecture == "fully_connected":
        return "shallow" if len(network.widths) == 1 else "deep"
    if network.architecture in ("resnet", "wide_resnet"):
        return "residual"
    return network.architecture


def inputs(dataset: Dataset, split: str, rows: np.ndarray) -> np.ndarray:
    """Samples (B, d) as networks see them, in float64."""
    images, _, _ = dataset.split("train" if split == "train" else "test")
    seen = dataset.as_input(torch.from_numpy(np.asarray(images[rows])))
    return seen.reshape(len(rows), -1).double().numpy()


def evenly_between(n: int, count: int) -> np.ndarray:
    """At most ``count`` positions of 0..n-1, both ends among them.

    >>> evenly_between(25, 7).tolist()
    [0, 4, 8, 12, 16, 20, 24]
    """
    return np.unique(np.linspace(0, n - 1, min(n, count)).round().astype(int))


def pictures(dataset: Dataset, x: np.ndarray) -> np.ndarray:
    """Inputs (..., d) as pixels from 0 to 255; what is out of range is cut off."""
    shape = dataset.input_shape
    scale = (len(shape) - 1) * (1,)
    mean, std = (np.reshape(a, (-1, *scale)).astype(float) for a in (dataset.mean, dataset.std))
    whole = x.reshape(-1, *shape) * std + mean
    if dataset.test_images.dtype == np.uint8:
        whole = 255 * whole
    else:  # of numbers without a range of their own
        whole = 255 * (whole - whole.min()) / max(np.ptp(whole), np.finfo(float).tiny)
    return whole.clip(0, 255).round().astype(np.uint8).reshape(x.shape)


if __name__ == "__main__":
    run_step(main)
