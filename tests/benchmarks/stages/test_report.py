"""What the reports of all tasks begin with."""

import json
from pathlib import Path

import pytest

from benchmarks.stages.report import gate_lines
from compress.progress import Progress
from compress.recipe_file import parse_recipe
from compress.stage import StageContext

RECIPE = """
name: tiny
task: {kind: text-label}
data: {source: {kind: table, train: x.csv}}
student: {kind: bert}
"""


@pytest.fixture
def lines_of(tmp_path):
    def lines(verdict):
        (tmp_path / "verdict.json").write_text(json.dumps(verdict))
        inputs = {"teacher-check": tmp_path}
        recipe = parse_recipe(RECIPE)
        return gate_lines(StageContext(recipe, Path(), tmp_path, inputs, Progress(), tmp_path))

    return lines


def test_a_teacher_that_should_not_have_taught_is_said(lines_of):
    verdict = {"teacher": 0.31, "majority-class": 0.05, "naive-bayes": 0.4125, "weak": True}
    (line,) = lines_of(verdict)
    assert "does not beat counting on validation macro-F1" in line
    assert "(0.3100; majority-class 0.0500, naive-bayes 0.4125)" in line
    assert "allow_weak_teacher" in line


def test_a_good_teacher_is_not_worth_a_line(lines_of):
    assert lines_of({"teacher": 0.5, "naive-bayes": 0.4, "weak": False}) == ()
