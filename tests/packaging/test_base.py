"""What works without the optional packages, which are hidden in a fresh interpreter."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parent / "base_only.py"
HIDE = """
import runpy, sys

HIDDEN = {"dask", "distributed", "mlxtend", "psutil", "pydantic", "pydantic_core",
          "pytorch_optimizer", "seaborn", "snakemake", "torch", "tqdm"}


class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in HIDDEN else self.finder.find_spec(name, path, target)


sys.meta_path[:] = map(Without, sys.meta_path)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def test_all_that_needs_no_extra_works_without_any(tmp_path):
    command = [sys.executable, "-c", HIDE, str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
