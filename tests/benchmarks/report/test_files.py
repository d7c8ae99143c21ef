"""What the page says of each file."""

from dataclasses import replace

import pytest

from benchmarks.report.build import Measured, build_report
from benchmarks.report.csv_tables import verdicts_csv
from benchmarks.report.files import budget_table, file_rows, path_parts
from benchmarks.report.markdown import report_markdown
from benchmarks.report.page import render_page
from benchmarks.report.sections import folded_sections
from benchmarks.report.tables import measured_rows
from compress.recipe import Budget, Protect

from ..groups_run import groups_data


@pytest.fixture(scope="module")
def report(every_format_inputs):
    return build_report(every_format_inputs)


@pytest.fixture(scope="module")
def rows(report):
    return {row.name: row for row in file_rows(report)}


def with_details(inputs, details, sidecars=()):
    last = inputs.measured[-1]
    file = replace(last.row.file, details=details, sidecars=sidecars)
    changed = Measured(replace(last.row, file=file), last.statistics)
    return build_report(replace(inputs, measured=[*inputs.measured[:-1], changed]))


@pytest.mark.parametrize(
    ("name", "verdict", "checked"),
    [
        ("onnx fp32", "verified", "run"),
        ("onnx int8-static", "refused", "run"),
        ("coreml fp16 iOS17", "verified", "evaluated"),
        ("tensorrt-rtx fp16 sm86", "not run", "parsed"),
        ("litert fp16", "refused", "did not answer"),
    ],
)
def test_a_verdict_stands_beside_how_it_came_about(rows, name, verdict, checked):
    assert (rows[name].verdict, rows[name].checked.text) == (verdict, checked)


def test_what_answered_is_named_and_for_a_parsed_file_it_was_its_graph(rows):
    assert rows["onnx fp32"].checked.note == "ONNX Runtime 1.31.1 on the CPU"
    parsed = rows["tensorrt-rtx fp16 sm86"]
    assert parsed.checked.note == "its ONNX: ONNX Runtime 1.31.1 on the CPU"
    assert [(cell.text, cell.note) for cell in parsed.figures] == [
        ("–", "its ONNX 256"),
        ("–", "its ONNX 100.0"),
        ("–", "its ONNX 0.0021"),
    ]
    assert [cell.text for cell in rows["litert fp16"].figures] == ["–", "–", "–"]


def test_a_few_short_details_are_seen_and_the_rest_is_folded(rows):
    row = rows["coreml fp16 iOS17"]
    assert [str(fact) for fact in row.facts] == [
        "evaluated in 0.034 s each",
        "coremltools 9.0",
        "compute units CPU, GPU, Neural Engine",
        "shapes history 1 × 50",
    ]
    assert "weight 0.244 MB" in map(str, row.folded)
    assert "inspector" in [fact.name for fact in rows["tensorrt-rtx fp16 sm86"].folded]
    assert not [one for one in rows["tensorrt-rtx fp16 sm86"].folded if "graph" in one.name]
    beside = "beside it export/student.int8-dynamic.required_operators.config"
    assert beside in map(str, rows["ort int8-dynamic"].folded)


@pytest.mark.parametrize(
    ("details", "shown"),
    [
        ({"fallback": True}, ["fallback yes"]),
        ({"layers": 1234}, ["layers 1,234"]),
        ({"build_seconds": 9.231}, ["build seconds 9.23"]),
        ({"table_bytes": 5_140}, ["table 5.14 KB"]),
        ({"bytes": 2_462_332}, ["size 2.46 MB"]),
        ({"nothing": None, "empty": [], "blank": ""}, []),
    ],
)
def test_details_are_written_for_a_person(inputs, details, shown):
    *_, row = file_rows(with_details(inputs, details))
    assert [str(fact) for fact in row.facts] == shown


def test_a_path_breaks_after_a_slash_and_before_a_dot():
    parts = path_parts("export/student.int8.onnx")
    assert parts == ("export/", "student", ".int8", ".onnx")
    assert "".join(path_parts("/a//b..c")) == "/a//b..c"


