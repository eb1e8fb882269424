"""A headless Chromium that tests speak to by its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop
from tornado.websocket import websocket_connect

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds


class Browser:
    """One page of a browser of its own, with which a program does what a person would.

    Skips the test where there is no Chromium.
    """

    def __init__(self, folder: Path):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            pytest.skip("needs Chromium to use the page")
        flags = ["--headless=new", "--no-sandbox", "--enable-unsafe-swiftshader", "--no-first-run"]
        self.process = subprocess.Popen(
            [program, *flags, f"--user-data-dir={folder}", "--remote-debugging-port=0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port = folder / "DevToolsActivePort"
        self.until(lambda: port.exists() and len(port.read_text().split()) == 2)
        number, path = port.read_text().split()
        self.loop, self.count, self.said = IOLoop(make_current=False), 0, []
        self.socket = self.loop.run_sync(
            lambda: websocket_connect(f"ws://127.0.0.1:{number}{path}")
        )
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Runtime", "Page", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params):
        """The result of a command of the protocol; events meanwhile are kept in `said`."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.write_message(json.dumps(message))
        while True:
            answer = json.loads(self.loop.run_sync(self.socket.read_message, timeout=PATIENCE))
            if answer.get("id") == self.count:
                assert "error" not in answer, answer
                return answer["result"]
            self.said.append(answer)

    def until(self, condition) -> None:
        """Wait until a function, or an expression in the page, is true."""
        deadline = time.monotonic() + PATIENCE
        while not (condition() if callable(condition) else self.evaluate(condition)):
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def open(self, address: str, width: int = 1300, height: int = 800) -> None:
        """Go to an address, in a window of some pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        self.call("Page.navigate", url=address)
        self.until("document.readyState === 'complete'")

    def evaluate(self, expression: str):
        """What an expression, or the promise that it is, comes to."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def place_of(self, k: int) -> list[float]:
        """Where a page with a turning picture shows point k, in pixels."""
        return self.evaluate(f"""(() => {{
            const box = canvas.getBoundingClientRect();
            const point = scene.place.subarray(3 * {k}, 3 * {k} + 3);
            const at = projected(matrix(), point, ...size());
            return [box.x + at[0], box.y + at[1]];
        }})()""")

    def key(self, key: str) -> None:
        """Press a key where the focus is."""
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **(text if "D" in kind else {}))

    def mouse(self, kind: str, x: float, y: float, **more) -> None:
        """Move, press or release the mouse."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x: float, y: float, count: int = 1) -> None:
        for k in range(1, count + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.mouse(kind, x, y, button="left", clickCount=k)

    def problems(self) -> list:
        """Errors that the page has had, and what it wanted from the network."""
        self.evaluate("1")  # takes what has been said
        said = [
            event
            for event in self.said
            if event.get("method") == "Runtime.exceptionThrown"
            or event.get("params", {}).get("entry", {}).get("level") == "error"
        ]
        wanted = [
            event["params"]["request"]["url"]
            for event in self.said
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [*said, *(url for url in wanted if url.startswith("http"))]

    def picture(self, path: Path) -> None:
        """Save what the window shows."""
        found = self.call("Page.captureScreenshot")["data"]
        path.write_bytes(base64.b64decode(found))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        self.loop.close()
