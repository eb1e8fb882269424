"""Damage is named by `snakemake verify`, and what is deleted then is repaired, and only that."""

import shutil
from pathlib import Path

import pytest
import xarray as xr
from running import snakemake

from hyperribbon.errors import StoreError
from hyperribbon.storage.manifest import Manifest
from hyperribbon.storage.verification import Verification, compare_loose_files

pytestmark = pytest.mark.workflow


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()  # the file may be a hard link to one that other tests use
    path.write_bytes(content)


def files_of(results: Path) -> dict[str, tuple[int, int]]:
    """When and as which inode every store's files were written."""
    return {
        path.relative_to(results).as_posix(): (path.stat().st_mtime_ns, path.stat().st_ino)
        for path in results.glob("*/*.zarr/**/*")
        if path.is_file() and path.name != ".snakemake_timestamp"
    }


@pytest.mark.usefixtures("in_turn")
def test_undamaged_results_pass(finished):
    run = snakemake(finished, "--cores", "1", "verify")
    assert run.returncode == 0, run.stdout
    files = loose_files(finished / "results" / "smoke")
    assert f"and {len(files)} other files are as they were written" in run.stdout
    assert "logs/, benchmarks/, work/ are not checked" in run.stdout
    assert "no step left checksums" not in run.stdout


def loose_files(results: Path) -> list[Path]:
    """What lies outside stores, but for manifests, and for what is not checked."""
    skipped = ("logs", "benchmarks", "work", "checksums")
    paths = [path for path in results.rglob("*") if path.is_file()]
    paths = [path for path in paths if path.relative_to(results).parts[0] not in skipped]
    manifests = {path.with_suffix(".json") for path in results.glob("**/*.zarr")}
    return sorted(p for p in paths if ".zarr/" not in p.as_posix() and p not in manifests)


def test_a_flipped_byte_in_any_file_is_found(changeable):
    """In everything that a finished study leaves."""
    results = changeable / "results" / "smoke"
    checked = loose_files(results)
    names = {path.relative_to(results).as_posix() for path in checked}
    assert {"report.html", "explorer.html", "claims.csv", "study.json", "keys.json"} <= names
    assert {"tables/models.csv", "figures/tubes.png", "figures/tubes.svg"} <= names
    stores = {path.with_suffix(".json") for path in results.glob("*/*.zarr")} | {
        results / "data.json"
    }
    # All at once, because each comparison reads all of them. The manifests of their checksums are
    # damaged last: without these, nothing is compared. The bytes of stores are tried in
    # tests/storage/test_verification.py.
    for paths in (checked, sorted((results / "checksums").rglob("*.json"))):
        for path in paths:
            flip_a_byte(path)
        found = Verification()
        compare_loose_files(results, stores, found)
        assert {finding.piece for finding in found.findings} == set(paths)
        assert all(str(finding.piece) in finding.what for finding in found.findings)
    for path in (manifest for manifest in stores if "work" not in manifest.parts):
        flip_a_byte(path)
        with pytest.raises(StoreError, match=path.name):
            Manifest.read(path)


def test_damage_is_named_and_repaired(changeable, finished, planned):
    results = changeable / "results" / "smoke"
    found = [
        next(results.glob(pattern))
        for pattern in (
            "predictions/ViT-Adam-*.zarr/test_predictions/c/1/3/0/0",
            "distance/train.zarr/distance/c/0/0",
            "embedding/test.zarr/eigenvalue/c/0",
        )
    ]
    stores = {
        next(parent for parent in chunk.parents if parent.suffix == ".zarr"): chunk
        for chunk in found
    }
    for chunk in found:
        flip_a_byte(chunk)
    before = files_of(results)

    run = snakemake(changeable, "--cores", "1", "verify")
    assert run.returncode != 0
    assert "Traceback" not in run.stdout
    for store, chunk in stores.items():
        name = chunk.relative_to(store).as_posix()
        assert f"{store.relative_to(changeable)}: damaged in {name} (changed)" in run.stdout
    named = " ".join(sorted(str(store.relative_to(changeable)) for store in stores))
    assert f"rm -r {named}\n" in run.stdout
    assert files_of(results) == before

    for store in stores:
        shutil.rmtree(store)
    assert planned(changeable) == {"train": 1, "distance": 1, "embed": 1, "all": 1}
    run = snakemake(changeable, "--cores", "2")
    assert run.returncode == 0, run.stdout
    assert snakemake(changeable, "--cores", "1", "verify").returncode == 0
    for store in stores:
        theirs = finished / store.relative_to(changeable)
        xr.testing.assert_identical(xr.open_zarr(store).load(), xr.open_zarr(theirs).load())
    ours = tuple(f"{store.relative_to(results).as_posix()}/" for store in stores)
    after = files_of(results)
    assert {k: v for k, v in after.items() if not k.startswith(ours)} == {
        k: v for k, v in before.items() if not k.startswith(ours)
    }


def test_a_damaged_seed_in_work_is_trained_again_alone(changeable, finished):
    """What was published are links to the work, so that its damage is damage there."""
    results = changeable / "results" / "smoke"
    (store,) = (results / "predictions").glob("ViT-Adam-*.zarr")
    (work,) = (results / "work" / "train").glob("ViT-Adam-*")
    damaged = work / "seed-1.zarr" / "test_predictions" / "c" / "0" / "3" / "0" / "0"
    flip_a_byte(damaged)
    kept = work / "seed-0.zarr" / "test_predictions" / "c" / "0" / "3" / "0" / "0"
    inode = kept.stat().st_ino
    shutil.rmtree(store)
    run = snakemake(changeable, "--cores", "1")
    assert run.returncode == 0, run.stdout
    log = (results / "logs" / "train" / f"{store.stem}.log").read_text()
    assert "seed 0 is finished already" in log
    assert "seed 1 is trained again" in log
    assert kept.stat().st_ino == inode
    theirs = finished / store.relative_to(changeable)
    xr.testing.assert_identical(xr.open_zarr(store).load(), xr.open_zarr(theirs).load())


def test_results_of_other_code_copied_without_snakemakes_memory_are_named(changeable):
    loop = changeable / "src" / "hyperribbon" / "training" / "loop.py"
    loop.write_text(loop.read_text() + "\nADDED = 1\n")
    shutil.rmtree(changeable / ".snakemake")
    run = snakemake(changeable, "--cores", "1", "verify")
    assert run.returncode == 0, run.stdout
    assert "made with other code or settings than are here now: train" in run.stdout
