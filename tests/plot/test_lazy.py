"""The room is light to import, and its names are the functions."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from hyperribbon import plot


def test_importing_it_loads_no_matplotlib():
    code = (
        "import sys, hyperribbon.plot; print({'matplotlib', 'pandas', 'seaborn'} & {*sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_nothing_drawn_needs_seaborn_dask_or_torch():
    """Nor does importing what draws choose a backend."""
    code = """
import sys, numpy as np, hyperribbon.plot as plot
plot.embedding(np.eye(5), dimensions=2), plot.dendrogram(1 - np.eye(3))
import matplotlib
print({'seaborn', 'dask', 'torch'} & {*sys.modules})
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("name", plot.__all__)
def test_every_name_is_there_and_documented(name):
    found = getattr(plot, name)
    assert callable(found) and found.__name__ == name
    assert "Parameters\n" in found.__doc__ and ">>>" in found.__doc__


def test_editors_know_the_same_names():
    stub = ast.parse(Path(plot.__file__).with_suffix(".pyi").read_text())
    named = {alias.asname for node in stub.body for alias in node.names}
    assert named == {*plot.__all__} <= {*dir(plot)}


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'embeding'"):
        plot.embeding
