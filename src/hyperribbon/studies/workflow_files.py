"""Where the files of the workflow are: in the repository, or in the installed package."""

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_REPOSITORY = _PACKAGE.parents[1]


def snakefile() -> Path:
    """The Snakefile; the folders of its rules, environments and profiles are next to it.

    >>> snakefile().name
    'Snakefile'
    """
    return _shipped("Snakefile")


def default_config() -> Path:
    """The file of the default study; those of the others are next to it.

    >>> default_config().name
    'config.yaml'
    """
    return _shipped("config/config.yaml")


def _shipped(path: str) -> Path:
    """A file of the repository, of which a wheel has a copy inside the package."""
    installed = _PACKAGE / "shipped" / path
    return installed if installed.exists() else _REPOSITORY / path
