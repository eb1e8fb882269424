"""What a stored result carries: the versions it was made with."""

import platform
from importlib.metadata import version

from hyperribbon import __version__


def versions(*packages: str) -> dict[str, str]:
    """Versions of hyperribbon, Python and the packages named.

    Examples
    --------
    >>> sorted(versions("numpy"))
    ['hyperribbon', 'numpy', 'python']
    """
    found = {package: version(package) for package in packages}
    return {"hyperribbon": __version__, "python": platform.python_version(), **found}
