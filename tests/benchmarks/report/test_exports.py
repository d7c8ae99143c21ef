import json
from pathlib import Path

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.exports import export_report, write_text
from benchmarks.report.read import read_report
from compress.errors import UserError


@pytest.fixture(scope="module")
def report(inputs):
    return build_report(inputs)


def test_only_what_is_named_is_written(report, tmp_path):
    assert export_report(report) == []
    written = export_report(report, markdown=tmp_path / "a" / "r.md", csv=tmp_path / "csv")
    assert [one.name for one in written] == ["r.md", "rows.csv", "latencies.csv", "verdicts.csv"]
    assert written[0].read_text(encoding="utf-8").startswith("### movielens-100k")


def test_markdown_for_stdout_is_no_file(report, capsys):
    assert export_report(report, markdown=Path("-")) == []
    assert capsys.readouterr().out.startswith("### movielens-100k")


def test_a_place_that_cannot_be_written_is_said(report, tmp_path):
    (tmp_path / "file").write_text("")
    for place in ({"markdown": tmp_path / "file" / "r.md"}, {"pictures": tmp_path / "file" / "x"}):
        with pytest.raises(UserError, match="cannot be written: "):
            export_report(report, **place)
    with pytest.raises(UserError, match="cannot be written"):
        write_text("x", tmp_path)


def test_a_report_is_read_back_as_it_was_written(report, tmp_path):
    path = tmp_path / "report" / "report.json"
    path.parent.mkdir()
    path.write_text(report.to_json(), encoding="utf-8")
    assert read_report(tmp_path) == read_report(path)
    assert read_report(tmp_path).to_json() == report.to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"schema": "limbeck.report/1"}', "another version of limbeck"),
        ("{", "is damaged"),
        (json.dumps([1]), "is damaged"),
        ("{}", "is damaged"),
    ],
)
def test_a_report_that_cannot_be_read_is_said(tmp_path, text, message):
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_report(path)
