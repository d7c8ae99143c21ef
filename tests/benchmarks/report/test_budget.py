import pytest

from benchmarks.groups.data import ProtectVerdictData
from benchmarks.report.budget import budget_data
from benchmarks.report.groups import protect_complaints
from compress.recipe import Budget, Protect

from ..groups_run import FILE, groups_data


@pytest.fixture(scope="module")
def data():
    return groups_data()


def artifact(path=FILE, *, usable=True, size=100_000):
    return {"path": path, "usable": usable, "bytes": size, "latency": None, "kept_quality": None}


def protect(max_gap, column="area", of="kept_quality"):
    return [Protect(column=column, of=of, max_gap=max_gap)]


def test_a_gap_within_the_limit_is_kept_and_the_file_fits(data):
    found = budget_data(Budget(), [artifact()], protect(1.1), data)
    (verdict,) = map(ProtectVerdictData.model_validate, found["protected"])
    assert (verdict.met, verdict.best, verdict.worst) == (True, "north", "south")
    assert verdict.reached == pytest.approx(1.0)
    assert (found["fits"], found["met"]) == ([FILE], True)


def test_a_gap_beyond_the_limit_breaks_the_budget(data):
    found = budget_data(Budget(megabytes=1.0), [artifact()], protect(0.9), data)
    assert (found["fits"], found["met"]) == ([], False)
    (line,) = protect_complaints(found["protected"])
    assert line.startswith(
        f"protect: area (kept_quality): {FILE} reaches 1 between north (best) and south (worst), "
        "the recipe allows 0.9. Groups of these sizes dealt at random lie "
    )


def test_the_metric_itself_can_be_protected(data):
    assert not budget_data(Budget(), [artifact()], protect(0.4, of="quality"), data)["met"]
    assert budget_data(Budget(), [artifact()], protect(0.6, of="quality"), data)["met"]


def test_what_cannot_be_judged_is_not_kept(data):
    found = budget_data(Budget(), [artifact()], protect(0.5, column="popularity"), data)
    assert not found["met"]
    (line,) = protect_complaints(found["protected"])
    assert line == (
        "protect: popularity (kept_quality) could not be judged: fewer than two groups have at "
        "least 30 test cases in which the teacher finds anything."
    )


def test_a_file_that_was_not_measured_by_group_does_not_fit(data):
    engine = artifact("export/student.engine")
    found = budget_data(Budget(), [artifact(), engine], protect(1.1), data)
    assert found["fits"] == [FILE]
    assert not budget_data(Budget(), [engine], protect(1.1), data)["met"]


def test_a_refused_file_is_held_against_nothing(data):
    found = budget_data(Budget(), [artifact(usable=False)], protect(1.1), data)
    assert (found["protected"], found["met"]) == ([], False)


def test_other_limits_count_as_before(data):
    found = budget_data(Budget(megabytes=0.05), [artifact()], protect(1.1), data)
    assert (found["protected"][0]["met"], found["met"]) == (True, False)
    assert "protected" not in budget_data(Budget(), [artifact()])
