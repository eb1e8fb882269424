"""The steps on small studies: what is in their tables."""

import numpy as np
import pytest
import torch

from hyperribbon.config import Configuration
from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.networks import configured_network
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.metric import log_volume_element
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.studies.representations import images, planes
from hyperribbon.studies.representations.config import PlanesConfig
from hyperribbon.studies.representations.image_tables import TABLES

from .conftest import IMAGES, NETWORKS, PLANES


def test_every_variant_of_each_task_is_trained_and_looked_at(of_planes):
    found = of_planes["plane_trainings"]
    both = {"standard", "width 5", "weight decay 0.1", "relu", "NTK"}
    variants = found.groupby("task")["variant"].unique().map(set).to_dict()
    assert variants == {"xor": both, "sinusoid": both | {"random labels", "4-4"}}
    seeds = found.groupby(["task", "variant"])["seed"].nunique()
    assert (seeds.xs("standard", level=1) == 2).all() and seeds.drop("standard", level=1).eq(
        1
    ).all()
    assert sorted(found.query("task == 'xor'")["epoch"].unique()) == [0, 1, 20]
    assert set(of_planes["plane_maps"]["variant"]) == {"standard", "relu", "random labels", "4-4"}


def test_a_task_that_is_left_out_is_refused_in_one_line(tmp_path):
    config = PlanesConfig(xor=None)
    with pytest.raises(ConfigError, match=r"representations\.planes\.xor: null"):
        planes.main("xor", config, [tmp_path / "plane_maps-xor.csv"])


def test_random_layers_come_nearer_to_the_limit(of_widths):
    found = of_widths["width_deviations"]
    assert len(found) == 2 * 3 * 3
    for column in ("metric_deviation", "asymmetry"):
        means = found.pivot_table(index="width", columns="activation", values=column)
        assert (means.diff().iloc[1:] < 0).all(axis=None)
    assert of_widths["width_rates"]["slope"].between(-2, -0.4).all()


def test_every_path_of_every_network_is_surveyed_at_every_snapshot(of_images):
    paths = of_images["image_paths"]
    assert len(paths) == len(NETWORKS) * 2 * 3 * 2 * 2 * IMAGES.pairs * IMAGES.steps
    assert set(paths["family"]) == {"shallow", "residual"}
    for name, columns in TABLES.items():
        assert of_images[name].columns.tolist() == columns
        assert len(of_images[name])
    ends = paths[paths["position"].isin([0, 1])].groupby(["network", "seed", "step", "path",
                                                          "position"])  # fmt: skip
    np.testing.assert_allclose(ends["log_volume"].agg(np.ptp), 0, atol=1e-8)  # of both kinds
    corners = of_images["image_plane_corners"]
    assert corners["label"].nunique() == 3
    spectra = of_images["image_spectra"]
    assert spectra.groupby("network")["index"].max().to_dict() == {"residual": 8, "sigmoid": 36}


def test_log_volumes_are_those_of_the_weights_at_the_snapshot(trained, of_images, tiny_dataset):
    store = open_dataset(trained / "sigmoid.zarr")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    network = configured_network(configuration.network, (1, 6, 6), 3)
    step = int(store["snapshot_step"][-1])
    weights = load_weights(store, 1, step)
    network.load_state_dict({name: torch.from_numpy(w.copy()) for name, w in weights.items()})
    at = images.scene(tiny_dataset, IMAGES)
    features = layer_features(network, "features", (1, 6, 6))
    expected = log_volume_element(features, at.paths[0, 2]).log
    found = of_images["image_paths"]
    found = found[(found["network"] == "sigmoid") & (found["seed"] == 1) & (found["step"] == step)]
    found = found[(found["kind"] == "straight") & (found["path"] == 2)]
    np.testing.assert_allclose(found["log_volume"], expected, rtol=1e-9)


def test_pictures_are_the_images_in_grey_levels(tiny_dataset):
    x = images.inputs(tiny_dataset, "test", np.arange(2))
    found = images.pictures(tiny_dataset, x)
    assert found.shape == x.shape and found.min() == 0 and found.max() == 255
    assert (np.diff(found.ravel()[np.argsort(x.ravel())].astype(int)) >= 0).all()


def test_other_data_are_refused(trained, tiny_dataset, tmp_path):
    other = tiny_dataset.test_images + 1
    type(tiny_dataset)(
        **{name: getattr(tiny_dataset, name) for name in tiny_dataset.__dataclass_fields__}
        | {"test_images": other}
    ).save(tmp_path / "other.zarr")
    with pytest.raises(StoreError, match="trained on other data"):
        images.main(
            manifest_path(trained / "sigmoid.zarr"), manifest_path(tmp_path / "other.zarr"),
            IMAGES, threads=1, output=tmp_path / "survey.zarr",
        )  # fmt: skip


def test_settings_survive_json():
    assert PlanesConfig.model_validate_json(PLANES.model_dump_json()) == PLANES
