"""What a stored result carries: the data it is of and the versions it was made with."""

import json
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


def derived_attributes(
    split: str, data_sha256: str, *packages: str, code: str, **parameters: object
) -> dict[str, str]:
    """Attributes of a store computed from the predictions on a split, by the packages named.

    Parameters
    ----------
    split : of the data
    data_sha256 : of the data
    *packages : whose versions are recorded
    code : version of the code of the step, `hyperribbon.studies.code_version`
    **parameters : of the step, as resolved; must be JSON

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
