import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hyperribbon.data.idx import parse_idx
from hyperribbon.errors import DataError


def idx(array):
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


@given(hnp.arrays(np.uint8, hnp.array_shapes(max_dims=3, min_side=0)))
def test_what_was_written_is_read(array):
    np.testing.assert_array_equal(parse_idx(idx(array), "file"), array, strict=True)


@given(st.data())
def test_of_another_length_it_is_refused(data):
    content = idx(np.arange(12, dtype=np.uint8).reshape(3, 4))
    cut = data.draw(st.integers(0, len(content) - 1))
    for wrong in (content[:cut], content + b"\0"):
        with pytest.raises(DataError, match=r"^file: "):
            parse_idx(wrong, "file")


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x01", b"\0\0\x0d\x01\0\0\0\0", b"\0\0\x08\0"])
def test_another_format_is_refused(content):
    with pytest.raises(DataError, match="file: not of IDX format with unsigned bytes"):
        parse_idx(content, "file")
