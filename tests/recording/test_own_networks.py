"""The examples of docs/own_networks.md run as they are."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import xarray as xr

PAGE = (Path(__file__).parents[2] / "docs" / "own_networks.md").read_text()
DATA, *EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
LIBRARIES = ("transformers", "accelerate", "xgboost", "jax")


@pytest.mark.filterwarnings("ignore")  # of libraries that are not installed everywhere
@pytest.mark.parametrize("code", EXAMPLES, ids=lambda code: re.findall(r"runs/(\w+-0)", code)[0])
def test_every_example_leaves_a_store(tmp_path, monkeypatch, code):
    for library in LIBRARIES:
        if library in code and find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    monkeypatch.chdir(tmp_path)
    exec(compile(f"{DATA}\n{code}", "own_networks.md", "exec"), {"__name__": "__main__"})
    (path,) = (tmp_path / "runs").glob("*.zarr")
    store = xr.open_zarr(path).load()
    assert store.sizes["checkpoint"] > 5
    assert store["diverged_step"].values.tolist() == [-1]
    if "test_label" in store:  # they learn the same digits
        assert store["test_error"][0, -1] < 0.5  # of ten classes
