"""Tables of small studies, as the steps write them."""

import pytest

from hyperribbon.config import FullyConnectedConfig, WideResNetConfig
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.parts import step_named
from hyperribbon.studies.representations import image_tables, images, plane_tables, planes, widths
from hyperribbon.studies.representations.config import ImagesConfig, PlanesConfig, WidthsConfig
from hyperribbon.training.job import train_configuration

NETWORKS = {
    "sigmoid": FullyConnectedConfig(
        architecture="fully_connected", widths=[40], activation="sigmoid", batchnorm=False
    ),
    "residual": WideResNetConfig(architecture="wide_resnet", depth=10, width=2, widen_factor=1),
}
PLANES = PlanesConfig(
    xor={"epochs": 20}, sinusoid={"epochs": 4}, width=8, widths=[5], weight_decays=[0.1],
    activations=["relu"], deep=[[4, 4]], seeds=2, variant_seeds=1, moments=3, grid=8,
)  # fmt: skip
IMAGES = ImagesConfig(pairs=3, steps=5, neighbours=12, planes=1, plane_grid=5, spectra=2, seeds=2)


@pytest.fixture(scope="session")
def of_planes(tmp_path_factory):
    """Tables of tasks in the plane."""
    folder = tmp_path_factory.mktemp("planes")
    names = step_named("plane_tables")[1].tables
    parts = []
    for task in PLANES.tasks():
        paths = [folder / f"{name}-{task}.csv" for name in names]
        planes.main(task, PLANES, paths)
        parts += paths
    output = [folder / f"{name}.csv" for name in names]
    plane_tables.main(parts, output)
    return read_tables(output)


@pytest.fixture(scope="session")
def of_widths(tmp_path_factory):
    """Tables of random layers."""
    folder = tmp_path_factory.mktemp("widths")
    output = folder / "width_deviations.csv", folder / "width_rates.csv"
    section = WidthsConfig(activations=["erf", "gelu"], widths=[10, 40, 160], draws=5)
    widths.main(section, output)
    return read_tables(output)


@pytest.fixture(scope="session")
def trained(tiny_dataset, tiny_configuration, tmp_path_factory):
    """Folder with the data and trainings of two networks."""
    folder = tmp_path_factory.mktemp("images")
    tiny_dataset.save(folder / "data.zarr")
    for name, network in NETWORKS.items():
        configuration = tiny_configuration(network, epochs=3).model_copy(
            update={"network_name": name}
        )
        train_configuration(configuration, tiny_dataset, folder / "work", folder / f"{name}.zarr")
    return folder


@pytest.fixture(scope="session")
def of_images(trained):
    """Tables of networks of images."""
    surveys = []
    for name in NETWORKS:
        surveys.append(trained / f"{name}-survey.zarr")
        images.main(
            manifest_path(trained / f"{name}.zarr"), manifest_path(trained / "data.zarr"), IMAGES,
            threads=1, output=surveys[-1],
        )  # fmt: skip
    output = [trained / f"{name}.csv" for name in image_tables.TABLES]
    image_tables.main([manifest_path(survey) for survey in surveys], output)
    return read_tables(output)
