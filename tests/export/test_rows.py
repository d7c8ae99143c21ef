"""What the export stage leaves for the stages that measure."""

from dataclasses import replace

from export.artifact import Artifact
from export.rows import RowFiles, read_artifacts, read_rows, write_artifacts, write_rows
from export.verification import Check


def test_rows_and_files_read_back(tmp_path):
    row = RowFiles(
        "teacher", "teacher", "pytorch", "rows/t.json", 7, "histories.npz", "rows/u.json"
    )
    text = RowFiles("majority class", "baseline", "baseline-text", "rows/m.json", 7, "pieces.npz")
    check = Check(256, 0.99, 0.01, None, ("fault",))
    file = Artifact("a.onnx", "texts.npz", "onnx", "fp32", "cpu", 10, "00", check)
    write_rows(tmp_path, [row, text])
    write_artifacts(tmp_path, [file, replace(file, takes_texts=True)])
    assert read_rows(tmp_path) == [row, text]
    assert read_artifacts(tmp_path) == [file, replace(file, takes_texts=True)]
