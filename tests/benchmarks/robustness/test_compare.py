"""What rows keep under a condition, and who lost more than the teacher."""

import numpy as np
import pytest

from benchmarks.report.shape import IntervalData
from benchmarks.resampling import Resampling
from benchmarks.robustness.compare import Condition, damage_data, kept_data, shift_data
from benchmarks.robustness.damage import Damage
from compress.metrics import bootstrap, mean_statistic

DRAWS = Resampling(200, 1)
RANDOM = np.random.default_rng(1)
TEACHER, STUDENT = RANDOM.random(60), RANDOM.random(60)


def condition(teacher, student, short_lists=()):
    named = {"teacher": teacher, "student": student}
    return Condition({name: mean_statistic(own) for name, own in named.items()}, dict(short_lists))


WHOLE = condition(TEACHER, STUDENT)


def test_each_row_is_held_against_itself_and_the_difference_against_the_teacher():
    """The teacher keeps 0.9 of every case, the student 0.6: -0.3, in every resample."""
    teacher, student = kept_data(condition(0.9 * TEACHER, 0.6 * STUDENT), WHOLE, DRAWS)
    assert (teacher.row, student.row) == ("teacher", "student")
    assert teacher.difference is None
    for found, value in ((teacher.kept, 0.9), (student.kept, 0.6), (student.difference, -0.3)):
        assert (found.value, found.low, found.high) == pytest.approx((value, value, value))
    plain = bootstrap({"m": mean_statistic(0.6 * STUDENT)}, DRAWS.resamples, DRAWS.seed)["m"]
    assert student.quality == IntervalData(value=plain.value, low=plain.low, high=plain.high)


def test_a_row_that_had_nothing_keeps_no_share_of_it():
    nothing = np.zeros(60)
    teacher, student = kept_data(condition(TEACHER, nothing), condition(TEACHER, nothing), DRAWS)
    assert teacher.kept.value == 1.0
    assert (student.kept, student.difference) == (None, None)
    teacher, student = kept_data(condition(nothing, STUDENT), condition(nothing, STUDENT), DRAWS)
    assert (teacher.kept, student.difference) == (None, None)
    assert student.kept.value == 1.0


def test_two_rows_that_find_nothing_are_not_said_to_lose_alike():
    nothing = np.zeros(60)
    teacher, student = kept_data(condition(nothing, nothing), WHOLE, DRAWS)
    assert teacher.kept.value == student.kept.value == 0.0
    assert student.difference is None
    _, student = kept_data(condition(nothing, STUDENT), WHOLE, DRAWS)
    assert student.difference.value == 1.0


def test_a_damage_says_what_it_was():
    damaged = condition(TEACHER, STUDENT, {"teacher": 3, "student": 4})
    found = damage_data(Damage("noise", 0.3), damaged, WHOLE, DRAWS, changed=59, targets_in_input=2)
    assert (found.kind, found.level, found.name) == ("noise", 0.3, "30% of events random")
    assert (found.changed, found.targets_in_input) == (59, 2)
    assert [one.short_lists for one in found.answers] == [3, 4]


def test_thirds_are_held_against_all_cases():
    """The teacher is right in the upper third alone; its mean over all is a third of that."""
    change = np.arange(60) / 10.0
    upper = (change > np.quantile(change, 2 / 3)).astype(float)
    found = shift_data(
        change, {"teacher": upper, "student": np.ones(60)}, DRAWS, training_events=7, test_events=8
    )
    assert [one.third for one in found.groups] == ["lower", "middle", "upper"]
    assert [one.cases for one in found.groups] == [20, 20, 20]
    lower, _, top = found.groups
    assert (lower.least, lower.greatest) == (0.0, 1.9)
    assert (lower.answers[0].kept.value, top.answers[0].kept.value) == (0.0, pytest.approx(3.0))
    assert top.answers[1].difference.value == pytest.approx(1.0 - 3.0)
    assert (found.training_events, found.test_events) == (7, 8)


def test_a_third_without_cases_is_left_out():
    found = shift_data(np.zeros(60), {"teacher": TEACHER}, DRAWS, training_events=1, test_events=1)
    assert [(one.third, one.cases) for one in found.groups] == [("lower", 60)]
