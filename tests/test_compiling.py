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
        "from hyperribbon.compiling import compiled\n\n\n"
        "@compiled(nogil=True)\ndef inner(x):\n    return x + 1\n\n\n"
        "@compiled(nogil=True)\ndef outer(x):\n    return 2 * inner(x)\n"
    )
    path.write_text(text)
    hits = []
    for _ in range(2):
        outer = load(path).outer
        assert outer(3) == 8
        hits.append(sum(outer.stats.cache_hits.values()))
    assert hits == [0, 1]
    path.write_text(text.replace("x + 1", "x + 5"))  # of what `outer` calls
    assert load(path).outer(3) == 16
