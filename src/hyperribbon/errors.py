"""Errors that a user can act on; their message is one clear line."""


class HyperribbonError(Exception):
    """Something the user can fix; the message says what, what was given and what is expected."""


class ConfigError(HyperribbonError):
    """The study's configuration is malformed or impossible."""


class DataError(HyperribbonError, ValueError):
    """A data set is not what it should be."""


class StoreError(HyperribbonError):
    """A store on disk is missing, foreign or inconsistent with the others."""


class OnePointWarning(UserWarning):
    """All models coincide, so that there is nothing to embed and nothing to explain."""


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its kind if it has none.

    >>> first_line(ValueError("too long\\nand much more")), first_line(KeyboardInterrupt())
    ('too long', 'KeyboardInterrupt')
    """
    return next(iter(str(error).splitlines()), type(error).__name__)
