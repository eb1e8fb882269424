"""What a stored result records: its data, and the versions that made it."""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from hyperribbon import __version__

if TYPE_CHECKING:
    import xarray as xr


def versions(*packages: str) -> dict[str, str]:
    """Versions of hyperribbon, Python and the given packages.

    Examples
    --------
    >>> sorted(versions("numpy"))
    ['hyperribbon', 'numpy', 'python']
    """
    found = {package: version(package) for package in packages}
    return {"hyperribbon": __version__, "python": platform.python_version(), **found}


def derived_attributes(
    split: str, data_sha256: str, *packages: str, code: str, **parameters: object
) -> dict[str, str]:
    """Attributes of a store that was computed from the predictions on a split.

    Parameters
    ----------
    split : str
        Split of the data.
    data_sha256 : str
        Hash of the data.
    *packages : str
        Packages whose versions are recorded.
    code : str
        Version of the code that computed the store.
    **parameters
        Parameters of the computation, with all defaults; must be JSON.

    Examples
    --------
    >>> derived_attributes("test", "ab", code="0f", points=100)["parameters"]
    '{"points": 100}'
    """
    return {
        "split": split,
        "data_sha256": data_sha256,
        "code_version": code,
        "parameters": json.dumps(parameters, sort_keys=True),
        "versions": json.dumps(versions(*packages)),
    }


def parameters_of(store: xr.Dataset) -> dict[str, Any]:
    """The parameters with which a store was computed, as `derived_attributes` wrote them."""
    return json.loads(store.attrs["parameters"])
