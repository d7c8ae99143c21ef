"""Known answers: who finds what in which group is known by construction."""

import numpy as np
import pytest

from benchmarks.groups.data import GroupsData
from benchmarks.groups.exposure import Training
from benchmarks.groups.measure import measure_groups
from benchmarks.resampling import Resampling
from compress.metrics import bootstrap

from ..groups_run import AREA, FILE, TARGETS, TRAINING, groups_data, models


@pytest.fixture(scope="module")
def data():
    return groups_data()


def column(data, name):
    (found,) = (one for one in data.columns if one.column == name)
    return found


def test_groups_are_counted_and_the_unknown_are_not_judged(data):
    groups = [(one.name, one.cases, one.judged) for one in column(data, "area").groups]
    assert groups == [("north", 60, True), ("south", 50, True), ("unknown", 10, False)]


def test_unknown_users_are_not_judged_however_many_they_are():
    (*_, unknown) = column(groups_data(minimum_cases=5), "area").groups
    assert not unknown.judged


def test_quality_of_each_group_is_the_mean_over_its_cases(data):
    teacher, student, file = column(data, "area").models
    assert (teacher.quality["north"].value, teacher.quality["south"].value) == (0.5, 0.5)
    assert (file.quality["north"].value, file.quality["south"].value) == (0.5, 0.0)
    assert file.path == FILE


def test_a_small_group_has_its_figure_and_no_interval(data):
    found = column(data, "area").models[1].quality["unknown"]
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert "unknown" not in column(data, "area").models[1].kept_quality


def test_kept_quality_is_the_share_of_the_teachers(data):
    teacher, student, file = column(data, "area").models
    assert teacher.kept_quality is None
    assert {name: one.value for name, one in file.kept_quality.items()} == {"north": 1, "south": 0}
    assert student.kept_quality["north"].value == pytest.approx(1)
    # The student finds the very cases that the teacher does not.
    assert student.kept_quality["north"].low < 0.9 < 1.1 < student.kept_quality["north"].high


def test_the_gap_is_between_the_best_and_the_worst_and_beyond_chance(data):
    _, student, file = column(data, "area").models
    gap = file.kept_gap
    assert (gap.value, gap.best, gap.worst) == (pytest.approx(1.0), "north", "south")
    # Two ways of grouping, two tests each: 5% / 4, in twentieths of which p is counted.
    assert data.level == pytest.approx(0.0125)
    assert gap.p == pytest.approx(1 / 1601)
    assert gap.by_chance.high < 1.0
    assert student.kept_gap.p > 0.5


def test_groups_that_are_not_judged_are_named(data):
    gap = column(data, "area").models[2].kept_gap
    assert (gap.judged, gap.not_judged) == (2, ())
    data = groups_data(minimum_cases=12)
    popularity = column(data, "popularity")
    assert [(one.name, one.cases, one.teacher_finds) for one in popularity.groups] == [
        ("head", 12, 6),
        ("middle", 0, 0),
        ("tail", 108, 54),
    ]
    student = popularity.models[1]
    assert (student.quality_gap.judged, student.quality_gap.not_judged) == (2, ("middle",))


def test_a_group_in_which_the_teacher_finds_a_handful_has_no_kept_share():
    """Head: 12 cases, 6 of them found."""
    data = groups_data(minimum_cases=12)
    student = column(data, "popularity").models[1]
    assert data.minimum_finds == 10
    assert set(student.kept_quality) == {"tail"}
    assert student.kept_gap is None


def test_a_file_that_serves_one_group_worse_is_shown_to_widen_the_gap(data):
    teacher, student, file = column(data, "area").models
    assert file.wider.value == pytest.approx(0.5)
    assert file.wider.low > 0
    assert student.wider.low < 0 < student.wider.high
    assert teacher.wider is None


def test_figures_of_one_group_are_those_of_the_report():
    """With everybody in one group: the same resamples, so the same interval to the last digit."""
    everybody = type(AREA)("all", ("all",), np.zeros(len(TARGETS), np.int64))
    own = models()
    found = measure_groups(
        own, [everybody], TARGETS, TRAINING, metric="ndcg@10", minimum_cases=1,
        resampling=Resampling(200, 7),
    )  # fmt: skip
    expected = bootstrap({"x": own[0].evaluation.statistics()["ndcg@10"]}, 200, 7)["x"]
    group = found.columns[0].models[0].quality["all"]
    assert (group.value, group.low, group.high) == pytest.approx(
        (expected.value, expected.low, expected.high)
    )
    assert found.columns[0].models[1].kept_gap is None


def test_test_cases_are_grouped_by_the_popularity_of_what_is_looked_for(data):
    found = column(data, "popularity")
    assert found.of == "items"
    # Three rounds through 40 items: 4 that draw 400 of 820 events, 16 with 320, 20 with 100.
    assert [(one.name, one.cases) for one in found.groups] == [
        ("head", 12),
        ("middle", 0),
        ("tail", 108),
    ]


def test_exposure_by_hand(data):
    exposure = data.exposure
    assert exposure.items == {"head": 4, "middle": 0, "tail": 36}
    assert exposure.training_events["head"] == pytest.approx(400 / 820)
    assert exposure.targets == {"head": pytest.approx(0.1), "middle": 0, "tail": pytest.approx(0.9)}
    teacher, student, file = exposure.models
    assert teacher.against_teacher is None
    # First places go to the 20 even items, 6 each; the other nine to all alike, 27 each: of two
    # items, one time in two the amounts differ by 6 of 30 on average.
    assert (teacher.coverage.value, teacher.coverage.high) == (1, 1)
    assert teacher.gini.value == pytest.approx(0.5 * 6 / (2 * 30))
    assert teacher.shares["head"].value == pytest.approx(0.1, abs=0.01)
    assert set(file.against_teacher) == {"head", "middle", "tail", "novelty", "coverage", "gini"}
    apart = file.novelty.value - teacher.novelty.value
    assert file.against_teacher["novelty"].value == pytest.approx(apart)


def test_what_is_published_can_be_read_again(data):
    assert GroupsData.model_validate_json(data.model_dump_json()) == data


def test_without_groups_large_enough_nothing_is_judged():
    data = groups_data(minimum_cases=1000)
    for found in data.columns:
        assert all(one.quality_gap is one.kept_gap is one.wider is None for one in found.models)


def test_training_counts_events_and_users():
    """User 0 trains on items 2, 2, 3; user 1 on nothing; user 2 on 3."""
    found = Training.of(np.array([0, 3, 3, 4]), np.array([2, 2, 3, 3], np.int32), items=3)
    assert (found.events.tolist(), found.item_users.tolist(), found.users) == (
        [2, 2, 0],
        [1, 2, 0],
        2,
    )


def test_the_teacher_comes_first():
    with pytest.raises(ValueError, match="teacher"):
        measure_groups(
            models()[1:], [], TARGETS, TRAINING, metric="ndcg@10", minimum_cases=1,
            resampling=Resampling(10, 1),
        )  # fmt: skip
