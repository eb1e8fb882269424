import subprocess
import sys

import pytest

import hyperribbon as hr


def test_every_public_name_is_there_and_documented():
    for name in hr.__all__:
        assert getattr(hr, name).__name__ == name
        assert getattr(hr, name).__doc__, name
        assert name in dir(hr)
    contract = {
        "IsKL",
        "InPCA",
        "align",
        "centroid",
        "geodesic",
        "ignorance",
        "joint_embedding",
        "pairwise_distance",
        "progress",
        "random_stochastic_projection",
        "resample_trajectory",
        "trajectory_distance",
        "trajectory_length",
        "truth",
    }
    assert contract <= set(hr.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'pairwise_distances'"):
        hr.pairwise_distances  # noqa: B018


def printed(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, hyperribbon as hr; assert callable(hr.ConfigError); "
        "print(sorted({'torch', 'numba', 'numpy', 'sklearn', 'dask'} & set(sys.modules)))"
    )
    assert printed(code) == "[]"


def test_distances_load_no_torch():
    code = (
        "import sys, numpy as np, hyperribbon as hr; hr.pairwise_distance(np.ones((2, 3, 1))); "
        "print('torch' in sys.modules)"
    )
    assert printed(code) == "False"
