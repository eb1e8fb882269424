"""A watcher and its page, until the user ends them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from hyperribbon.watching.server import Server
from hyperribbon.watching.watcher import Watcher

NICE = 5  # less urgent than trainings, yet not starved by those that use all cores


def watch_paths(
    paths: Sequence[str | Path],
    split: str | None = None,
    port: int = 0,
    *,
    opened: Callable[[str], object] | None = None,
    say: Callable[[str], object] = print,
) -> None:
    """Watch trainings and serve their picture to this computer, until Ctrl-C or SIGTERM.

    Parameters
    ----------
    paths : sequence of path
        Folders of recordings, or recordings.
    split : {"train", "test"}, optional
        The samples on which models are compared.
    port : int
        0 for any free port.
    opened : callable, optional
        Called with the address of the page once it is served.
    say : callable
        Called with each line about what happens.

    Raises
    ------
    ConfigError, DataError, StoreError
        If the port is in use, there is no such split, or a path is no folder or recording.
    """
    watcher = Watcher(paths, split, say)
    with Server(watcher.view.read, port) as server:
        with suppress(OSError):
            os.nice(NICE)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        say(f"{server.address}  (Ctrl-C ends)")
        if opened is not None:
            opened(server.address)
        before = signal.signal(signal.SIGTERM, lambda *_: watcher.stop())
        try:
            watcher.run()
        except KeyboardInterrupt:
            watcher.close()
        finally:
            signal.signal(signal.SIGTERM, before)
            server.shutdown()
    say("ended; the same command goes on from here")
