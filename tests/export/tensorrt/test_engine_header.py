"""The header of an engine says what the engine is."""

import struct

import pytest

from export.tensorrt.engine_header import is_rtx_engine, read_engine_header


@pytest.fixture
def path(tmp_path):
    return tmp_path / "student.engine"


def _header(*, size=200, layout=2, bits=0b100, weights=64, magic=b"vtrt"):
    header = struct.pack("<4sIIIQ4B4sI", magic, 0, layout, 0, size, 1, 7, 1, 116, b"vtrt", bits)
    return header.ljust(56, b"\0") + struct.pack("<Q", weights) + b"NGNE" + bytes(132)


def test_version_capabilities_and_weights_are_read(path):
    path.write_bytes(_header(bits=0b1111110))
    found = read_engine_header(path)
    assert found.version == "1.7.1.116"
    assert found.capabilities == {"sm80", "sm86", "sm89", "sm120", "sm121"}
    assert found.weight_bytes == 64
    assert is_rtx_engine(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (_header()[:-1], "it has 199 bytes, and should have 200"),
        (_header() + b"\0", "it has 201 bytes, and should have 200"),
        (_header()[:40], "does not begin as"),
        (_header(magic=b"ftrt"), "does not begin as"),
        (_header(layout=3), "its layout has the number 3, and 2 is known"),
        (b"", "does not begin as"),
    ],
)
def test_what_is_no_whole_engine_is_refused(path, content, fault):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=fault):
        read_engine_header(path)


@pytest.mark.parametrize("target", ["sm75", "sm80", "sm86", "sm89", "sm120", "sm121"])
def test_the_library_writes_what_is_read(next_item_source, rtx, target):
    trt = pytest.importorskip("tensorrt_rtx")
    found = read_engine_header(rtx(next_item_source, target=target).path)
    assert found.capabilities == {target}
    assert found.version == trt.__version__
    assert trt.Runtime(trt.Logger(trt.Logger.ERROR)).engine_header_size == 64
