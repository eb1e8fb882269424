"""One thin module a Snakemake rule: read files, call the library, write files."""

from __future__ import annotations

import argparse
import errno
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from hyperribbon.errors import HyperribbonError, OnePointWarning, first_line
from hyperribbon.storage.loose_files import sum_up

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
    parser.add_argument(
        "--log", type=Path, help="write messages to this file; checksums beside its folder `logs`"
    )
    return parser


def models_parser(description: str | None, *stores: str) -> argparse.ArgumentParser:
    """The same, with the predictions and kinds of stores of both splits that a step reads."""
    parser = step_parser(description)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    for name in stores:
        parser.add_argument(
            f"--{name}", type=Path, nargs=2, required=True, help="manifests, train then test"
        )
    return parser


class _LogFile(logging.FileHandler):
    """A log that also takes what libraries and other processes of the step say.

    So progress bars do not appear beside the workflow's own line. When the log's disk is full, it
    turns to the terminal.
    """

    def __init__(self, path: Path):
        super().__init__(path, mode="w")
        sys.stderr.flush()
        self._terminal = os.fdopen(os.dup(2), "w")
        os.dup2(self.stream.fileno(), 2)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, logging's name
        print(self.format(record), file=self._terminal, flush=True)


def run_step(
    main: Callable[[argparse.Namespace], Iterable[Path] | None], parser: argparse.ArgumentParser
) -> None:
    """Run a step's main function; what a user can fix becomes one line and exit status 1.

    The function returns the files that it wrote beside those of ``--output``, if there are any.
    """
    args = parser.parse_args()
    _log_to(logging.StreamHandler())
    warnings.showwarning = partial(_show_warning, warnings.showwarning)
    try:
        if args.log:
            args.log.parent.mkdir(parents=True, exist_ok=True)
            _log_to(_LogFile(args.log))
        others = main(args) or ()
        if args.log and "output" in args:
            outputs = args.output if isinstance(args.output, list) else [args.output]
            sum_up([*outputs, *others], args.log)
    except HyperribbonError as error:
        logger.error("%s", error)
        sys.exit(1)
    except OSError as error:
        advice = _DISK_ADVICE.get(error.errno or 0)
        if advice is None:
            logger.exception("unexpected error")
        else:
            logger.error("%s: %s", error.filename or Path.cwd(), advice)
        sys.exit(1)
    except Exception as error:
        if "checksum do not match" in str(error):  # of a chunk, where zarr reads it
            logger.error(
                "a store that this step reads is damaged (%s); `snakemake verify` names it",
                first_line(error),
            )
        else:
            logger.exception("unexpected error")
        sys.exit(1)


def _show_warning(otherwise: Callable, message, category, *where, **options) -> None:
    """What concerns the study is said in its log, without lines of code."""
    if issubclass(category, OnePointWarning):
        logger.warning("%s", message)
    else:
        otherwise(message, category, *where, **options)


def _log_to(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
