"""The real workflow on the smoke study, in a copy of the repository."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import copied, copy_repository, snakemake

from hyperribbon.storage.locks import locked


@pytest.fixture(scope="session")
def finished(common: Path) -> Path:
    """A repository in which a bare `snakemake --cores 2` has run; not to be changed.

    It is the same for all processes that run tests at once: the first to need it runs it.
    """
    folder = common / "finished"
    repository, printed = folder / "repository", folder / "repository" / "stdout.txt"
    with locked(folder):
        if not printed.exists():
            shutil.rmtree(repository, ignore_errors=True)  # of one that failed
            copy_repository(repository)
            run = snakemake(repository, "--cores", "2")
            assert run.returncode == 0, run.stdout
            printed.write_text(run.stdout)
    return repository


@pytest.fixture
def in_turn(finished: Path, common: Path) -> Iterator[None]:
    """One test at a time runs Snakemake in the finished repository, which Snakemake locks."""
    with locked(common / "finished"):
        yield


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A repository in which nothing has run yet."""
    return copy_repository(tmp_path / "repository")


@pytest.fixture
def changeable(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished repository, to be changed."""
    return copied(finished, tmp_path / "repository")


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
