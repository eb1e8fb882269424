"""Packages that only some of hyperribbon needs, and what to install for them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from hyperribbon.errors import MissingExtra


def needs(module: str, extra: str, what: str) -> ModuleType:
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Full name of the module, such as ``torch.nn``.
    extra : str
        The extra of hyperribbon that installs it.
    what : str
        What needs it, as the beginning of the message.

    Raises
    ------
    MissingExtra
        If the package is not installed.

    Examples
    --------
    >>> needs("math", "torch", "Recorder").floor(2.5)
    2
    >>> needs("no_such_package", "torch", "hyperribbon.training")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.MissingExtra: hyperribbon.training needs no_such_package, which is not \
installed: pip install 'hyperribbon[torch]'
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".")[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise  # something that the package itself lacks
        raise MissingExtra(
            f"{what} needs {package}, which is not installed: pip install 'hyperribbon[{extra}]'"
        ) from None
