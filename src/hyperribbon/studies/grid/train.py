"""Train all seeds of one configuration into a predictions store."""

from pathlib import Path

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.runtime.device import own_gpu
from hyperribbon.storage.manifest import store_path
from hyperribbon.studies.step import run_step
from hyperribbon.training.job import train_configuration


def main(
    configuration: Configuration,
    data: Path,
    work: Path,
    output: Path,
    start: Path | None = None,
    code: str = "",
    parallel_seeds: int = 1,
    gpus: int = 0,
) -> None:
    """Train one configuration.

    Parameters
    ----------
    configuration : what to train, JSON
    data : manifest of the data
    work : folder of work in progress
    output : Zarr store to publish
    start : manifest of the trainings that it starts from
    code : hash of the code; work done with other code is not continued
    parallel_seeds : number of seeds trained at once
    gpus : number of GPUs that the job was given
    """
    training = configuration.training.model_copy(update={"parallel_seeds": parallel_seeds})
    configuration = configuration.model_copy(update={"training": training})
    with own_gpu(configuration.training.device, gpus):
        dataset = Dataset.open(store_path(data))
        train_configuration(
            configuration,
            dataset,
            work,
            output,
            code=code,
            start=store_path(start) if start else None,
        )


if __name__ == "__main__":
    run_step(main)
