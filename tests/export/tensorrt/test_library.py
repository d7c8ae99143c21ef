"""The builders behind Polygraphy."""

import sys

import pytest

from export.tensorrt.library import RTX, TENSORRT, BuildError, own_errors, parse

pytest.importorskip("tensorrt_rtx")
pytest.importorskip("polygraphy")


def test_a_file_that_is_no_onnx_is_an_error_of_one_line(tmp_path, capfd):
    path = tmp_path / "not.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(BuildError) as caught:
        parse(RTX, str(path))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().out == ""


def test_polygraphy_drives_the_library_that_is_asked_for_in_one_process():
    try:
        RTX.polygraphy()
        assert sys.modules["polygraphy.config"].USE_TENSORRT_RTX
        TENSORRT.polygraphy()
        assert not sys.modules["polygraphy.config"].USE_TENSORRT_RTX
    finally:
        first = RTX.polygraphy()
    assert sys.modules["polygraphy.config"].USE_TENSORRT_RTX
    assert RTX.polygraphy() is first


@pytest.mark.parametrize("error", [RuntimeError("no kernel\nat line 3"), TypeError("no kernel")])
def test_an_error_of_the_librarys_bindings_is_one_line_too(error):
    with pytest.raises(BuildError, match="no kernel$"), own_errors():
        raise error


@pytest.mark.parametrize("error", [OSError("No space left on device"), ImportError("no library")])
def test_a_full_disk_or_a_missing_library_is_what_it_is(error):
    with pytest.raises(type(error)), own_errors():
        raise error
