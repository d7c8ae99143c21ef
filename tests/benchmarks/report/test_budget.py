from dataclasses import replace

import pytest

from benchmarks.groups.data import ProtectVerdictData
from benchmarks.report.budget import budget_data
from benchmarks.report.build import build_report
from benchmarks.report.groups import protect_complaints
from benchmarks.report.terminal import complaints
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
    found = budget_data(Budget(), [artifact()], protect(1.0), data)
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
        "among both groups; the recipe allows 0.9. Groups of these sizes that are served alike lie "
    )


def test_the_metric_itself_can_be_protected(data):
    assert not budget_data(Budget(), [artifact()], protect(0.4, of="quality"), data)["met"]
    assert budget_data(Budget(), [artifact()], protect(0.6, of="quality"), data)["met"]


def test_what_cannot_be_judged_is_not_kept(data):
    found = budget_data(Budget(), [artifact()], protect(0.5, column="popularity"), data)
    assert not found["met"]
    (line,) = protect_complaints(found["protected"])
    assert line == (
        "protect: popularity (kept_quality) could not be judged of any file: fewer than two groups "
        "have at least 30 test cases, 10 of them found by the teacher."
    )


def test_a_file_that_was_not_measured_by_group_does_not_fit(data):
    engine = artifact("export/student.engine")
    found = budget_data(Budget(), [artifact(), engine], protect(1.0), data)
    assert found["fits"] == [FILE]
    unknown = found["protected"][1]
    assert (unknown["path"], unknown["reached"], unknown["met"]) == (engine["path"], None, False)
    assert unknown["because"] == "its quality was not measured on the test split"
    assert not list(protect_complaints(found["protected"]))
    assert not budget_data(Budget(), [engine], protect(1.0), data)["met"]


def test_a_refused_file_is_held_against_nothing(data):
    found = budget_data(Budget(), [artifact(usable=False)], protect(1.0), data)
    assert (found["protected"], found["met"]) == ([], False)


def test_other_limits_count_as_before(data):
    found = budget_data(Budget(megabytes=0.05), [artifact()], protect(1.0), data)
    assert (found["protected"][0]["met"], found["met"]) == (True, False)
    assert "protected" not in budget_data(Budget(), [artifact()])


def test_the_file_that_comes_closest_is_one_that_was_measured(data):
    artifacts = [artifact("export/student.engine"), artifact()]
    (line,) = protect_complaints(budget_data(Budget(), artifacts, protect(0.9), data)["protected"])
    assert f"{FILE} reaches 1 between" in line


@pytest.mark.parametrize("budget", [Budget(), Budget(megabytes=1.0), Budget(milliseconds=9.0)])
@pytest.mark.parametrize("protected", [[], protect(0.5), protect(0.5, column="popularity")])
@pytest.mark.parametrize("rows", [[], [artifact()], [artifact("a.engine")]])
@pytest.mark.parametrize("is_measured", [True, False])
def test_what_is_not_met_is_always_complained_of(data, budget, protected, rows, is_measured):
    """So that a run never ends well whose budget or protection could not be judged."""
    found = budget_data(budget, rows, protected, data if is_measured else None)
    report = {"artifacts": [], "not_written": [], "budget": found}
    report["recipe"] = {"protect": [one.model_dump() for one in protected]}
    asked = found["limits"] or protected
    assert bool(list(complaints(report))) == bool(asked and not found["met"])


def test_what_fails_the_run_is_complained_of_and_nothing_else(data):
    """A file that is too large is no reason where another one is small enough."""
    rows = [artifact(), artifact("large.onnx", size=2_000_000)]
    found = budget_data(Budget(megabytes=1.0), rows, protect(0.9), data)
    report = {"artifacts": [], "not_written": [], "budget": found, "recipe": {}}
    (line,) = complaints(report)
    assert line.startswith("protect")
    found = budget_data(Budget(megabytes=0.01), rows, protect(0.9), data)
    of_all = list(complaints({**report, "budget": found}))
    assert [one.split(":")[0] for one in of_all[:2]] == ["budget.megabytes"] * 2
    assert len(of_all) == 3


def test_the_whole_report_of_files_without_figures_by_group_complains(inputs):
    """As a run ends whose groups could not be measured."""
    recipe = inputs.recipe.model_copy(update={"protect": tuple(protect(0.5, "gender"))})
    report = build_report(replace(inputs, recipe=recipe, groups=None))
    assert not report.budget.met
    assert any(
        "gender (kept_quality) could not be judged of any file: its quality was not measured" in one
        for one in complaints(report.model_dump(mode="json", by_alias=True))
    )
