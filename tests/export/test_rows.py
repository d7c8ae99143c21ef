"""What the export stage leaves for the stages that measure."""

from dataclasses import replace

from export.artifact import Artifact, NotWritten
from export.rows import (
    RowFiles,
    read_artifacts,
    read_not_written,
    read_rows,
    row_sha256,
    write_artifacts,
    write_rows,
)
from export.verification import Check


def test_rows_and_files_read_back(tmp_path):
    row = RowFiles(
        "teacher", "teacher", "pytorch", "rows/t.json", 7, "histories.npz", "aa", "rows/u.json"
    )
    text = RowFiles("majority class", "baseline", "baseline-text", "rows/m.json", 7, "p.npz", "bb")
    check = Check(256, 0.99, 0.01, None, ("fault",))
    file = Artifact(
        *("onnx fp32", "a.onnx", "texts.npz", "onnx", "fp32", "cpu", "onnx", 10, "00"), check, {}
    )
    missing = NotWritten("litert fp32", "litert", "fp32", "no package", optional=True)
    write_rows(tmp_path, [row, text])
    write_artifacts(tmp_path, [file, replace(file, takes_texts=True)], [missing])
    assert read_rows(tmp_path) == [row, text]
    assert read_artifacts(tmp_path) == [file, replace(file, takes_texts=True)]
    assert read_not_written(tmp_path) == [missing]


def test_a_rows_hash_is_of_its_description_and_of_its_weights(tmp_path):
    description, weights = tmp_path / "a.json", tmp_path / "b.bin"
    description.write_text("{}")
    weights.write_bytes(b"1")
    before = row_sha256([description], [weights])
    assert row_sha256([description], [weights]) == before
    weights.write_bytes(b"2")
    assert row_sha256([description], [weights]) != before
