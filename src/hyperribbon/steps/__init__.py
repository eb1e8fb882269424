"""One thin module a Snakemake rule: read files, call the library, write files."""

from __future__ import annotations

import argparse
import errno
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from hyperribbon.errors import HyperribbonError

logger = logging.getLogger("hyperribbon")

_DISK_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run again; what is finished is kept",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EROFS: "the file system is read-only; results must be writable",
    errno.EACCES: "no permission to write there; results must be writable",
}


def step_parser(description: str | None) -> argparse.ArgumentParser:
    """Parser with the option that every step has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--log", type=Path, help="also write messages to this file")
    return parser


def run_step(main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Run a step's main function; what a user can mend becomes one line and exit status 1."""
    args = parser.parse_args()
    handler: logging.Handler = logging.StreamHandler()
    if args.log:
        args.log.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(args.log, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        main(args)
    except HyperribbonError as error:
        logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        advice = _DISK_ADVICE.get(error.errno or 0)
        if advice is None:
            logger.exception("unexpected error")
        else:
            where = error.filename or Path.cwd()
            logger.error("%s: %s", where, advice)
        sys.exit(1)
    except Exception:
        logger.exception("unexpected error")
        sys.exit(1)
