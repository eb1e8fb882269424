"""The room is light to import, and its names are the functions."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from hyperribbon import plot


def modules_after(code: str) -> set[str]:
    code = f"{code}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_importing_it_loads_no_matplotlib():
    assert not {"matplotlib", "pandas"} & modules_after("import hyperribbon.plot")


def test_pictures_need_neither_seaborn_nor_torch():
    code = "import numpy as np, hyperribbon.plot as plot; plot.embedding(np.eye(5)[:, :2])"
    found = modules_after(f"{code}; plot.dendrogram(1 - np.eye(3))")
    assert "matplotlib" in found and not {"seaborn", "torch"} & found


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
        _ = plot.embeding
