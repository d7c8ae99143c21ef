import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.report.build import build_report
from benchmarks.report.csv_tables import (
    latencies_csv,
    rows_csv,
    table_to_csv,
    verdicts_csv,
    write_csv,
)
from benchmarks.report.tables import Cell, Table
from compress.errors import UserError


@pytest.fixture(scope="module")
def report(inputs):
    return build_report(inputs)


def read(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_rows_are_tidy_and_hold_every_figure(report):
    rows = read(rows_csv(report))
    assert list(rows[0]) == ["role", "name", "path", "measure", "value", "low", "high"]
    found = {(row["name"], row["measure"]): row for row in rows}
    assert len(found) == len(rows)
    teacher = found["teacher", "quality.ndcg@10"]
    interval = report.teacher.quality["ndcg@10"]
    assert [float(teacher[one]) for one in ("value", "low", "high")] == [
        interval.value,
        interval.low,
        interval.high,
    ]
    assert found["onnx fp32", "bytes"]["value"] == "512000"
    assert found["onnx fp32", "bytes"]["low"] == ""
    assert ("onnx fp32", "kept_quality.ndcg@10") in found
    assert ("onnx fp32", "quality_unmasked.hit@10") in found
    assert ("teacher", "fidelity.teacher") not in found  # it has no meaning


def test_latencies_have_a_line_a_timed_row(report):
    rows = read(latencies_csv(report))
    assert len(rows) == 7
    teacher = next(row for row in rows if row["name"] == "teacher")
    assert float(teacher["p90_ms"]) == report.teacher.latency.p90_ms
    assert teacher["p99_9_ms"] == ""
    assert teacher["valid"] == "true"


def test_verdicts_have_a_line_each(report):
    rows = read(verdicts_csv(report))
    assert len(rows) == len(report.budget.verdicts)
    assert rows[0] == {
        "limit": "megabytes",
        "path": "student-fp32.onnx",
        "allowed": "0.4",
        "reached": "0.512",
        "met": "false",
    }


def test_lines_end_as_the_rfc_says(report):
    text = verdicts_csv(report)
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n") == 1 + len(report.budget.verdicts)


def test_a_table_by_hand():
    table = Table(
        "Title",
        (("Kept", "%"), ("Change", "")),
        (
            ("a, b", (Cell("98.6", "97.9–99.2"), Cell("−0.01"))),
            ('say "x"', (Cell("–"), Cell("+1,234"))),
        ),
    )
    assert table_to_csv(table) == (
        'name,Kept (%),"Kept (%), note",Change\r\n'
        '"a, b",98.6,97.9–99.2,-0.01\r\n'
        '"say ""x""",,,1234\r\n'
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1+x", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1"])
def test_no_text_becomes_a_formula(name):
    table = Table("", (("=x", ""),), ((name, (Cell("=HYPERLINK(1)"),)),))
    (row,) = read(table_to_csv(table, "+model"))
    assert row == {"'+model": f"'{name}", "'=x": "'=HYPERLINK(1)"}


@given(st.text(st.characters(codec="utf-8"), max_size=12))
def test_every_name_comes_back(name):
    table = Table("", (("x", ""),), ((name, (Cell("1"),)),))
    (row,) = read(table_to_csv(table))
    assert row["name"].removeprefix("'") == name.removeprefix("'")


def test_files_are_written_and_replaced(report, tmp_path):
    for _ in range(2):
        files = write_csv(report, tmp_path / "new" / "csv")
        assert [file.name for file in files] == ["rows.csv", "latencies.csv", "verdicts.csv"]
    assert files[0].read_bytes().decode() == rows_csv(report)


def test_a_place_that_cannot_be_written_is_said(report, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written to"):
        write_csv(report, tmp_path / "file" / "below")
