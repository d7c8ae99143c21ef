"""The gate: a teacher has to beat counting."""

import json
from pathlib import Path

import pytest

from compress.errors import CheckFailed
from compress.progress import Display, Progress
from compress.recipe import NextItemRecipe
from compress.stage import StageContext
from compress.stages.next_item.teacher import check_teacher
from compress.stages.validation_record import write_validation


class Messages(Display):
    def __init__(self):
        self.messages = []

    def said(self, message):
        self.messages.append(message)


@pytest.fixture
def check(tmp_path):
    def check(teacher, allow=False):
        for name, values in {
            "teacher": {"teacher": teacher},
            "baselines": {"popularity": 0.05, "co-occurrence": 0.11},
            "teacher-check": {},
        }.items():
            (tmp_path / name).mkdir(exist_ok=True)
            write_validation(tmp_path / name, values)
        recipe = NextItemRecipe.model_validate(
            {
                "name": "r",
                "data": {"source": {"kind": "movielens-100k"}},
                "teacher": {"kind": "text-sequence", "allow_weak_teacher": allow},
                "student": {"kind": "transformer"},
            }
        )
        display = Messages()
        inputs = {name: tmp_path / name for name in ("teacher", "baselines")}
        check_teacher(
            StageContext(
                recipe, Path(), tmp_path / "teacher-check", inputs, Progress(display), tmp_path
            )
        )
        verdict = json.loads((tmp_path / "teacher-check" / "verdict.json").read_text())
        return verdict, display.messages

    return check


def test_a_teacher_that_beats_both_passes(check):
    verdict, messages = check(0.12)
    assert verdict == {"teacher": 0.12, "popularity": 0.05, "co-occurrence": 0.11, "weak": False}
    assert messages == []


@pytest.mark.parametrize("value", [0.08, 0.11])
def test_one_that_does_not_stops_the_run_with_exit_code_1(check, value):
    with pytest.raises(CheckFailed, match="does not beat the co-occurrence baseline") as raised:
        check(value)
    assert raised.value.exit_code == 1
    assert "teacher.allow_weak_teacher: true" in str(raised.value)


def test_it_goes_on_when_the_recipe_allows_it_and_says_so(check):
    verdict, messages = check(0.08, allow=True)
    assert verdict["weak"]
    assert "Going on" in messages[0]
