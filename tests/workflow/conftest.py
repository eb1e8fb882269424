"""The real workflow on the smoke study, in a copy of the repository."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from running import copy_repository, snakemake


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which a bare `snakemake --cores 2` has run; not to be changed."""
    repository = copy_repository(tmp_path_factory.mktemp("finished") / "repository")
    run = snakemake(repository, "--cores", "2")
    assert run.returncode == 0, run.stdout
    (repository / "stdout.txt").write_text(run.stdout)
    return repository


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A repository in which nothing has run yet."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture
def changeable(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished repository, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "repository", symlinks=True))


@pytest.fixture
def planned() -> Callable[[Path], dict[str, int]]:
    """Which jobs a dry run would run, by rule."""

    def plan(repository: Path, *args: str) -> dict[str, int]:
        run = snakemake(repository, "--dry-run", *args)
        assert run.returncode == 0, run.stdout
        if "Nothing to be done" in run.stdout:
            return {}
        table = run.stdout.split("Job stats:")[1].split("\n\n")[0].splitlines()[3:]
        jobs = {rule: int(count) for rule, count in (line.split() for line in table)}
        del jobs["total"]
        return jobs

    return plan
