"""A server that trains in forked children, each of which comes to grief at a chosen event.

A child runs the step ``train`` in a folder: the work goes to ``work``, ``predictions/A.zarr`` is
published. Its events are the steps of the training, the evaluations and all that it does to files;
what a killed process leaves follows from how many there were. They are written to the file
``events``, one a line: phase, event, path; its messages to the file ``log``.

A request is a line of JSON with the keys ``folder``, ``configuration``, ``data``, ``start`` if the
training has one, and, for a child that is to come to grief, ``how``, ``phase`` and ``number``. At
the event of that number in that phase it is killed ("kill"), or killed when it has written half a
file ("tear"), or there is no space left on the disk from then on ("full"). With the key ``delay``
it is killed after so many seconds. The answer is its exit status, or minus the signal that it died
of.
"""

import errno
import gc
import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

# Much of it is not used here, but imported once for all children.
import distributed  # noqa: F401
import torch._dynamo
import torch._inductor.config  # noqa: F401

from hyperribbon.storage.predictions import PER_SEED
from hyperribbon.training import evaluation, job  # noqa: F401
from hyperribbon.training.forward import Forward

TAKE_SPACE = {"open", "os.mkdir", "os.link"}
CHANGES = {*TAKE_SPACE, "os.rename", "os.remove", "os.rmdir"}


def phase_of(event: str, path: Path) -> str:
    """What a child is doing when it changes a file in its folder."""
    top, *rest = path.parts
    if top == "predictions":
        if rest and ".json" in rest[0]:
            return "manifest"
        return "exchange" if event == "os.rename" and len(rest) == 1 else "publishing"
    name = rest[1] if len(rest) > 1 else ""
    if name.endswith(".zarr"):
        return "writing" if rest[2:] and rest[2] in PER_SEED and "c" in rest else "creating"
    for ending, phase in ((".state", "state"), (".json", "finishing")):
        if name.startswith((".seed", "seed")) and ending in name:
            return phase
    return "starting"


class Grief:
    """Sees every event of this process, and brings it to grief at one of them."""

    def __init__(self, folder: Path, how: str = "", phase: str = "", number: int = 0):
        self.folder, self.how, self.phase, self.number = folder, how, phase, number
        self.full = False
        self.lock = threading.RLock()
        self.log = os.open(folder / "events", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        Forward.__call__ = self.seen(Forward.__call__, "training")
        evaluation.predict = self.seen(evaluation.predict, "evaluation")
        sys.addaudithook(self.audit)

    def seen(self, function, phase):
        def wrapped(*arguments, **options):
            self.event(phase, phase)
            return function(*arguments, **options)

        return wrapped

    def audit(self, event: str, arguments: tuple) -> None:
        if event not in CHANGES or not isinstance(arguments[0], str | os.PathLike):
            return
        writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT
        if event == "open" and not (arguments[2] or 0) & writes:
            return
        place = arguments[1] if event in ("os.rename", "os.link") else arguments[0]
        path = Path(os.fspath(place))
        if not path.is_absolute():  # shutil.rmtree names what it removes relative to its folder
            if event in ("os.remove", "os.rmdir"):
                self.event("removing", event, path)
        elif path.is_relative_to(self.folder):
            path = path.relative_to(self.folder)
            if path.parts[:1] in (("work",), ("predictions",)):
                self.event(phase_of(event, path), event, path)

    def event(self, phase: str, event: str, path: Path | None = None) -> None:
        with self.lock:
            os.write(self.log, f"{phase} {event} {path}\n".encode())
            if self.how and phase == self.phase:
                if self.number == 0:
                    self.come(event, path)
                self.number -= 1
            if self.full and event in TAKE_SPACE:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    def come(self, event: str, path: Path | None) -> None:
        if self.how == "full":
            self.full = True
            return
        if self.how == "tear" and event == "open":
            self.how = ""
            (self.folder / path).write_bytes(b"\x28\xb5\x2f\xfd half")
        os.kill(os.getpid(), signal.SIGKILL)


def train(request: dict) -> int:
    """Run the step in this process; returns its exit status."""
    folder = Path(request["folder"])
    os.dup2(os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), sys.stderr.fileno())
    arguments = {
        "configuration": request["configuration"],
        "data": request["data"],
        "work": folder / "work",
        "output": folder / "predictions" / "A.zarr",
    }
    if "start" in request:
        arguments["start"] = request["start"]
    sys.argv = ["train", *(f"--{name}={value}" for name, value in arguments.items())]
    Grief(folder, *(request[key] for key in ("how", "phase", "number") if key in request))
    try:
        runpy.run_module("hyperribbon.studies.grid.train", run_name="__main__")
    except SystemExit as end:
        return end.code
    return 0


def serve() -> None:
    gc.freeze()  # else a fork copies what it only counts references to
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            os._exit(train(request))
        if "delay" in request:
            time.sleep(request["delay"])
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
