"""What a reader of Markdown or CSV is told of groups: which they are, of what, and how sure."""

from dataclasses import replace

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.csv_tables import write_csv
from benchmarks.report.markdown import report_markdown
from benchmarks.report.page import render_page
from benchmarks.report.sections import folded_sections, further_sections
from compress.recipe import Protect

from ..groups_run import AREA, groups_data

SHIP = "student-fp32.onnx"


@pytest.fixture(scope="module")
def report(inputs):
    recipe = inputs.recipe.model_copy(update={"protect": (Protect(column="area", max_gap=0.5),)})
    return build_report(replace(inputs, recipe=recipe, groups=groups_data(12, path=SHIP)))


def test_every_table_of_groups_says_what_it_is_of(report):
    found = {part.title: part for part in folded_sections(report)}
    assert list(found)[-4:] == [
        "By group",
        "By group: Users, by area",
        "By group: Items that are looked for, by popularity",
        "By group: items that are shown",
    ]
    assert found["By group: Users, by area"].first == "Group"
    assert found["By group: items that are shown"].first == "Model"
    (protected,) = found["By group"].tables
    assert (found["By group"].first, protected.title) == ("File", "Protected")
    cells = {name: cells[0] for name, cells in protected.rows}
    assert cells["onnx fp32"].text == "100.0 points"
    assert cells["onnx fp32"].note == "broken: best north, worst south, among both groups"


def test_sentences_and_notes_of_the_page_are_in_markdown_too(report):
    section = further_sections(report)["groups"]
    text = report_markdown(report, folded_sections(report))
    page = render_page(report)
    for sentence in (*section.findings, *section.columns[0].sentences, *section.notes):
        words = sentence.split("<")[0].split("[")[0][:60]
        assert words in page
        assert words in text


def test_files_of_groups_are_named_by_what_they_hold(report, tmp_path):
    names = [file.name for file in write_csv(report, tmp_path, folded_sections(report))]
    assert names[-4:] == [
        "by-group-1.csv",
        "by-group-users-by-area-1.csv",
        "by-group-items-that-are-looked-for-by-popularity-1.csv",
        "by-group-items-that-are-shown-1.csv",
    ]


@pytest.mark.parametrize("column", ["../../etc/x", "a\\b", "Größe", "面"])
def test_a_column_of_the_users_words_names_a_file_in_the_folder(inputs, column, tmp_path):
    grouping = replace(AREA, column=column)
    report = build_report(replace(inputs, groups=groups_data(grouping=grouping)))
    files = write_csv(report, tmp_path / "csv", folded_sections(report))
    assert len(set(files)) == len(files)
    assert {file.parent for file in files} == {tmp_path / "csv"}
    assert all(file.is_file() for file in files)
