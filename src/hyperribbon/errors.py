"""Errors that a user can act on; their message is one clear line."""

import traceback


class HyperribbonError(Exception):
    """An error that the user can fix; it names a key or file, what was given and expected."""


class ConfigError(HyperribbonError):
    """The study's configuration is malformed or impossible."""


class DataError(HyperribbonError, ValueError):
    """Data or an argument is not what it should be."""


class StoreError(HyperribbonError):
    """A store on disk is missing, was written by something else, or contradicts other stores."""


class MissingExtra(HyperribbonError, ImportError):
    """A package that only part of hyperribbon needs is not installed."""


class OnePointWarning(UserWarning):
    """All models coincide, so there is nothing to embed and nothing to explain."""


class UnreachedWarning(UserWarning):
    """A model shares no class with a basis on some samples, so that no mixture is near it."""


class SingularMetricWarning(UserWarning):
    """A metric is singular at some points, where it has no curvature."""


def first_line(error: BaseException) -> str:
    r"""Return the first line of an error's message, or its type if it has none.

    >>> first_line(ValueError("too long\nand much more")), first_line(KeyboardInterrupt())
    ('too long', 'KeyboardInterrupt')
    """
    return next(iter(str(error).splitlines()), type(error).__name__)


def in_own_code(error: BaseException) -> str:
    """What went wrong in code that a user wrote, and where, in one line.

    >>> try:
    ...     {}["missing"]
    ... except KeyError as error:
    ...     in_own_code(error).split(" (")[0]
    "KeyError: 'missing'"
    """
    if isinstance(error, SyntaxError):
        place, reason = f"{error.filename}:{error.lineno}", f"{type(error).__name__}: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        # Not the line of a library that their code calls.
        own = [frame for frame in frames if "site-packages" not in frame.filename]
        last = (own or frames)[-1]
        place, reason = f"{last.filename}:{last.lineno}", f"{type(error).__name__}: {error}"
    return f"{' '.join(reason.split())} ({place})"
