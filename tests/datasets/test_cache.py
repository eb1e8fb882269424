"""Raw files, from sources that work and sources that do not."""

import hashlib
import threading
from pathlib import Path

import pytest

from hyperribbon.data.cache import RawFiles, Unavailable
from hyperribbon.errors import DataError

CONTENT = {"a.bin": b"first" * 100, "b.bin": b"second" * 100}
MD5 = {name: hashlib.md5(content).hexdigest() for name, content in CONTENT.items()}


class Given:
    """A source that has some files, and counts how often it was asked."""

    def __init__(self, title, content, error=None):
        self.title, self.content, self.error, self.asked = title, content, error, []

    def put(self, names, folder):
        self.asked.append(list(names))
        for name in names:
            if name in self.content:
                (folder / name).write_bytes(self.content[name])
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("HYPERRIBBON_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache" / "set"


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_files_are_fetched_once(cache):
    source = Given("first", CONTENT)
    files = RawFiles("set", MD5, [source])
    assert files.fetch() == files.fetch() == {"files": MD5, "source": "first"}
    assert source.asked == [["a.bin", "b.bin"]]
    assert files.read("b.bin") == CONTENT["b.bin"]
    assert names_in(cache) == ["a.bin", "b.bin", "lock", "source.json"]


def test_what_a_user_put_there_is_used(cache):
    cache.mkdir(parents=True)
    for name, content in CONTENT.items():
        (cache / name).write_bytes(content)
    cache.chmod(0o500)  # may be another user's
    source = Given("first", CONTENT)
    assert RawFiles("set", MD5, [source]).fetch()["source"] == "the cache"
    assert source.asked == []


@pytest.mark.parametrize(
    "wrong", [b"", CONTENT["a.bin"][:-1], b"x" + CONTENT["a.bin"], b"another version"]
)
def test_a_damaged_file_is_named_and_it_alone_fetched_anew(cache, caplog, wrong):
    source = Given("first", CONTENT)
    files = RawFiles("set", MD5, [source])
    files.fetch()
    (cache / "a.bin").write_bytes(wrong)
    with pytest.raises(DataError, match=f"a.bin: MD5 .*, expected {MD5['a.bin']}"):
        files.read("a.bin")
    files.fetch()
    assert source.asked[1:] == [["a.bin"]]
    assert files.read("a.bin") == CONTENT["a.bin"]
    assert str(cache / "a.bin") in caplog.text


def test_sources_are_tried_in_order(cache):
    sources = [
        Given("unreachable", {}, Unavailable("no answer")),
        Given("damaged", {**CONTENT, "b.bin": b"other"}),
        Given("incomplete", {"a.bin": CONTENT["a.bin"]}),
        Given("full", CONTENT, OSError(28, "No space left on device")),
        Given("good", CONTENT),
        Given("unasked", CONTENT),
    ]
    assert RawFiles("set", MD5, sources).fetch()["source"] == "good"
    assert [len(source.asked) for source in sources] == [1, 1, 1, 1, 1, 0]


def test_when_all_fail_one_line_says_why_and_what_to_do(cache):
    sources = [
        Given("https://host/set", {}, Unavailable("HTTP status 404 Not Found")),
        Given("package set", {**CONTENT, "b.bin": b"other"}),
    ]
    with pytest.raises(DataError) as error:
        RawFiles("set", MD5, sources).fetch()
    message = str(error.value)
    assert "\n" not in message
    assert "https://host/set (HTTP status 404 Not Found); package set (b.bin has MD5" in message
    assert f"put a.bin, b.bin into {cache}" in message
    assert names_in(cache) == ["lock"]


def test_what_a_killed_process_left_is_removed(cache):
    (cache / ".fetching-abc").mkdir(parents=True)
    RawFiles("set", MD5, [Given("first", CONTENT)]).fetch()
    assert names_in(cache) == ["a.bin", "b.bin", "lock", "source.json"]


def test_of_two_at_once_one_fetches(cache):
    source, started = Given("first", CONTENT), threading.Barrier(2)
    files = RawFiles("set", MD5, [source])

    def fetch():
        started.wait()
        files.fetch()

    threads = [threading.Thread(target=fetch) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(source.asked) == 1


def test_where_the_cache_is(monkeypatch, tmp_path):
    files = RawFiles("set", MD5, [])
    assert files.folder == tmp_path / "cache" / "set"
    monkeypatch.delenv("HYPERRIBBON_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert files.folder == tmp_path / "hyperribbon" / "set"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert files.folder == Path.home() / ".cache" / "hyperribbon" / "set"
