"""Read a data set, check it, split it, and publish it as a store that can be mapped."""

from importlib import import_module
from pathlib import Path

from pydantic import TypeAdapter

from hyperribbon.config import DataConfig
from hyperribbon.data import prepare
from hyperribbon.studies.step import logger, run_step


def main(data: str, code: str, work: Path, output: Path, content: str = "") -> None:
    """Prepare a data set.

    Parameters
    ----------
    data : the section of the study, JSON
    code : version of the code
    work : folder of work in progress
    output : Zarr store to publish
    content : hash of the content of one's own data
    """
    config: DataConfig = TypeAdapter(DataConfig).validate_json(data)
    parts = import_module(f"hyperribbon.data.{config.name}").load(**config.load_arguments)
    dataset = prepare(parts, config, output, work, identity=(content, code))
    logger.info(
        "%s: %d train and %d test samples, which networks see in shape %s, SHA-256 %s",
        config.name,
        len(dataset.train_labels),
        len(dataset.test_labels),
        dataset.input_shape,
        dataset.sha256,
    )


if __name__ == "__main__":
    run_step(main)
