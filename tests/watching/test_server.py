"""The server: who is answered, with what, and how others are refused."""

import http.client
import json
import re
import socket
import threading
from pathlib import Path

import pytest

import hyperribbon.reporting.pages as pages
from hyperribbon.errors import ConfigError
from hyperribbon.watching.server import Server


@pytest.fixture(scope="module")
def server():
    def read(version, generation, first):
        return None if version == 7 else json.dumps([version, generation, first]).encode()

    with Server(read) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def answer(server, path, method="GET", **headers):
    """Status, headers and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    connection.request(method, path, headers=headers)
    found = connection.getresponse()
    text = found.read().decode()
    connection.close()
    return found.status, found.headers, text


def test_the_page_and_all_that_it_names_are_served(server):
    status, headers, page = answer(server, f"/{server.token}/")
    assert status == 200
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    names = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(names) >= 7
    for name in names:
        if name != "data:,":
            assert answer(server, f"/{server.token}/{name}")[0] == 200, name
    served = page + "".join(text.decode() for _, text in server.files.values())
    assert not re.search(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[a-z0-9-]+\.[a-z]", served)


def test_every_answer_forbids_remote_assets_frames_and_copies(server):
    for path in (f"/{server.token}/", f"/{server.token}/state", "/"):
        _, headers, _ = answer(server, path)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "http" not in policy and "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Python" not in headers["Server"]


def test_pages_have_no_scripts_or_styles_in_their_text_which_the_policy_forbids():
    page = pages.asset("watch.html")
    assert not re.search(r"<style|<script>|\son\w+=|\sstyle=", page)


def test_the_state_is_what_is_new(server):
    ask = f"/{server.token}/state?version=1&generation=2&first=3"
    assert answer(server, ask)[::2] == (200, "[1, 2, 3]")
    assert answer(server, f"/{server.token}/state")[::2] == (200, "[-1, -1, 0]")
    assert answer(server, f"/{server.token}/state?version=7")[::2] == (204, "")


@pytest.mark.parametrize(
    "path", ["/", "/wrong/", "/wrong/state", "/{half}/", "/{token}", "/%00/", "/%C3%A9/", "*"]
)
def test_without_the_token_nothing_is_served(server, path):
    path = path.format(token=server.token, half=server.token[:8])
    status, _, text = answer(server, path)
    assert status == 403
    assert text == "403: wrong token: open the address that this `hyperribbon watch` printed\n"
    assert server.token not in text


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1.example.com", "", "localhost.a:80"])
def test_names_that_are_not_this_computers_are_refused(server, host):
    status, _, text = answer(server, f"/{server.token}/", Host=host)
    assert (status, text) == (403, "403: not a name of this computer\n")


@pytest.mark.parametrize("host", ["localhost", "localhost:9999", "127.0.0.1:1", "[::1]:80"])
def test_tunnels_from_other_ports_are_answered(server, host):
    assert answer(server, f"/{server.token}/", Host=host)[0] == 200


@pytest.mark.parametrize(
    "path", ["../server.py", "..%2f..%2fetc/passwd", "/etc/passwd", "explorer.js", "watch.js/", "."]
)
def test_nothing_else_is_served(server, path):
    assert answer(server, f"/{server.token}/{path}")[::2] == (404, "404: no such page\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "STRANGE"])
def test_other_methods_are_refused(server, method):
    status, headers, text = answer(server, f"/{server.token}/state", method)
    assert (status, text) == (405, "405: only GET and HEAD\n")
    assert "Access-Control-Allow-Origin" not in headers


def test_head_has_no_body(server):
    status, headers, text = answer(server, f"/{server.token}/", "HEAD")
    assert (status, text) == (200, "")
    assert int(headers["Content-Length"]) > 500


def test_malformed_numbers_are_refused(server):
    status, _, text = answer(server, f"/{server.token}/state?version=x")
    assert (status, text) == (400, "400: expected whole numbers\n")


def test_a_browser_that_is_closed_does_no_harm(server, capfd):
    for request in (b"GET /", b"nonsense\r\n\r\n", b"\x00\xff\r\n\r\n"):
        with socket.create_connection(server.server_address) as one:
            one.sendall(request)
    assert answer(server, f"/{server.token}/")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_only_this_computer_is_served(server):
    assert server.server_address[0] == "127.0.0.1"


def test_tokens_are_random():
    with Server(lambda *_: None) as one, Server(lambda *_: None) as other:
        assert one.token != other.token
        assert len(one.token) >= 20


def test_a_port_in_use_is_one_line(server):
    port = server.server_address[1]
    with pytest.raises(ConfigError, match=f"port = {port}: in use by another program"):
        Server(lambda *_: None, port)
    with pytest.raises(ConfigError, match="port = 70000: expected 1 to 65535"):
        Server(lambda *_: None, 70000)


def test_files_that_are_served_are_shipped(server):
    folder = Path(pages.__file__).parent
    assert all((folder / (name or "watch.html")).is_file() for name in server.files)
