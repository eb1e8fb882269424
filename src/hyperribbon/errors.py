"""Errors a user can act on: their message is one clear line."""


class HyperribbonError(Exception):
    """Something the user can mend; the message names what, what was given, what is expected."""


class ConfigError(HyperribbonError):
    """The study's configuration is malformed or impossible."""


class DataError(HyperribbonError, ValueError):
    """A data set is not what it should be."""


class StoreError(HyperribbonError):
    """A store on disk is missing, foreign or inconsistent with the others."""
