"""What Snakemake prints while a study runs, from its records, without Snakemake running."""

import io
import logging
from types import SimpleNamespace

import pytest
from snakemake.settings.types import OutputSettings
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from snakemake_logger_plugin_hyperribbon import LogHandler, handler
from snakemake_logger_plugin_hyperribbon.jobs import Jobs

STATS = {"train": 2, "first_picture": 1, "all": 1, "total": 4}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def printing(monkeypatch):
    """A handler that prints to a stream, with a clock that the test sets, and no live line."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(handler.time, "monotonic", lambda: clock.now)

    def make(stream, **settings):
        monkeypatch.setattr(handler.sys, "stderr", stream)
        made = LogHandler(OutputSettings(nocolor=True, **settings), None)
        monkeypatch.setattr(made, "_keep_live", lambda: None)
        made.setFormatter(logging.Formatter("%(message)s"))
        return made

    return make, clock


def record(event, message="", level=logging.INFO, **fields):
    made = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    made.__dict__.update(event=event, **fields)
    return made


def started(id, rule, wildcards=(), output=()):
    return record(
        LogEvent.JOB_INFO, jobid=id, rule_name=rule, wildcards=dict(wildcards), output=list(output)
    )


def run(made, clock):
    """A training of 60 s, the picture after 3 s more, and another training beside."""
    made.emit(record(LogEvent.RUN_INFO, "Job stats", stats=STATS))
    made.emit(record(None, "Select jobs to execute..."))
    made.emit(started(1, "train", {"configuration": "ViT-Adam"}))
    made.emit(started(2, "train", {"configuration": "ViT-SGD"}))
    for id, seconds in ((1, 60), (3, 3), (2, 4)):
        if id == 3:
            made.emit(started(3, "first_picture", output=["results/a/first_picture.png"]))
        clock.now += seconds
        made.emit(record(LogEvent.JOB_FINISHED, "Finished", job_id=id))
        made.emit(record(LogEvent.PROGRESS, None, done={1: 1, 3: 2, 2: 3}[id], total=4))
    made.emit(record(LogEvent.PROGRESS, None, done=4, total=4))


def test_snakemake_finds_it_by_name():
    assert LoggerPluginRegistry().is_installed("hyperribbon")


def test_a_pipe_gets_plain_lines_now_and_then(printing):
    make, clock = printing
    stream = io.StringIO()
    run(make(stream), clock)
    assert stream.getvalue().splitlines() == [
        "4 jobs: 2 train, first_picture",
        "1 of 4 jobs  1:00  train ViT-SGD",
        "first picture, after 1:03: results/a/first_picture.png",
        "4 jobs done in 1:07",
    ]


def test_a_terminal_gets_one_line_that_is_written_over(printing):
    make, clock = printing
    stream = Terminal()
    made = make(stream)
    made.emit(record(LogEvent.RUN_INFO, "Job stats", stats=STATS))
    made.emit(started(1, "train", {"configuration": "a-name-that-is-longer-than-a-terminal" * 9}))
    for _ in range(3):
        made._draw(made.jobs.line(clock.now))
    made.emit(record(LogEvent.ERROR, "what went wrong", logging.ERROR))
    first, live, *_ = stream.getvalue().split("\n")
    assert first == "4 jobs: 2 train, first_picture"
    drawn = live.split(handler.ERASE)
    assert drawn[0] == ""
    assert all(part.endswith("…\r") and len(part) <= 80 for part in drawn[1:4])
    made.close()
    assert stream.getvalue().endswith(f"{handler.ERASE}what went wrong\n")


@pytest.mark.parametrize("shown", [True, False])
def test_a_job_that_fails_is_named_with_the_end_of_its_log(printing, tmp_path, shown):
    make, _ = printing
    log = tmp_path / "train.log"
    log.write_text("".join(f"line {k}\n" for k in range(50)) + "the disk is full\n")
    stream = io.StringIO()
    made = make(stream, show_failed_logs=shown)
    made.emit(record(LogEvent.RUN_INFO, stats=STATS))
    made.emit(started(1, "train", {"configuration": "ViT-Adam"}))
    made.emit(
        record(
            LogEvent.JOB_ERROR,
            level=logging.ERROR,
            jobid=1,
            rule_name="train",
            rule_msg="cancelled",
            log=[str(log)],
        )
    )
    _, failed, *lines = stream.getvalue().splitlines()
    assert failed == f"failed: train ViT-Adam: cancelled; log: {log}"
    assert ("    the disk is full" in lines) == shown
    assert len(lines) == (handler.TAIL if shown else 0)


def test_a_dry_run_prints_all_as_snakemake_does(printing):
    make, _ = printing
    stream = io.StringIO()
    made = make(stream, dryrun=True)
    made.emit(record(LogEvent.RUN_INFO, "Job stats: as ever", stats=STATS))
    made.emit(record(None, "Reasons: many"))
    assert stream.getvalue() == "Job stats: as ever\nReasons: many\n"


def test_what_is_left_follows_from_what_finished_and_how_many_run_at_once():
    jobs = Jobs(began=0.0, total=12)
    assert jobs.left(0.0) is None
    for k in range(4):  # two at once, 10 s each
        jobs.begin(started(k, "train"), 10.0 * (k // 2))
        jobs.end(k, 10.0 * (k // 2) + 10)
    jobs.done = 4
    assert jobs.left(20.0) == pytest.approx(40)
    jobs.begin(started(4, "train"), 20.0)
    jobs.begin(started(5, "train"), 20.0)
    assert jobs.left(24.0) == pytest.approx(36)
    jobs.fail(5)  # it waits again
    assert jobs.left(24.0) > 36
