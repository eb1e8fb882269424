"""Machine code is kept on disk, and never used for another text."""

import importlib.util


def load(path):
    spec = importlib.util.spec_from_file_location("compiled_here", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_code_is_found_again_until_the_text_changes(tmp_path):
    path = tmp_path / "compiled_here.py"
    text = (
        "from hyperribbon.numerics.compiling import compiled\n\nADDED = 1\n\n\n"
        "@compiled(nogil=True)\ndef added_to(x):\n    return x + ADDED\n"
    )
    path.write_text(text)
    hits = []
    for _ in range(2):
        added_to = load(path).added_to
        assert added_to(3) == 4
        hits.append(sum(added_to.stats.cache_hits.values()))
    assert hits == [0, 1]
    path.write_text(
        text.replace("ADDED = 1", "ADDED = 15")
    )  # of another length, or Python may take its own cache
    assert load(path).added_to(3) == 18