def test_the_main_table_has_the_rows_with_figures_only(report):
    names = [row.name for row in measured_rows(report)]
    assert "coreml fp16 iOS17" in names
    assert "onnx int8-static" in names
    assert not [name for name in names if "tensorrt" in name or name == "litert fp16"]


def test_the_budget_has_a_row_a_file_and_a_column_a_limit(report):
    table = budget_table(report)
    assert table.headings == (
        ("Size", "at most 0.400 MB"),
        ("p90 latency", "at most 2.00 ms"),
        ("Teacher’s NDCG@10 kept", "at least 97.0%"),
    )
    rows = {name: (cells, fits) for name, cells, fits in table.rows}
    (size, p90, _), fits = rows["onnx fp32"]
    assert (size, p90, fits) == (("0.526 MB", False), ("0.056 ms", True), False)
    (_, p90, _), fits = rows["coreml fp16 iOS17"]
    assert (p90, fits) == (("–", None), False)
    assert rows["onnx int8-dynamic"][1]
    assert "onnx int8-static" not in rows


def test_without_limits_there_is_no_budget_table(inputs):
    free = inputs.recipe.model_copy(update={"budget": Budget()})
    report = build_report(replace(inputs, recipe=free))
    assert budget_table(report) is None
    assert "The recipe sets no budget." in render_page(report)


SHIP = "student-fp32.onnx"


def protecting(inputs, max_gap, budget=None):
    """A report of files of which one serves the south worse, by 100 points."""
    protect = (Protect(column="area", max_gap=max_gap),)
    changed = {"protect": protect, "budget": budget or Budget()}
    recipe = inputs.recipe.model_copy(update=changed)
    return build_report(replace(inputs, recipe=recipe, groups=groups_data(path=SHIP)))


def test_what_is_protected_is_a_column_of_the_budget(inputs):
    report = protecting(inputs, 0.5)
    table = budget_table(report)
    assert table.headings == (("Gap by area, the kept share of NDCG@10", "at most 50.0 points"),)
    rows = {name: (cells, fits) for name, cells, fits in table.rows}
    assert rows["onnx fp32"] == ((("100.0 points among both groups", False),), False)
    assert rows["onnx int8-dynamic"] == ((("–", None),), False)
    page = render_page(report)
    assert "The recipe sets no budget." not in page
    assert '<span class="falls">100.0 points among both groups</span>' in page


def test_a_file_that_keeps_all_limits_and_breaks_what_is_protected_is_broken(inputs):
    report = protecting(inputs, 0.5, Budget(megabytes=1.0))
    files = render_page(report).partition('<section id="files">')[2]
    row = files[files.index("<h3>Budget</h3>") :].partition("onnx fp32")[2].partition("</tr>")[0]
    assert '<span class="broken">broken</span>' in row
    kept = protecting(inputs, 1.0, Budget(megabytes=1.0))
    assert kept.budget.fits == (SHIP,)


def test_markdown_and_csv_tell_what_is_protected(inputs):
    report = protecting(inputs, 0.5)
    text = report_markdown(report, folded_sections(report))
    assert (
        "Budget **not** kept: Gap by area, the kept share of NDCG@10 at most 50.0 points." in text
    )
    assert "| onnx fp32 | 100.0 points among both groups (broken) | no |" in text
    *_, line, _ = verdicts_csv(report).splitlines()
    assert line.startswith(f"protect.area.kept_quality,{SHIP},0.5,")
    assert line.endswith(",false")


def test_the_page_says_what_was_not_written_and_what_the_ways_of_checking_mean(report, inputs):
    page = " ".join(render_page(report).split())
    files = page[page.index('<section id="files">') :]
    assert "<strong>tensorrt fp16 this-gpu</strong> (optional): takes an NVIDIA GPU" in files
    assert "<em>Evaluated</em>" in files
    assert "<em>Parsed</em>" in files
    head = page[: page.index('data-figure="trade-off"')]
    assert "Not written: tensorrt-rtx fp16 sm61." in head
    assert "this-gpu" not in head
    plain = render_page(build_report(inputs))
    for absent in ("<em>Evaluated</em>", "<em>Parsed</em>", "Not written"):
        assert absent not in plain
