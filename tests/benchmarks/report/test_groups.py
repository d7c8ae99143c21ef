"""The first sentence says what was found, and nothing that an interval does not support."""

import re

import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from benchmarks.groups.data import ProtectVerdictData
from benchmarks.report.budget import budget_data
from benchmarks.report.groups import groups_section
from compress.recipe import Budget, Protect

from ..groups_run import FILE, groups_data


@pytest.fixture(scope="module")
def data():
    return groups_data(minimum_cases=12)


def protected(data, max_gap):
    artifact = {"path": FILE, "usable": True, "bytes": 1, "latency": None, "kept_quality": None}
    limits = [Protect(column="area", max_gap=max_gap)]
    found = budget_data(Budget(), [artifact], limits, data)["protected"]
    return [ProtectVerdictData.model_validate(one) for one in found]


def test_the_first_sentence_says_where_the_file_widens_the_gap(data):
    wider = next(one for one in data.columns if one.column == "area").models[2].wider
    (finding,) = groups_section(data, FILE).findings
    assert finding.startswith(
        "The NDCG@10 gap between the best and the worst group is wider in onnx fp32 than in its "
        f"teacher by area +0.500 [+{wider.low:.3f}, +{wider.high:.3f}]"
    )
    assert "no other is shown to differ: by item popularity" in finding


def test_without_a_file_to_ship_the_student_is_spoken_of(data):
    (finding,) = groups_section(data, None).findings
    assert finding.startswith("No gap between groups is shown to be wider in student than in its")


def test_a_broken_protection_comes_first(data):
    findings = groups_section(data, FILE, protected(data, 0.5)).findings
    assert findings[0] == (
        "What the recipe protects is not kept: by area the kept share of NDCG@10 differs by "
        "100.0 points, 50.0 points is allowed."
    )
    assert not groups_section(data, FILE, protected(data, 1.0)).findings[0].startswith("What the")


def test_a_difference_is_called_one_only_beyond_chance(data):
    area = groups_section(data, FILE).columns[0]
    assert "keeps 0.0% (south) to 100.0% (north) of the teacher’s NDCG@10" in area.sentences[0]
    assert "100.0 points apart among both groups; served alike, groups" in area.sentences[0]
    assert "so chance does not explain it" in area.sentences[0]
    student = groups_section(data, None).columns[0]
    assert "so no difference between groups is shown" in student.sentences[0]


def test_tables_have_a_row_a_group_and_small_ones_say_so(data):
    table = groups_section(data, FILE).columns[0].table
    assert [name for name, _ in table.rows] == ["north", "south", "unknown"]
    assert table.rows[2][1][0].note == "under 12: not judged"
    assert {len(cells) for _, cells in table.rows} == {len(table.headings)}
    shown = groups_section(data, FILE).shown
    assert {len(cells) for _, cells in shown.rows} == {len(shown.headings)}
    assert [name for name, _ in shown.rows][3:] == ["student − teacher", "onnx fp32 − teacher"]


def test_groups_of_which_nothing_is_said_are_counted(data):
    area = groups_section(data, FILE).columns[0]
    assert not any("Too few" in sentence for sentence in area.sentences)
    popularity = groups_section(data, FILE).columns[1]
    assert "among 2 of 3 groups" in popularity.sentences[0]


def test_tests_and_comparisons_are_counted(data):
    notes = " ".join(groups_section(data, FILE).notes)
    assert "With 4 tests of a file" in notes
    assert "out below p = 0.013" in notes
    assert "are 2 comparisons" in notes
    assert "about 0.1 of them would still exclude 0" in notes


def test_groups_too_small_to_judge_are_said_to_say_nothing():
    (finding,) = groups_section(groups_data(minimum_cases=500), FILE).findings
    assert finding.startswith("No two groups have at least 500 test cases")


def test_the_page_holds_every_text_escaped(data):
    environment = Environment(
        loader=PackageLoader("benchmarks.report"), autoescape=True, undefined=StrictUndefined
    )
    area = data.columns[0].model_copy(update={"column": "<area>"})
    changed = data.model_copy(update={"columns": (area, *data.columns[1:])})
    section = groups_section(changed, FILE, protected(data, 0.5))
    page = environment.get_template("groups.html.j2").render(groups=section)
    assert "Users, by &lt;area&gt;" in page
    assert "<area>" not in page
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    for sentence in (*section.findings, *section.shown_sentences, *section.notes):
        assert sentence.split("<")[0][:40] in text
    assert '<span class="falls">100.0 points</span>' in page
