"""Train all seeds of one configuration into a predictions store."""

import argparse
import ctypes
from pathlib import Path

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.steps import run_step, step_parser
from hyperribbon.training.job import train_configuration


def _keep_freed_memory() -> None:
    """Have glibc keep freed blocks, instead of returning each activation to the system.

    Page faults otherwise take a quarter of a small network's training time on the CPU.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 32 << 20)
    mallopt(m_trim_threshold, 1 << 30)


def main(args: argparse.Namespace) -> None:
    _keep_freed_memory()
    configuration = Configuration.model_validate_json(args.configuration)
    train_configuration(configuration, Dataset.load(args.data), args.work, args.output)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--configuration", required=True, help="what to train, JSON")
    parser.add_argument("--data", type=Path, required=True, help=".npz of prepare_data")
    parser.add_argument("--work", type=Path, required=True, help="folder for work in progress")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to publish")
    run_step(main, parser)
