"""What Python and the page send each other."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from export.browser.messages import TYPES, pack, unpack

shapes = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
tensors = st.dictionaries(
    st.text(max_size=8),
    st.sampled_from(TYPES).flatmap(lambda kind: arrays.arrays(kind, shapes)),
    max_size=4,
)


@given(tensors)
def test_arrays_come_back_as_they_were(sent):
    content, found = unpack(pack({"id": 7}, sent))
    assert content == {"id": 7}
    assert list(found) == list(sent)
    for name, array in sent.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes()


def test_arrays_begin_at_multiples_of_eight_bytes():
    body = pack(None, {"a": np.ones(3, np.int8), "b": np.array([5], np.int64)})
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    assert [one["offset"] for one in header["tensors"]] == [0, 8]
    assert body[-8:] == (5).to_bytes(8, "little")


def test_an_array_that_is_not_in_one_piece_is_sent_row_by_row():
    columns = np.arange(6, dtype=np.int32).reshape(2, 3).T
    assert unpack(pack(None, {"a": columns}))[1]["a"].tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.mark.parametrize("kind", [np.float16, object, "U3"])
def test_other_types_are_not_sent(kind):
    with pytest.raises(TypeError, match="browsers are sent bool, float32"):
        pack(None, {"a": np.zeros(2, kind)})


def described(**changes):
    one = {"name": "a", "type": "int32", "dims": [1], "offset": 0} | changes
    header = json.dumps({"content": 1, "tensors": [one]}).encode()
    return struct.pack("<I", len(header)) + header + bytes(64)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01",
        b"\xff\xff\xff\xff{}",
        b"\x02\x00\x00\x00{}",
        described(type="object"),
        described(dims=[-1]),
        described(dims=[1 << 40]),
        described(offset=-8),
        described(offset=1 << 40),
    ],
)
def test_what_is_no_message_is_refused(body):
    with pytest.raises(ValueError, match="not a message"):
        unpack(body)
