"""What a change of a plugin's file, or of a file beside it, changes: exactly what it decides."""

import pytest

from hyperribbon.studies.code_version import code_version
from hyperribbon.studies.plugin_code import code_of_piece

PLUGIN = '''"""Words."""
import hyperribbon as hr
from beside import half

TWICE = 2  # a number


def scaled(x):
    """Words."""
    return TWICE * x


def distance(p, q):
    return scaled((p - q).abs().sum(-1))


class Net:
    def __init__(self, shape, n_classes):
        self.width = 3


hr.register_metric("distance", distance)
hr.register_network("net", Net)


@hr.register_figure(needs=["models"], caption="Words.")
def drawn(tables):
    return hr.progress(tables)


@hr.register_claim("Words.", source="me", rule="positive", needs=["models"])
def claimed(tables):
    return scaled(tables)


@hr.register_claim("Others.", source="me", rule="positive", needs=["models"])
def other(tables):
    return 3
'''
PIECES = ["metric distance", "network net", "figure drawn", "claim claimed", "claim other"]


@pytest.fixture
def changed_by(tmp_path):
    """Function saying which pieces an edit of one of the files changes."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "beside.py").write_text("from deep.down import half\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "__init__.py").write_text("")
    (tmp_path / "deep" / "down.py").write_text("from .er import half\n")
    (tmp_path / "deep" / "er.py").write_text("half = 0.5\n")
    (tmp_path / "unused.py").write_text("")

    def versions():
        code_of_piece.cache_clear()
        code_version.cache_clear()
        return {piece: code_version(f"{tmp_path}/mine.py::{piece}") for piece in PIECES}

    def edit(file, old, new):
        path, before = tmp_path / file, versions()
        text = path.read_text()
        path.write_text(text.replace(old, new))
        assert path.read_text() != text
        found = {piece for piece, version in versions().items() if version != before[piece]}
        path.write_text(text)
        return found

    yield edit
    code_of_piece.cache_clear()
    code_version.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "pieces"),
    [
        ("sum(-1)", "mean(-1)", {"metric distance"}),
        ('"distance", d', '"distance", label="d", kernel=d', {"metric distance"}),
        ("width = 3", "width = 4", {"network net"}),
        ('"net", Net', '"net", Net, any_size=True', {"network net"}),
        ("hr.progress(", "hr.truth(", {"figure drawn"}),
        ('needs=["models"], caption', 'needs=["tubes"], caption', {"figure drawn"}),
        ("TWICE * x", "TWICE + x", {"metric distance", "claim claimed"}),
        ("Others.", "Another.", {"claim other"}),
        ("TWICE = 2", "TWICE = 3", set(PIECES)),
        ("from beside", "import math\nfrom beside", set(PIECES)),
        ("class Net:", "print()\n\n\nclass Net:", set(PIECES)),
        ("class Net:", "import functools\n@functools.cache\nclass Net:", set(PIECES)),
        ('"""Words."""', '"""Other words."""', set()),
        ("# a number", "# two", set()),
        ("def distance(p, q):\n", "def unused():\n    pass\n\n\ndef distance(p, q):\n", set()),
    ],
)
def test_a_change_of_the_file_counts_for_what_needs_it(changed_by, old, new, pieces):
    assert changed_by("mine.py", old, new) == pieces


def test_files_beside_it_count_if_they_are_imported(changed_by):
    assert changed_by("deep/er.py", "0.5", "0.25") == set(PIECES)
    assert changed_by("deep/__init__.py", "", "print()") == set(PIECES)
    assert changed_by("deep/er.py", "half", "# Words.\nhalf") == set()
    assert changed_by("unused.py", "", "print()") == set()


def test_a_name_that_is_computed_counts_all(tmp_path):
    file = tmp_path / "mine.py"
    text = (
        "import hyperribbon as hr\nfor k in range(2):\n    hr.register_metric(f'm{k}', hr.truth)\n"
    )

    def version(text):
        file.write_text(text)
        code_of_piece.cache_clear()
        return code_of_piece(f"{file}::metric m1")[0]

    before = version(text)
    assert version(f"{text}\n\ndef more():\n    pass\n") != before
    assert version(f"{text}\n\n# more\n") == before


def test_what_it_uses_of_the_package_counts(monkeypatch, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        PLUGIN.replace("from beside import half\n", "from hyperribbon.tasks import x\n")
    )
    _, imports = code_of_piece(f"{file}::figure drawn")
    assert {("hyperribbon", "progress"), ("hyperribbon.tasks", "x")} <= set(imports)
    assert ("hyperribbon", "progress") not in code_of_piece(f"{file}::network net")[1]
    seen = []
    monkeypatch.setattr(
        "hyperribbon.studies.code_version.import_closure",
        lambda *modules: seen.extend(modules) or set(),
    )
    code_version.cache_clear()
    code_version(f"{file}::figure drawn")
    assert {"hyperribbon.probability.progress", "hyperribbon.studies.plugins.figures"} <= set(seen)
    code_version.cache_clear()
