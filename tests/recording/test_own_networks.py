"""The how-to guides run as they are, and leave a recording."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
import xarray as xr

PAGES = sorted((Path(__file__).parents[2] / "docs" / "howto").glob("*.md"))
LIBRARIES = ("transformers", "accelerate", "lightning", "keras", "xgboost", "jax")


@pytest.mark.filterwarnings("ignore")  # of libraries that are not installed everywhere
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem != "index"], ids=lambda page: page.stem
)
def test_every_guide_leaves_a_store(tmp_path, monkeypatch, page):
    code = "\n".join(re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL))
    for library in LIBRARIES:
        if library in code and find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    exec(compile(code, page.name, "exec"), {"__name__": "__main__"})
    (path,) = (tmp_path / "runs").glob("*.zarr")
    store = xr.open_zarr(path).load()
    assert store.sizes["checkpoint"] > 5
    assert store["diverged_step"].values.tolist() == [-1]
    if "test_label" in store:  # they learn the same digits
        assert store["test_error"][0, -1] < 0.5  # of ten classes
