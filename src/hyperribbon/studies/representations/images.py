"""The metric of one configuration's networks: between test images, on planes, at images."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.networks.weights import put_weights
from hyperribbon.numerics.blocks import evenly
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.image_survey import (
    Pairs,
    choose_pairs,
    choose_triples,
    classifier,
    plane_axes,
    survey_paths,
    survey_plane,
)
from hyperribbon.representations.metric import metric_spectrum
from hyperribbon.representations.paths import (
    Plane,
    neighbour_paths,
    plane_through,
    straight_paths,
)
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.manifest import inputs_of
from hyperribbon.storage.predictions import load_weights
from hyperribbon.studies.grid.trained import build, open_trained
from hyperribbon.studies.representations.config import ImagesConfig
from hyperribbon.studies.step import logger, run_step

LAYER = "features"  # what the classifier reads, in all networks of the package
KINDS = ("straight", "neighbours")  # of paths
PATHS = ("training", "snapshot", "kind", "path", "position")
CROSSING = ("training", "snapshot", "kind", "path", "position", "before", "after")
ALONG = ("log_volume", "rank", "predicted")
ON_PLANES = {f"plane_{name}": name for name in ("log_volume", "ricci", "predicted")}
MOST = 10_000  # training images in the graph of neighbours, which costs their number squared
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
    trained = open_trained(predictions, data)
    configuration = trained.configuration
    seeds = trained.seeds[: images.seeds]
    about = trained.about(code, images=images.model_dump(mode="json"))
    about["family"] = family(configuration)
    if seeds:
        found = survey(configuration, trained.store, trained.dataset, seeds, images)
        found = found.assign_attrs(about)
    else:
        logger.warning("%s: all seeds diverged, so there are no networks to look at", trained.path)
        found = xr.Dataset(attrs=about)
    write_dataset(found, output, inputs=inputs_of([trained.path]))


class Scene(NamedTuple):
    """What is looked at, the same for all networks."""

    pairs: Pairs
    paths: np.ndarray
    """(kinds, P, T, d)."""
    planes: list[Plane]
    triples: np.ndarray
    """(planes, 3) int, test images."""
    spots: np.ndarray
    """(B,) int, test images at which spectra are computed."""


def scene(dataset: Dataset, images: ImagesConfig) -> Scene:
    """Choose images, and the paths and planes through them."""
    labels = dataset.test_labels
    pairs = choose_pairs(labels, images.pairs, images.seed)
    triples = choose_triples(labels, images.planes, images.seed)
    ends = inputs(dataset, "test", pairs.start), inputs(dataset, "test", pairs.stop)
    some = inputs(dataset, "train", evenly(len(dataset.train_labels), MOST))
    straight = straight_paths(*ends, images.steps)
    near = neighbour_paths(some, *ends, images.steps, images.neighbours)
    planes = [plane_through(inputs(dataset, "test", rows)) for rows in triples]
    paths = np.stack([straight, near])
    return Scene(pairs, paths, planes, triples, evenly(len(labels), images.spectra))


def survey(
    configuration: Configuration,
    store: xr.Dataset,
    dataset: Dataset,
    seeds: list[int],
    images: ImagesConfig,
) -> xr.Dataset:
    """Survey some trainings at the snapshots whose weights are kept."""
    at, shape = scene(dataset, images), dataset.input_shape
    steps = store["snapshot_step"].values.tolist()
    spots = inputs(dataset, "test", at.spots)
    network = build(configuration, dataset)
    found: dict[str, list] = {name: [] for name in (*ALONG, "crossing", "eigenvalue", *ON_PLANES)}
    for k, seed in enumerate(seeds):
        for j, step in enumerate(steps):
            label = f"{configuration.label} seed {seed} step {step}"
            put_weights(network, load_weights(store, seed, step))
            features, classify = layer_features(network, LAYER, shape), classifier(network, shape)
            for kind, paths in enumerate(at.paths):
                along = survey_paths(features, classify, paths, progress_bar=label)
                for name in ALONG:
                    found[name].append(getattr(along, name))
                which = np.broadcast_to([k, j, kind], (len(along.crossings.path), 3))
                found["crossing"].append(np.column_stack([which, *along.crossings[:4]]))
            found["eigenvalue"].append(metric_spectrum(features, spots))
            for plane in at.planes if k == 0 else ():
                of_plane = survey_plane(features, classify, plane, images.plane_grid)
                for name, field in ON_PLANES.items():
                    found[name].append(getattr(of_plane, field))
            logger.info("%s: log volumes of %d points", label, at.paths[..., 0].size)
    return assembled(found, at, dataset, seeds, steps, images).assign_coords(
        epoch=("snapshot", np.array(steps) / steps_per_epoch(configuration, dataset))
    )


def steps_per_epoch(configuration: Configuration, dataset: Dataset) -> int:
    """Steps of an epoch, whose incomplete last batch is left out."""
    return len(dataset.train_labels) // configuration.training.batch_size


def assembled(
    found: dict[str, list],
    at: Scene,
    dataset: Dataset,
    seeds: list[int],
    steps: list[int],
    images: ImagesConfig,
) -> xr.Dataset:
    """Put what was found, one entry per training, snapshot and kind, into a labelled dataset."""
    lead, labels = (len(seeds), len(steps)), dataset.test_labels
    variables: dict[str, Any] = {}
    for name in ALONG:
        values = np.stack(found[name]).reshape(*lead, *at.paths.shape[:3])
        variables[name] = (PATHS, values)
    columns = np.concatenate(found["crossing"]).T
    for name, column in zip(CROSSING, columns, strict=True):
        whole = column if name == "position" else column.astype(int)
        variables[f"crossing_{name}"] = ("crossing", whole)
    eigenvalues = np.stack(found["eigenvalue"])
    shape = (*lead, *eigenvalues.shape[1:])
    dims = ("training", "snapshot", "image", "index")
    variables["eigenvalue"] = (dims, eigenvalues.reshape(shape))
    if at.planes:
        n = images.plane_grid
        for name in ON_PLANES:
            values = np.stack(found[name]).reshape(len(steps), len(at.planes), n, n)
            variables[name] = (("snapshot", "plane", "y", "x"), values)
        axes = np.stack([plane_axes(plane, n) for plane in at.planes])
        variables["plane_axis"] = (("plane", "axis", "x"), axes)
        corners = np.stack([plane.corners for plane in at.planes])
        variables["plane_corner"] = (("plane", "corner", "axis"), corners)
        variables["plane_label"] = (("plane", "corner"), labels[at.triples])
    shown = np.array([0, images.pairs])  # the first pair of different classes, and of the same
    some = at.paths[:, shown][:, :, evenly_between(images.steps, SHOWN)]
    variables["picture"] = (("kind", "shown", "place", "pixel"), pictures(dataset, some))
    coordinates = {
        "seed": ("training", np.array(seeds)),
        "step": ("snapshot", np.array(steps)),
        "kind": np.array(KINDS, dtype=object),
        "label_start": ("path", labels[at.pairs.start]),
        "label_stop": ("path", labels[at.pairs.stop]),
        "same": ("path", at.pairs.same.astype(int)),
        "shown": shown,
        "image_label": ("image", labels[at.spots]),
    }
    about = {"inputs": at.paths.shape[3], "shape": "x".join(map(str, dataset.input_shape))}
    return xr.Dataset(variables, coordinates, about)


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
