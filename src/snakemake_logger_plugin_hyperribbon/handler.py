"""The handler of Snakemake's log records."""

from __future__ import annotations

import logging
import shutil
import sys
import textwrap
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

from snakemake.logging import ColorizingTextHandler
from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from snakemake_logger_plugin_hyperribbon.jobs import Jobs, duration

# Rules whose first output is worth a look while others still run.
NOTED = {"first_picture": "first picture", "explore": "the same, to turn and to point at"}
SECONDS_APART = 30  # of plain lines, where nobody looks at a terminal
TAIL = 20  # lines shown of the log of a failed job
ERASE = "\r\x1b[K"


class LogHandler(LogHandlerBase):
    """Prints to the terminal; on a pipe, the same now and then in plain lines."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = False
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self.stream = sys.stdout if self.common_settings.stdout else sys.stderr
        self.jobs = Jobs()
        self._live = self.stream.isatty() and not self.common_settings.dryrun
        self._drawn = False  # a line that is not ended
        self._printed_at = time.monotonic()
        self._lock = threading.RLock()  # records come from one thread, the live line from another
        self._stop = threading.Event()
        self._others = ColorizingTextHandler(self.common_settings.nocolor, self.stream)

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record says to a user, if anything."""
        try:
            with self._lock:
                self._take(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Erase the live line."""
        self._stop.set()
        with self._lock:
            self._erase()
        super().close()

    def _take(self, record: Any) -> None:
        event = getattr(record, "event", None)
        if self.common_settings.dryrun or self.common_settings.verbose:
            self._pass_on(record)
        elif event == LogEvent.RUN_INFO:
            self._begin(record.stats)
        elif event == LogEvent.JOB_INFO:
            self.jobs.begin(record, time.monotonic())
        elif event == LogEvent.JOB_FINISHED:
            self._note(record)
        elif event == LogEvent.JOB_ERROR:
            self._fail(record)
        elif event == LogEvent.PROGRESS:
            self.jobs.done, self.jobs.total = record.done, record.total
            self._go_on()
        elif _is_well_said(record):
            self._pass_on(record)

    def _pass_on(self, record: logging.LogRecord) -> None:
        """Print a record as Snakemake does."""
        self._erase()
        self._others.setFormatter(self.formatter)
        self._others.emit(record)

    def _begin(self, stats: dict[str, int]) -> None:
        """Say what there is to do."""
        self.jobs.total = stats["total"]
        self.jobs.began = time.monotonic()
        kinds = {rule: n for rule, n in stats.items() if rule not in ("total", "all")}
        named = ", ".join(f"{n} {rule}" if n > 1 else rule for rule, n in kinds.items())
        self._say(textwrap.fill(f"{stats['total']} jobs: {named}", 100, subsequent_indent="    "))
        if self._live and self.jobs.total > 1:
            threading.Thread(target=self._keep_live, daemon=True).start()

    def _note(self, record: Any) -> None:
        now = time.monotonic()
        job = self.jobs.end(record.job_id, now)
        if job is not None and job.rule in NOTED:
            self._say(f"{NOTED[job.rule]}, after {duration(self.jobs.elapsed(now))}: {job.output}")

    def _fail(self, record: Any) -> None:
        """Name the job that failed and its log, and show how that ends."""
        job = self.jobs.fail(record.jobid)
        name = record.rule_name if job is None else job.name
        said = f": {record.rule_msg}" if record.rule_msg else ""  # by a cluster, for one
        self._say(f"failed: {name}{said}" + "".join(f"; log: {path}" for path in record.log))
        if not self.common_settings.show_failed_logs:
            return
        for path in record.log:
            try:
                with Path(path).open(errors="replace") as lines:
                    last = [line.rstrip("\n") for line in deque(lines, TAIL)]
            except OSError:
                last = []
            self._say("\n".join(f"    {line}" for line in last or ["(it wrote nothing)"]))

    def _go_on(self) -> None:
        """Say how far it is, unless the live line does."""
        now = time.monotonic()
        if self.jobs.done == self.jobs.total:
            self._stop.set()
            self._say(f"{self.jobs.total} jobs done in {duration(self.jobs.elapsed(now))}")
        elif not self._live and now - self._printed_at >= SECONDS_APART:
            self._say(self.jobs.line(now))

    def _keep_live(self) -> None:
        while not self._stop.wait(1):
            with self._lock:
                if not self._stop.is_set():
                    self._draw(self.jobs.line(time.monotonic()))

    def _draw(self, line: str) -> None:
        width = shutil.get_terminal_size().columns - 1
        if len(line) > width:
            line = f"{line[: width - 1]}…"
        # The cursor goes back, so that what a job may print takes the place of the line.
        self._write(f"{ERASE}{line}\r")
        self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            self._write(ERASE)
            self._drawn = False

    def _say(self, text: str) -> None:
        self._erase()
        self._write(f"{text}\n")
        self._printed_at = time.monotonic()

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _is_well_said(record: logging.LogRecord) -> bool:
    """Whether to print a record as Snakemake does: faults, what was asked for, nothing to do."""
    event = getattr(record, "event", None)
    nothing = event is None and str(record.msg).startswith("Nothing to be done")
    return nothing or event == LogEvent.SHELLCMD or record.levelno >= logging.WARNING
