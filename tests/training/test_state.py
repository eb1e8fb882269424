import pickle
import random

import numpy as np
import pytest
import torch

from hyperribbon.errors import StoreError
from hyperribbon.training.state import (
    load_state,
    random_state,
    save_state,
    seed_all,
    set_random_state,
)

CPU = torch.device("cpu")


def draw():
    """Of every source; an odd number of normals, for they are drawn in pairs."""
    return random.random(), random.gauss(0, 1), np.random.normal(), torch.randn(3).tolist()


def test_random_numbers_go_on_where_they_were(tmp_path):
    seed_all(3)
    first = draw()
    save_state(tmp_path / "state", random_state(CPU))
    expected = draw()
    seed_all(3)
    assert draw() == first
    draw()
    set_random_state(load_state(tmp_path / "state"), CPU)
    assert draw() == expected


def test_a_state_comes_back(tmp_path):
    state = {
        "tensor": torch.arange(6.0).reshape(2, 3).t(),
        "channels last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
        "nested": {"list": [1, "a", None, 0.1, True], "tuple": (2**40, (-1,))},
    }
    save_state(tmp_path / "state", state)
    loaded = load_state(tmp_path / "state")
    assert loaded["nested"] == state["nested"]
    for name in ("tensor", "channels last"):
        assert torch.equal(loaded[name], state[name])
        assert loaded[name].stride() == state[name].stride()
    assert list(tmp_path.iterdir()) == [tmp_path / "state"]


def test_a_changed_byte_is_found(tmp_path):
    path = tmp_path / "state"
    save_state(path, {"tensor": torch.zeros(50)})
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, 31, 32, len(content) - 1, *rng.integers(len(content), size=50)]:
        damaged = bytearray(content)
        damaged[place] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="state: damaged"):
            load_state(path)
    for damaged in (b"", b"text", content[:-1], content + b"0", pickle.dumps({})):
        path.write_bytes(damaged)
        with pytest.raises(StoreError, match="state: damaged"):
            load_state(path)


def test_a_state_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "state"
    save_state(path, {"step": 1})

    def full(*arguments):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="No space left"):
            save_state(path, {"step": 2})
    assert load_state(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [tmp_path / "state"]
