"""What surrounds the graph in the file."""

import numpy as np
import pytest

from compress.errors import UserError
from export.litert.flatbuffer import pack_model, read_metadata, read_model
from export.litert.run import LiteRtRunner


def test_constants_are_inside_the_flatbuffer_and_aligned(emitted):
    for kind, scheme in (("next-item", "fp32"), ("bert", "int8-dynamic")):
        _, written = emitted(kind, scheme)
        content = written.path.read_bytes()
        buffers = read_model(content).buffers
        assert all(one.offset == 0 for one in buffers)
        large = [one.data for one in buffers if one.data is not None and len(one.data) > 64]
        assert large
        start = np.frombuffer(content, np.uint8).ctypes.data
        assert {(data.ctypes.data - start) % 16 for data in large} == {0}


def test_packing_what_was_read_gives_the_same_model(emitted):
    _, written = emitted("next-item", "int8-dynamic")
    content = written.path.read_bytes()
    assert pack_model(read_model(content)) == content


def test_constants_behind_the_flatbuffer_are_brought_in(emitted):
    """As the quantizer writes them above 256 KB."""
    _, written = emitted("next-item", "fp32")
    model = read_model(written.path.read_bytes())
    buffer = max(
        (one for one in model.buffers if one.data is not None), key=lambda one: len(one.data)
    )
    inside = buffer.data
    buffer.data, buffer.offset, buffer.size = None, 2, len(inside)
    packed = pack_model(model)
    buffer.offset = len(packed)
    content = pack_model(model) + inside.tobytes()
    found = [one.data for one in read_model(content).buffers if one.data is not None]
    np.testing.assert_array_equal(max(found, key=len), inside)


def test_a_file_of_another_maker_has_no_metadata(emitted):
    _, written = emitted("next-item", "fp32")
    model = read_model(written.path.read_bytes())
    model.metadata = None
    written.path.write_bytes(pack_model(model))
    assert read_metadata(written.path) == {}


def test_broken_metadata_is_an_error_that_names_the_file(emitted):
    _, written = emitted("next-item", "fp32")
    content = written.path.read_bytes()
    written.path.write_bytes(content.replace(b'{"limbeck.', b'["limbeck.'))
    with LiteRtRunner(written.path) as runner, pytest.raises(UserError, match="its metadata"):
        _ = runner.metadata
