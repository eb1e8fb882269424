import hashlib
import json
from pathlib import Path

import pytest

from hyperribbon.errors import StoreError
from hyperribbon.storage.manifest import (
    LAYOUT,
    Manifest,
    check_whole,
    inputs_of,
    manifest_path,
    outdated,
    store_path,
)

FILES = {"zarr.json": b"{}", "a/c/0": b"zero", "a/c/1": b"one", "b/c/0": b"zero"}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path):
    """A store in a folder of results."""
    path = tmp_path / "predictions" / "A.zarr"
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


@pytest.fixture
def manifest(store):
    return Manifest.of(store)


def test_a_manifest_lists_every_file_with_its_checksum(store, manifest):
    assert manifest.files == {name: sha256(content) for name, content in FILES.items()}
    assert manifest.inputs == {}
    (store / ".snakemake_timestamp").touch()
    assert Manifest.of(store) == manifest


def test_a_manifest_is_beside_its_store(store):
    assert manifest_path(store) == store.parent / "A.json"
    assert store_path(manifest_path(store)) == store


def test_written_and_read_manifests_are_equal(store, tmp_path):
    manifest = Manifest.of(store, {"data": "ab"})
    path = manifest_path(store)
    manifest.write(path)
    assert Manifest.read(path) == manifest
    again = tmp_path / "again.json"
    reordered = Manifest(
        dict(reversed(manifest.files.items())),
        manifest.inputs,
        dict(reversed(manifest.sizes.items())),
    )
    reordered.write(again)
    assert again.read_bytes() == path.read_bytes()  # equal content, equal bytes
    assert {p.name for p in store.parent.iterdir()} == {"A.zarr", "A.json"}


def test_a_manifest_that_cannot_be_written_leaves_the_one_before(store, manifest):
    path = manifest_path(store)
    manifest.write(path)
    with pytest.raises(TypeError):
        Manifest({"a": object()}).write(path)
    assert Manifest.read(path) == manifest
    assert {p.name for p in path.parent.iterdir()} == {"A.zarr", "A.json"}


def test_damage_is_named(store, manifest):
    assert manifest.damage(store) == {}
    (store / "a" / "c" / "0").write_bytes(b"zer0")
    (store / "a" / "c" / "1").unlink()
    (store / "b" / "notes.txt").touch()
    (store / "b" / ".DS_Store").touch()
    expected = {"a/c/0": "changed", "a/c/1": "missing", "b/notes.txt": "foreign"}
    assert manifest.damage(store) == expected
    assert manifest.gaps(store) == {k: v for k, v in expected.items() if v != "changed"}
    assert set(manifest.damage(store.parent / "gone.zarr").values()) == {"missing"}


def test_digests_follow_what_is_below_a_prefix(manifest):
    assert manifest.digest("a/c/0") == manifest.digest("b/c/0")  # equal content at other places
    assert manifest.digest("a/c/0") != manifest.digest("a/c/1")
    assert manifest.digest("a/") != manifest.digest("b/")
    assert manifest.digest("a/", "b/") != manifest.digest("b/", "a/")
    other = Manifest({**manifest.files, "a/c/1": sha256(b"two")})
    assert manifest.digest("a/") != other.digest("a/")
    assert manifest.digest() != other.digest()
    assert manifest.digest("b/") == other.digest("b/")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"3",
        b'{"layout": 2, "inputs": {}}',
        b'{"layout": 2, "inputs": {}, "files": 7}',
        b'{"layout": 2, "inputs": 7, "files": {}}',
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path, content):
    path = tmp_path / "A.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="A.json: not a manifest of hyperribbon, or damaged"):
        Manifest.read(path)


def test_a_missing_manifest_and_one_of_another_layout_are_refused(tmp_path, store, manifest):
    with pytest.raises(StoreError, match="A.json: missing; without it A.zarr is not complete"):
        Manifest.read(manifest_path(store))
    manifest.write(manifest_path(store))
    content = json.loads(manifest_path(store).read_text())
    manifest_path(store).write_text(json.dumps({**content, "layout": LAYOUT + 1}))
    with pytest.raises(StoreError, match=f"layout version {LAYOUT + 1}, expected {LAYOUT}"):
        Manifest.read(manifest_path(store))


def test_what_follows_from_a_recording_elsewhere_finds_it(store, manifest, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    recording = Path("runs", "mine.zarr")
    manifest.write(manifest_path(recording))
    manifest.write(manifest_path(store))
    inputs = inputs_of([store, recording], elsewhere=[recording])
    assert inputs.keys() == {"predictions/A", "runs/mine"}
    derived = tmp_path / "distance" / "train.json"
    derived.parent.mkdir()
    Manifest({}, inputs).write(derived)
    assert outdated(derived) == []
    Manifest({"more": "ab"}).write(manifest_path(recording))
    assert outdated(derived) == ["runs/mine"]


def test_what_follows_from_a_store_knows_when_it_changes(store, manifest, tmp_path):
    with pytest.raises(StoreError, match="A.json: missing"):
        inputs_of([store])
    manifest.write(manifest_path(store))
    inputs = inputs_of([store])
    assert inputs == {"predictions/A": sha256(manifest_path(store).read_bytes())}
    derived = tmp_path / "distance" / "train.json"
    derived.parent.mkdir()
    Manifest({}, inputs).write(derived)
    assert outdated(derived) == []
    Manifest({**manifest.files, "more": "ab"}).write(manifest_path(store))
    assert outdated(derived) == ["predictions/A"]
    manifest_path(store).unlink()
    assert outdated(derived) == ["predictions/A"]


def test_a_store_is_whole_as_far_as_names_sizes_and_metadata_show(store, manifest):
    manifest.write(manifest_path(store))
    check_whole(store)
    for name, content, how in (
        ("b/c/0", b"zer", "3 bytes, expected 4"),
        ("zarr.json", b"{ ", "changed"),
        ("zarr.json", b"{", "1 bytes, expected 2"),
        ("b/c/7", b"", "foreign"),
    ):
        path = store / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        with pytest.raises(StoreError, match=rf"A.zarr: damaged in {name} \({how}\)$"):
            check_whole(store)
        path.unlink() if before is None else path.write_bytes(before)
    # An older version wrote no sizes: then a chunk is only known to be there.
    Manifest(manifest.files).write(manifest_path(store))
    (store / "b" / "c" / "0").write_bytes(b"zer")
    check_whole(store)
    (store / "b" / "c" / "0").unlink()
    with pytest.raises(StoreError, match=r"A.zarr: damaged in b/c/0 \(missing\)$"):
        check_whole(store)


def test_what_cannot_be_read_is_named(store, manifest, monkeypatch):
    path = manifest_path(store)
    path.mkdir()  # even root cannot read it as a file
    with pytest.raises(StoreError, match=r"A.json: not readable \(Is a directory\)"):
        Manifest.read(path)
    path.rmdir()
    manifest.write(path)
    (store / "b" / "c" / "0").unlink()
    (store / "b" / "c" / "0").symlink_to("nowhere")  # as of a data set that was not fetched
    with pytest.raises(StoreError, match=r"b/c/0: not readable \(No such file or directory\)"):
        check_whole(store)


def test_a_manifest_notices_its_own_damage(store, manifest):
    path = manifest_path(store)
    manifest.write(path)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(StoreError, match="A.json"):
            Manifest.read(path)


def test_a_manifest_of_an_older_version_is_read(store, manifest):
    content = {"layout": LAYOUT, "inputs": {}, "files": manifest.files}
    manifest_path(store).write_text(json.dumps(content))
    assert Manifest.read(manifest_path(store)) == Manifest(manifest.files)
