"""Engines of the small students."""

import shutil

import pytest

from compress.recipe.artifacts import TensorRt, TensorRtRtx


@pytest.fixture
def rtx(tmp_path):
    """Emit a TensorRT-RTX engine of a source."""
    pytest.importorskip("tensorrt_rtx")
    pytest.importorskip("polygraphy")
    from export.tensorrt.emit import emit

    def rtx(source, scheme="fp16", target="sm86", **wanted):
        section = TensorRtRtx(format="tensorrt-rtx", scheme=scheme, target=target, **wanted)
        folder = tmp_path / "export"
        folder.mkdir(exist_ok=True)
        return emit(source, section, folder)

    return rtx


@pytest.fixture
def device_folder(tmp_path):
    """Emit a folder that builds on the device."""
    from export.tensorrt.emit import emit

    def device_folder(source, scheme="fp16", **wanted):
        section = TensorRt(format="tensorrt", scheme=scheme, **wanted)
        folder = tmp_path / "export"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return emit(source, section, folder)

    return device_folder
