"""What is wrong with a file or its record is told before anything is emulated."""

import pytest

from compress.errors import UserError
from compress.recipe import Onnx
from export.arm64.__main__ import main
from export.arm64.emulated import compare_on_arm64
from export.arm64.root import Arm64Root

ONNX = Onnx(format="onnx", scheme="fp32")


@pytest.mark.parametrize("content", ["", "[1]", '[{"path": "a"}]'])
def test_a_damaged_list_of_files_is_the_users_error(export_of, monkeypatch, capsys, content):
    monkeypatch.setattr(Arm64Root, "open", lambda: None)
    folder = export_of("next-item", ONNX)
    (folder / "artifacts.json").write_text(content)
    assert main(str(folder)) == 2
    assert "artifacts.json is damaged, or of another version of limbeck" in capsys.readouterr().err


def test_a_list_without_onnx_files_is_the_users_error(export_of):
    folder = export_of("next-item", ONNX)
    (folder / "artifacts.json").write_text("[]")
    with pytest.raises(UserError, match="has no ONNX file to ask on arm64"):
        compare_on_arm64(folder, None)


def test_a_file_that_is_not_the_one_that_was_verified_is_not_loaded(export_of, capsys, monkeypatch):
    folder = export_of("next-item", ONNX)
    (path,) = folder.glob("*.onnx")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    monkeypatch.setattr(Arm64Root, "open", lambda: None)
    assert main(str(folder)) == 1
    assert f"{path.name}: refused: its sha256 is" in capsys.readouterr().out
