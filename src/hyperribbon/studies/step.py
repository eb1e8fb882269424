"""What all steps share: a step is a thin module of a Snakemake rule.

It reads files, calls the library and writes files, in one typed function, ``main``, of which
`command_line` makes its options. The module ends with ``run_step(main)``.
"""

from __future__ import annotations

import argparse
import errno
import inspect
import logging
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from hyperribbon.errors import HyperribbonError, OnePointWarning, first_line
from hyperribbon.storage.loose_files import sum_up

logger = logging.getLogger("hyperribbon")

_DISK_ADVICE = {
    errno.ENOSPC: "the disk is full; free some space and run again; what is finished is kept",
    errno.EDQUOT: "the disk quota is used up; free some space and run again",
    errno.EROFS: "the file system is read-only; results must be writable",
    errno.EACCES: "no permission to write there; results must be writable",
}


def command_line(main: Callable[..., object]) -> argparse.ArgumentParser:
    """Derive the command line of a step from the signature and docstring of its ``main``.

    Every parameter is an option, ``geodesic_points: int`` for instance ``--geodesic-points``,
    required unless it has a default. What follows the option is read by the annotation:

    ==========================  ===================================================
    ``int``, ``float``,         one word
    ``str``, ``Path``
    ``Literal["a", "b"]``       one of these words
    ``bool``                    nothing: ``--option`` or ``--no-option``
    a pydantic model            its JSON
    ``X | None``                one word or none
    ``list[X]``                 one or more words
    ``tuple[X, X]``             as many words
    ``tuple[X, ...]``           any number of words, even none
    ==========================  ===================================================

    Parameters
    ----------
    main : function with annotated parameters; their descriptions in the section "Parameters" of
        its docstring become the help

    Raises
    ------
    TypeError
        If no option can be derived from an annotation.

    Examples
    --------
    >>> def main(split: Literal["train", "test"], output: Path, draws: int = 1) -> None:
    ...     pass
    >>> command_line(main).parse_args(["--split", "test", "--output", "a.csv"]).draws
    1
    """
    text = inspect.getdoc(main) or ""
    parser = argparse.ArgumentParser(description=text.split("\n\n")[0].replace("%", "%%"))
    helps = _parameter_texts(text)
    for name, parameter in inspect.signature(main, eval_str=True).parameters.items():
        try:
            reading = _reading(parameter.annotation)
        except TypeError as error:
            place = f"{main.__module__}.{main.__qualname__}: parameter {name}"
            raise TypeError(f"{place}: {error}") from None
        required = parameter.default is inspect.Parameter.empty
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            required=required,
            default=None if required else parameter.default,
            help=helps.get(name, "").replace("%", "%%"),
            **reading,
        )
    parser.add_argument(
        "--log", type=Path, help="write messages to this file; checksums beside its folder `logs`"
    )
    return parser


def _reading(kind: Any) -> dict[str, Any]:
    """How argparse reads the words of an option: keywords of ``add_argument``."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction}
    if origin in (UnionType, Union) and len(inner) == 2 and inner[1] is NoneType:
        return {**_reading_one(inner[0]), "nargs": "?"}
    if origin is list:
        return {**_reading_one(inner[0]), "nargs": "+"}
    if origin is tuple and inner[1:] == (...,):
        return {**_reading_one(inner[0]), "nargs": "*", "action": _AsTuple}
    if origin is tuple and len(set(inner)) == 1:
        return {**_reading_one(inner[0]), "nargs": len(inner), "action": _AsTuple}
    return _reading_one(kind)


def _reading_one(kind: Any) -> dict[str, Any]:
    """How argparse reads one word."""
    if get_origin(kind) is Literal:
        return {"choices": get_args(kind)}
    if kind in (int, float, str, Path):
        return {"type": kind}
    if hasattr(kind, "model_validate_json"):
        return {"type": kind.model_validate_json}
    raise TypeError(
        f"annotation {inspect.formatannotation(kind)}, expected bool, int, float, str, Path, "
        "Literal, a pydantic model, or a list, a tuple or None of these"
    )


class _AsTuple(argparse.Action):
    """Keeps several words as a tuple, as they are annotated."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:
        setattr(namespace, self.dest, tuple(values))


def _parameter_texts(docstring: str) -> dict[str, str]:
    """Descriptions of parameters in a docstring of numpy's style, by name."""
    found: dict[str, str] = {}
    section = re.search(r"^Parameters\n-+\n(.*?)(?=\n\n|\Z)", docstring, re.M | re.S)
    names: list[str] = []
    for line in section[1].splitlines() if section else ():
        if not line.startswith(" "):
            listed, _, text = line.partition(" : ")
            names = listed.split(", ")
            found |= dict.fromkeys(names, text.strip())
        else:
            found |= {name: f"{found[name]} {line.strip()}".strip() for name in names}
    return found


class _LogFile(logging.FileHandler):
    """A log that also takes what libraries and other processes of the step say.

    This keeps progress bars out of the workflow's own line. When the log's disk is full, messages
    go to the terminal.
    """

    def __init__(self, path: Path):
        super().__init__(path, mode="w")
        sys.stderr.flush()
        self._terminal = os.fdopen(os.dup(2), "w")
        assert self.stream is not None  # it is opened at once
        os.dup2(self.stream.fileno(), 2)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, logging's name
        print(self.format(record), file=self._terminal, flush=True)


def run_step(main: Callable[..., Iterable[Path] | None]) -> None:
    """Run a step's main function; what a user can fix becomes one line and exit status 1.

    Parameters
    ----------
    main : as for `command_line`. It returns the files that it wrote in addition to those of its
        parameter ``output``, if there are any; with a log, checksums of all of them are kept.
    """
    _log_to(logging.StreamHandler())
    _load_plugins()
    arguments = vars(command_line(main).parse_args())
    log: Path | None = arguments.pop("log")
    warnings.showwarning = partial(_show_warning, warnings.showwarning)
    try:
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            _log_to(_LogFile(log))
        others = main(**arguments) or ()
        if log and (output := arguments.get("output")):
            outputs = [output] if isinstance(output, Path) else output
            sum_up([*outputs, *others], log)
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


def _load_plugins() -> None:
    """Load what the study's own files register; first, because a configuration may name it."""
    if not os.environ.get("HYPERRIBBON_PLUGINS"):
        return
    from hyperribbon.config.plugins import load_in_job

    try:
        load_in_job()
    except HyperribbonError as error:
        logger.error("%s", error)
        sys.exit(1)


def _show_warning(
    otherwise: Callable, message: object, category: type[Warning], *where, **options
) -> None:
    """Log what concerns the study, without lines of code."""
    if issubclass(category, OnePointWarning):
        logger.warning("%s", message)
    else:
        otherwise(message, category, *where, **options)


def _log_to(handler: logging.Handler) -> None:
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
