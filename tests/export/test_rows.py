"""What the export stage leaves for the stages that measure."""

import json
from dataclasses import replace

import pytest

from compress.errors import UserError
from export.artifact import Artifact, NotWritten
from export.rows import (
    ROWS,
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


@pytest.mark.parametrize("runtime", ["python", "of-a-later-limbeck"])
def test_a_row_names_a_runtime_and_never_code(tmp_path, runtime):
    row = RowFiles("student", "student", "pytorch", "rows/s.json", 7, "histories.npz", "aa")
    write_rows(tmp_path, [row])
    (entry,) = json.loads((tmp_path / ROWS).read_text())
    (tmp_path / ROWS).write_text(json.dumps([{**entry, "runtime": runtime, "path": "evil.py:E"}]))
    with pytest.raises(UserError, match=f"knows no runtime {runtime}, which student has"):
        read_rows(tmp_path)
