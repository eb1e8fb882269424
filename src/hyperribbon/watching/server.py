"""The page and what it asks for, served to browsers on this computer alone."""

from __future__ import annotations

import errno
import hmac
import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hyperribbon.errors import ConfigError
from hyperribbon.reporting.pages import asset

LOOPBACK = "127.0.0.1"
# Through a tunnel, a browser may call this computer by another port, but not by another name: one
# that a stranger's page resolves to it is refused.
HOSTS = ("127.0.0.1", "localhost", "[::1]")
SECONDS = 10.0  # that a request may take to arrive
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
KINDS = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


class Server(ThreadingHTTPServer):
    """Serves the page of a view at an address that holds a random token.

    Only paths below the token are answered, and only to requests that call this computer by a name
    of its own. Nothing of the file system is served: the page's files are read once.

    Parameters
    ----------
    read : callable
        Called with the version, generation and number of models that a page has; returns JSON of
        what is new, or None. See `View.read`.
    port : int
        0 for any free port.

    Attributes
    ----------
    address : str
        Where the page is.

    Raises
    ------
    ConfigError
        If the port is in use, or not one that may be used.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, read: Callable[[int, int, int], bytes | None], port: int = 0):
        if not 0 <= port <= 65535:
            raise ConfigError(f"port = {port}: expected 1 to 65535, or 0 for any free one")
        self.read, self.token = read, secrets.token_urlsafe(16)
        self.files = page_files()
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except (OSError, OverflowError) as error:
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                raise ConfigError(
                    f"port = {port}: in use by another program, perhaps another watcher; choose "
                    "another, or none for any free one"
                ) from None
            raise ConfigError(f"port = {port}: cannot be used ({error})") from None
        self.address = f"http://{LOOPBACK}:{self.server_address[1]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of browsers that were closed while they were answered."""


def page_files() -> Mapping[str, tuple[str, bytes]]:
    """The kind and content of each of the page's files, by the last part of its path."""
    texts = {
        "": asset("watch.html"),
        "view.css": asset("view.css"),
        "watch.css": asset("watch.css"),
        "interactive.js": asset("interactive.js"),
        "view.js": asset("view.js"),
        "cloud.js": asset("cloud.js"),
        "box.js": asset("box.js"),
        "hands.js": asset("hands.js"),
        "scene.js": asset("scene.js"),
        "chart.js": asset("chart.js"),
        "watch_state.js": asset("watch_state.js"),
        "watch_scene.js": asset("watch_scene.js"),
        "watch.js": asset("watch.js"),
    }
    return {
        name: (KINDS[name.rpartition(".")[2] or "html"], text.encode())
        for name, text in texts.items()
    }


class _Handler(BaseHTTPRequestHandler):
    server: Server
    server_version, sys_version = "hyperribbon", ""
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def do_GET(self) -> None:
        """Answer, or refuse in one line."""
        host = self.headers.get("Host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if name not in HOSTS:
            return self._refuse(HTTPStatus.FORBIDDEN, "not a name of this computer")
        url = urlsplit(self.path)
        _, _, rest = url.path.partition("/")
        token, slash, what = rest.partition("/")
        if not hmac.compare_digest(token.encode(), self.server.token.encode()) or not slash:
            return self._refuse(
                HTTPStatus.FORBIDDEN,
                "wrong token: open the address that this `hyperribbon watch` printed",
            )
        if what == "state":
            return self._state(url.query)
        if what not in self.server.files:
            return self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        return self._answer(HTTPStatus.OK, *self.server.files[what])

    do_HEAD = do_GET  # noqa: N815, its name in the standard library

    def _state(self, query: str) -> None:
        asked = parse_qs(query)
        try:
            version, generation = (int(asked.get(k, ["-1"])[0]) for k in ("version", "generation"))
            first = max(0, int(asked.get("first", ["0"])[0]))
        except ValueError:
            return self._refuse(HTTPStatus.BAD_REQUEST, "expected whole numbers")
        found = self.server.read(version, generation, first)
        if found is None:
            return self._answer(HTTPStatus.NO_CONTENT, "application/json", b"")
        return self._answer(HTTPStatus.OK, "application/json", found)

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._answer(status, "text/plain", f"{status.value}: {why}\n".encode())

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse other methods, and what is no HTTP, in one line, too."""
        status = HTTPStatus(code)
        if status == HTTPStatus.NOT_IMPLEMENTED:
            status = HTTPStatus.METHOD_NOT_ALLOWED
        self.command = getattr(self, "command", None) or ""
        self._refuse(status, "only GET and HEAD" if status == 405 else message or status.phrase)

    def log_message(self, *_: object) -> None:
        """Log nothing: addresses hold the token."""
