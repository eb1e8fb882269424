"""Tasks that need each other's results, run by threads of this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from heapq import heappop, heappush
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)


def run_tasks(tasks: Mapping[Key, tuple[Callable, Sequence[Key]]], threads: int) -> None:
    """Run tasks, the earlier ones first, each as soon as those that it needs are done.

    A result is dropped when no task needs it any more. After an error no other task begins, and the
    error is raised when those that are running have ended, so that nothing is written later.

    Parameters
    ----------
    tasks : mapping
        For each task a function, and the tasks whose results are its arguments.
    threads : int
        Number of tasks that run at once.

    Raises
    ------
    graphlib.CycleError
        If tasks need each other in a circle.

    Examples
    --------
    >>> run_tasks({"two": (lambda: 2, []), "print": (print, ["two", "two"])}, threads=3)
    2 2
    """
    order = {key: position for position, key in enumerate(tasks)}
    uses = Counter(key for _, needed in tasks.values() for key in needed)
    sorter = TopologicalSorter({key: needed for key, (_, needed) in tasks.items()})
    sorter.prepare()
    ready: list[tuple[int, Key]] = []
    results: dict[Key, Any] = {}
    running: dict[Future, Key] = {}
    with ThreadPoolExecutor(threads) as pool:
        while sorter.is_active():
            for key in sorter.get_ready():
                heappush(ready, (order[key], key))
            while ready and len(running) < threads:
                _, key = heappop(ready)
                function, needed = tasks[key]
                running[pool.submit(function, *(results[each] for each in needed))] = key
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                key = running.pop(future)
                results[key] = future.result()
                sorter.done(key)
                uses.subtract(tasks[key][1])
                for each in {key, *tasks[key][1]}:
                    if not uses[each]:
                        del results[each]
