"""A Slurm for all tests of this folder; `make test-slurm` runs them, `make test` does not."""

import pytest
from one_node_slurm import one_node_slurm, why_not


@pytest.fixture(scope="session", autouse=True)
def slurm():
    if reason := why_not():
        pytest.exit(f"no Slurm can be started here: {reason}", returncode=1)
    with one_node_slurm():
        yield
