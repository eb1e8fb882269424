"""What runs, what is done, and about how long the rest takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KNOWN = 3  # jobs finished before the rest is estimated from them


@dataclass
class Job:
    """A job that runs."""

    rule: str
    name: str  # the rule and its wildcards
    output: str  # the first
    began: float


@dataclass
class Jobs:
    """The jobs of a run. Times are seconds of any one clock."""

    began: float = 0.0
    done: int = 0
    total: int = 0
    running: dict[int, Job] = field(default_factory=dict)
    _taken: dict[str, list[float]] = field(default_factory=dict)  # seconds, by rule

    def begin(self, record: Any, now: float) -> None:
        """Note a job that starts, from Snakemake's record of it."""
        name = " ".join([record.rule_name, *map(str, record.wildcards.values())])
        output = str(next(iter(record.output), ""))
        self.running[record.jobid] = Job(record.rule_name, name, output, now)

    def end(self, id: int, now: float) -> Job | None:
        """Note that a job finished; None if it is not known to have started."""
        job = self.running.pop(id, None)
        if job is not None:
            self._taken.setdefault(job.rule, []).append(now - job.began)
        return job

    def fail(self, id: int) -> Job | None:
        """Note that a job failed; it may start again."""
        return self.running.pop(id, None)

    def elapsed(self, now: float) -> float:
        """Seconds since the run began."""
        return now - self.began

    def left(self, now: float) -> float | None:
        """Seconds that the rest takes, if jobs take what those that finished did; None: unknown."""
        taken = [seconds for several in self._taken.values() for seconds in several]
        if len(taken) < KNOWN:
            return None
        usual = sum(taken) / len(taken)
        running = 0.0
        for job in self.running.values():
            of_rule = self._taken.get(job.rule)
            expected = sum(of_rule) / len(of_rule) if of_rule else usual
            running += max(expected - (now - job.began), 0.0)
        waiting = max(self.total - self.done - len(self.running), 0)
        busy = sum(taken) + sum(now - job.began for job in self.running.values())
        at_once = max(busy / max(self.elapsed(now), 1e-9), 1.0)
        return (running + waiting * usual) / at_once

    def line(self, now: float) -> str:
        """How far it is, how long it took, what runs, in one line."""
        left = self.left(now)
        times = duration(self.elapsed(now))
        if left is not None:
            times += f", about {duration(left)} left"
        names = ", ".join(job.name for job in self.running.values())
        return f"{self.done} of {self.total} jobs  {times}  {names}".rstrip()


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours and minutes.

    >>> duration(83), duration(7262)
    ('1:23', '2 h 01 min')
    """
    minutes, seconds = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{seconds:02}"
    return f"{minutes // 60} h {minutes % 60:02} min"
