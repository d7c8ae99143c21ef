from dataclasses import replace

import pytest

from benchmarks.report.build import Measured, build_report
from benchmarks.report.markdown import MOST_CHARACTERS, FoldedPart, report_markdown
from benchmarks.report.tables import Cell, Table


@pytest.fixture(scope="module")
def report(inputs):
    return build_report(inputs)


def test_the_headline_and_the_key_figures_come_first(report):
    title, _, headline, _, heads, _, *rows = report_markdown(report).splitlines()
    assert title == "### movielens-100k"
    assert headline.startswith("**onnx int8-dynamic keeps ")
    assert heads == (
        "| Model |  | NDCG@10, 95% | Kept, % of teacher | p50, ms | p90, ms | Size, MB | "
        "Memory, MB | Top 10 shared, % with the student |"
    )
    best = next(row for row in rows if row.startswith("| onnx int8-dynamic"))
    assert "| the one to ship | 0." in best
    assert best.endswith("| 0.388 | 60.0 | 97.2 |")


def test_every_measured_row_has_its_interval(report):
    text = report_markdown(report)
    for row in (report.teacher, report.student, *report.artifacts):
        found = row.quality["ndcg@10"]
        assert f"| {found.value:.4f} ({found.low:.4f}–{found.high:.4f}) |" in text


def test_the_budget_is_said_and_its_verdicts_are_folded(report):
    text = report_markdown(report)
    assert "Budget kept: Size at most 0.400 MB, p90 latency at most 2.00 ms" in text
    assert "| onnx fp32 | 0.512 MB (broken) |" in text


def test_it_ends_with_the_machine_and_the_command(report, inputs):
    *_, machine, command = report_markdown(report).splitlines()
    assert f"; Python {inputs.environment.python}" in machine
    assert command.startswith(
        "Again: `limbeck run recipe.yaml` with the run’s recipe.yaml, sha256 "
    )
    quick = report_markdown(build_report(replace(inputs, quick=True)))
    assert "`limbeck run recipe.yaml --quick`" in quick
    assert "> Quick measurement" in quick


def test_what_must_not_be_shipped_is_not_folded(every_format_inputs):
    report = build_report(every_format_inputs)
    shown = report_markdown(report).partition("<details>")[0]
    refused = [one for one in report.artifacts if one.refused_because]
    missing = [one for one in report.not_written if not one.optional]
    assert refused
    for one in refused:
        assert f"> Refused: {one.name} (" in shown
    for one in missing:
        assert f"> Not written: {one.name}." in shown


def test_a_hostile_name_stays_in_its_cell(inputs):
    last = inputs.measured[-1]
    row = replace(last.row, name="<img src=x>|`\n**x**")
    report = build_report(
        replace(inputs, measured=[*inputs.measured[:-1], Measured(row, last.statistics)])
    )
    assert "| &lt;img src=x&gt;\\|\\` \\*\\*x\\*\\* |" in report_markdown(report)


def test_texts_report_what_they_are_compared_by(text_label_inputs):
    text = report_markdown(build_report(text_label_inputs))
    assert "| Model |  | Macro-F1, 95% |" in text
    assert "Same answer, % with the student |" in text
    assert "<summary>Worth knowing about the data</summary>" in text
    assert "`limbeck run recipe.yaml --peers`" in text


def test_further_sections_are_folded_in_their_order(report):
    table = Table("", (("Loss", "%"),), (("teacher", (Cell("1.0"),)),))
    text = report_markdown(
        report, [FoldedPart("Robustness", ("It holds.",), tables=(table,)), FoldedPart("Roofline")]
    )
    assert "<summary>Robustness</summary>\n\nIt holds.\n\n| Model | Loss, % |" in text
    assert text.index("Robustness") < text.index("Roofline")


def test_it_fits_into_one_comment_whatever_there_is(report):
    long = FoldedPart("Too long", ("x" * MOST_CHARACTERS,))
    text = report_markdown(report, [long, FoldedPart("Short", ("y",))])
    assert len(text) <= MOST_CHARACTERS
    assert "<summary>Short</summary>" in text
    assert "In report.html beside these: Too long." in text
