import threading
from graphlib import CycleError
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.numerics.task_graph import run_tasks


@st.composite
def graphs(draw):
    """Tasks 0 to n - 1, each of which needs some of those before it."""
    n = draw(st.integers(0, 12))
    return [draw(st.lists(st.integers(0, k - 1), max_size=3)) if k else [] for k in range(n)]


@given(graphs(), st.integers(1, 4), st.randoms())
def test_every_task_runs_once_with_the_results_that_it_needs(graph, threads, random):
    found = {}

    def task(k):
        def run(*needed):
            assert k not in found
            found[k] = 1 + sum(needed)
            return found[k]

        return run

    keys = list(range(len(graph)))
    random.shuffle(keys)  # in any order
    run_tasks({k: (task(k), graph[k]) for k in keys}, threads)
    assert found == {k: 1 + sum(found[j] for j in needed) for k, needed in enumerate(graph)}


def test_one_thread_takes_the_earlier_of_the_tasks_that_are_ready():
    order = []
    tasks = {name: (lambda *_, name=name: order.append(name), []) for name in "dcba"}
    tasks["first"] = (lambda *_: order.append("first"), ["d"])
    run_tasks(tasks, 1)
    assert order == ["d", "c", "b", "a", "first"]


def test_tasks_run_at_once():
    both = threading.Barrier(2, timeout=30)
    run_tasks({name: (both.wait, []) for name in "ab"}, 2)


class Block:
    """What a task makes; can be referred to weakly."""


def test_a_result_is_dropped_once_no_task_needs_it():
    blocks = []

    def make():
        block = Block()
        blocks.append(ref(block))
        return block

    def use(block):
        assert block is not None

    def look(_):
        assert blocks[0]() is None

    run_tasks({"made": (make, []), "used": (use, ["made"]), "after": (look, ["used"])}, 1)


def test_after_an_error_no_other_task_begins():
    begun = []

    def fail():
        raise ValueError("of a task")

    tasks = {"fails": (fail, []), "needs": (begun.append, ["fails"])}
    tasks |= {k: (lambda k=k: begun.append(k), []) for k in range(20)}
    with pytest.raises(ValueError, match="of a task"):
        run_tasks(tasks, 1)
    assert begun == []


def test_a_circle_is_refused():
    with pytest.raises(CycleError):
        run_tasks({"a": (print, ["b"]), "b": (print, ["a"])}, 1)
