"""Progress bars: on a terminal, and only there."""

import io
from types import SimpleNamespace

import pytest

from hyperribbon import bars
from hyperribbon.bars import bar_over, step_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    return patched(monkeypatch, Terminal())


def patched(monkeypatch, stderr):
    """What bars take for stderr; pytest would replace that of `sys`."""
    monkeypatch.setattr(bars, "sys", SimpleNamespace(stderr=stderr))
    return stderr


def test_items_pass_unchanged_and_are_shown(terminal):
    assert list(bar_over(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert "letters" in terminal.getvalue() and "100%" in terminal.getvalue()


def test_steps_are_shown_with_a_text(terminal):
    with step_bar(4, "steps") as bar:
        bar.update(1)
        bar.update(2, "loss 0.5")
        assert bar.pos == 3
    assert "75%" in terminal.getvalue() and "loss 0.5" in terminal.getvalue()


@pytest.mark.parametrize("total", [None, 0])
def test_the_number_of_steps_may_be_unknown_or_0(terminal, total):
    with step_bar(total, "bytes") as bar:
        bar.update(5)
    assert "bytes" in terminal.getvalue()


@pytest.mark.parametrize("title", [None, "letters"])
def test_nothing_is_shown_without_a_title_or_a_terminal(monkeypatch, capsys, title):
    stderr = patched(monkeypatch, Terminal() if title is None else io.StringIO())
    assert list(bar_over("abc", title)) == ["a", "b", "c"]
    with step_bar(2, title) as bar:
        bar.update(2)
    assert stderr.getvalue() == capsys.readouterr().out == ""
