"""Names that users add: what may be given again, and what is refused."""

import pytest

from hyperribbon.errors import DataError
from hyperribbon.registry import Registry, registered


@pytest.fixture
def shapes():
    return Registry("shape", {"disc": 1, "ring": 2})


def test_a_cell_of_a_notebook_may_run_twice(shapes):
    def cell():
        def cube():
            pass

        return cube

    first, again = cell(), cell()
    shapes.register("cube", first, definition=first)
    shapes.register("cube", again, definition=again)
    assert shapes.find("cube") is again
    assert list(shapes) == ["disc", "ring", "cube"]


def test_a_name_is_not_given_to_two_things(shapes):
    def cube():
        pass

    def other():
        pass

    shapes.register("cube", 3, definition=cube)
    with pytest.raises(DataError, match=r"^shape = 'cube': is registered already, as .*cube; ex"):
        shapes.register("cube", 4, definition=other)
    with pytest.raises(DataError, match="^shape = 'ring': is built in"):
        shapes.register("ring", 4, definition=cube)
    assert (shapes["cube"], shapes["ring"]) == (3, 2)


@pytest.mark.parametrize("name", ["", "a b", "<b>", "-a", "a" * 41, "a/b", "é", 3, None])
def test_a_name_is_that_of_a_file(shapes, name):
    with pytest.raises(DataError, match="expected a name of letters"):
        shapes.register(name, 3, definition=None)


@pytest.mark.parametrize("name", ["cube", "", 3, ["disc"], None])
def test_what_is_unknown_lists_what_there_is(shapes, name):
    with pytest.raises(DataError, match=r"^shape = .*: expected one of disc, ring$"):
        shapes.find(name)


def test_what_is_registered_in_a_block_is_noted(shapes):
    with registered() as outer:
        shapes.register("cube", 3, definition="cube")
        with registered() as inner:
            shapes.register("ball", 3, definition="ball")
    shapes.register("cone", 3, definition="cone")
    assert outer == [("shape", "cube"), ("shape", "ball")]
    assert inner == [("shape", "ball")]
