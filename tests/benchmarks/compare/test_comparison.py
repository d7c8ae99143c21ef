import json
import shutil

import pytest

from benchmarks.compare.comparison import Limits, compare_runs, signed_share
from benchmarks.compare.markdown import comparison_markdown
from benchmarks.compare.runs import open_run
from benchmarks.compare.view import compare_view
from benchmarks.report.build import build_report
from compress.errors import UserError

from .fabricated import FILE, change_report, write_run

HALF = range(50)
"""The base hits these of its 100 cases: NDCG@10 is 0.5."""


@pytest.fixture
def compare(inputs, tmp_path):
    """Compare a run with these hits with the base."""
    base = write_run(tmp_path / "base", inputs, HALF)

    def against_base(hits, limits=Limits(), **run):  # noqa: B008  # frozen
        other = write_run(tmp_path / "other", inputs, hits, **run)
        runs = [open_run(path.name, path) for path in (base, other)]
        return compare_runs(runs[0], runs[1:], limits)

    return against_base


def test_a_run_is_exactly_itself(compare):
    (one,) = compare(HALF).comparisons
    assert one.verdict == "not shown to be worse"
    for change in (one.file, one.teacher, one.student):
        assert change.method == "paired"
        assert (change.relative.value, change.relative.low, change.relative.high) == (0, 0, 0)
        assert change.size_ratio == 1
    assert one.same_cases is True
    assert one.failures == ()


def test_a_real_drop_fails(compare):
    found = compare(range(40))  # a fifth of the base's hits is lost: -20% [-32, -10]
    (one,) = found.comparisons
    assert one.verdict == "worse"
    assert one.file.relative.value == pytest.approx(-0.2)
    assert not found.passed
    (line,) = one.failures
    assert line.startswith(f"other: {FILE} changes NDCG@10 by −20.0% [−")
    assert line.endswith("1.0% is the largest drop allowed.")


def test_a_drop_within_the_limit_passes(compare):
    found = compare(range(40), Limits(max_drop=0.25))
    assert found.passed
    assert found.comparisons[0].verdict == "worse within the limit"


NOISY = (*range(6, 50), *range(60, 65))
"""49 hits: 6 of the base's are lost, 5 others are won. -2%, of which nobody can be sure."""


def test_a_noisy_drop_within_the_limit_is_not_shown(compare):
    found = compare(NOISY, Limits(max_drop=0.03))
    (one,) = found.comparisons
    assert found.passed
    assert one.verdict == "not shown to be worse"
    assert compare_view(found).title == "passed"
    assert one.file.relative.value == pytest.approx(-0.02)
    assert one.file.relative.low < -0.1 < 0 < one.file.relative.high


def test_a_noisy_drop_of_more_passes_undecided_and_says_how_large_it_may_be(compare):
    found = compare(NOISY)
    (one,) = found.comparisons
    assert found.passed
    assert one.verdict == "not decided"
    view = compare_view(found)
    assert view.title == "passed, not decided"
    most = f"{-one.file.relative.low:.1%}"
    assert view.sentences[0].endswith(
        f". A drop of up to {most} is not excluded; use --strict to fail such a run."
    )
    assert comparison_markdown(found).startswith("### ⚠️ limbeck compare: passed, not decided\n")


def test_strictly_a_noisy_drop_fails(compare):
    found = compare(NOISY, Limits(strict=True))
    (one,) = found.comparisons
    assert one.verdict == "not decided"
    assert compare_view(found).title == "failed"
    assert "use --strict" not in compare_view(found).sentences[0]
    assert not found.passed
    assert one.failures[0].endswith("a drop of more than 1.0% is not excluded (strict).")


def test_better_is_said(compare):
    found = compare(range(60))
    assert found.comparisons[0].verdict == "better"
    assert found.comparisons[0].file.relative.value == pytest.approx(0.2)


def test_over_other_cases_the_same_drop_is_not_shown(compare):
    (one,) = compare(range(40), dataset="another data set").comparisons
    assert one.file.method == "unpaired"
    assert one.same_cases is None  # the data sets themselves are not there
    assert one.verdict == "not decided"  # -20% [-41, +9]
    assert one.file.relative.low == pytest.approx(-0.41, abs=0.04)
    assert one.notes[0].startswith("The test cases cannot be told to be the same")


def test_runs_of_different_length_are_never_paired(compare):
    (one,) = compare(range(40), cases=80).comparisons
    assert one.file.method == "unpaired"
    assert one.file.relative.value == pytest.approx(0.0)


def test_a_copied_report_is_compared_by_its_published_intervals(inputs, tmp_path):
    base = write_run(tmp_path / "base", inputs, HALF)
    other = write_run(tmp_path / "other", inputs, range(40))
    alone = tmp_path / "alone.json"
    shutil.copy(other / "report" / "report.json", alone)
    found = compare_runs(open_run("base", base), [open_run("alone", alone)], Limits())
    (one,) = found.comparisons
    assert one.file.method == "published intervals"
    assert one.same_cases is None
    # 0.4 [0.3, 0.5] by 0.5 [0.4, 0.6], as in test_change.
    assert one.file.relative.low == pytest.approx((0.2 - 0.004**0.5) / 0.24 - 1)
    assert one.notes[0].startswith("The answers to the test cases are not all there")


def test_several_runs_are_each_held_against_the_first(inputs, tmp_path):
    hits = {"base": HALF, "worse": range(30), "same": HALF, "better": range(70)}
    runs = [open_run(name, write_run(tmp_path / name, inputs, one)) for name, one in hits.items()]
    found = compare_runs(runs[0], runs[1:], Limits())
    assert [one.verdict for one in found.comparisons] == [
        "worse",
        "not shown to be worse",
        "better",
    ]
    assert not found.passed


def test_sizes_are_exact(inputs, tmp_path):
    base = open_run("base", write_run(tmp_path / "base", inputs, HALF))
    write_run(tmp_path / "other", inputs, HALF)
    rows = {one.name: one for one in base.report.artifacts}
    artifacts = [one.model_dump(mode="json") for one in base.report.artifacts]
    artifacts[-1]["bytes"] = rows[FILE].bytes // 2
    change_report(tmp_path / "other", artifacts=artifacts)
    (one,) = compare_runs(base, [open_run("other", tmp_path / "other")], Limits()).comparisons
    assert one.file.size_ratio == 0.5


def test_what_differs_beside_the_figures_is_noted(inputs, tmp_path):
    base = write_run(tmp_path / "base", inputs, HALF)
    other = write_run(tmp_path / "other", inputs, HALF)
    change_report(other, recipe__task__history_length=20, environment__cores=64)
    runs = [open_run(path.name, path) for path in (base, other)]
    (one,) = compare_runs(runs[0], runs[1:], Limits()).comparisons
    assert one.notes[0] == "The recipes differ in task.history_length: 50 in base, 20 here."
    assert one.notes[1].startswith("The machines differ: cores ")
    assert one.notes[1].endswith(" and 64.")


def compare_with_changed_file(inputs, tmp_path, **changes):
    """Compare a run, whose file's entry in the report is changed, with the base."""
    base, other = (write_run(tmp_path / name, inputs, HALF) for name in ("base", "other"))
    artifacts = json.loads((other / "report" / "report.json").read_text())["artifacts"]
    artifacts[-1] |= changes
    change_report(other, artifacts=artifacts)
    return compare_runs(open_run("base", base), [open_run("other", other)], Limits(), FILE)


def test_a_file_that_its_run_refused_fails(inputs, tmp_path):
    refused = {"usable": False, "refused_because": "it returned a blocked item"}
    found = compare_with_changed_file(inputs, tmp_path, **refused)
    (one,) = found.comparisons
    sentence = f"other: {FILE} was refused by its own run: it returned a blocked item."
    assert not found.passed
    assert one.failures == (sentence,)
    assert sentence in one.notes


def test_a_file_that_breaks_its_own_budget_is_noted(inputs, tmp_path):
    base, other = (write_run(tmp_path / name, inputs, HALF) for name in ("base", "other"))
    report = json.loads((other / "report" / "report.json").read_text())
    verdict = {"limit": "megabytes", "path": report["best"], "allowed": 0.1, "reached": 0.2}
    budget = {"limits": {"megabytes": 0.1}, "verdicts": [verdict | {"met": False}]}
    change_report(other, budget=budget | {"fits": [], "met": False})
    found = compare_runs(open_run("base", base), [open_run("other", other)], Limits())
    assert f"other: {FILE} breaks its own budget (megabytes)." in found.comparisons[0].notes
    assert found.passed


def test_files_of_different_kinds_are_noted(inputs, tmp_path):
    (one,) = compare_with_changed_file(inputs, tmp_path, scheme="fp32").comparisons
    (note,) = [note for note in one.notes if "kind" in note]
    assert note.startswith("The files differ in kind: onnx int8-dynamic for ")
    assert ", onnx fp32 for " in note


def test_latencies_of_two_sessions_never_get_a_verdict(compare):
    (one,) = compare(HALF).comparisons
    assert one.speed is None
    assert "different sessions on equal machines, both quiet: 1.00 times" in one.notes[-1]
    assert one.notes[-1].endswith("without a verdict; --latency asks the files in turn.")


def test_latencies_of_a_noisy_session_are_not_even_held_together(inputs, tmp_path):
    base, other = (write_run(tmp_path / name, inputs, HALF) for name in ("base", "other"))
    artifacts = json.loads((other / "report" / "report.json").read_text())["artifacts"]
    artifacts[-1]["latency"]["quiet"] = False
    change_report(other, artifacts=artifacts)
    runs = [open_run(path.name, path) for path in (base, other)]
    (one,) = compare_runs(runs[0], runs[1:], Limits()).comparisons
    assert one.notes[-1].startswith("p90 was measured in different sessions, which gives no verd")


def test_runs_of_different_tasks_are_refused(inputs, text_label_inputs, tmp_path):
    base = open_run("base", write_run(tmp_path / "base", inputs, HALF))
    (tmp_path / "texts.json").write_text(build_report(text_label_inputs).to_json())
    texts = open_run("texts", tmp_path / "texts.json")
    with pytest.raises(UserError, match="texts cannot be compared with base: its task is text-l"):
        compare_runs(base, [texts], Limits())


def test_text_runs_are_compared_too(text_label_inputs, tmp_path):
    (tmp_path / "texts.json").write_text(build_report(text_label_inputs).to_json())
    runs = [open_run("texts", tmp_path / "texts.json")] * 2
    (one,) = compare_runs(runs[0], runs[1:], Limits()).comparisons
    assert one.file.relative.value == 0
    assert one.file.relative.low < 0 < one.file.relative.high


def test_a_base_that_finds_nothing_is_refused(inputs, tmp_path):
    base, other = (
        open_run(name, write_run(tmp_path / name, inputs, hits, half_width=0.0))
        for name, hits in (("base", ()), ("other", HALF))
    )
    with pytest.raises(UserError, match="has NDCG@10 0.0000, of which no relative change"):
        compare_runs(base, [other], Limits())


@pytest.mark.parametrize("limits", [{"max_drop": -0.1}, {"max_drop": 1.0}, {"max_slowdown": -1.0}])
def test_impossible_limits_are_refused(limits):
    with pytest.raises(UserError, match="write a share from 0"):
        Limits(**limits)


def test_shares_have_a_sign_and_a_real_minus():
    assert [signed_share(one) for one in (0.0123, -0.004, 0.0)] == ["+1.2%", "−0.4%", "0.0%"]


def test_one_run_is_no_comparison(inputs, tmp_path):
    base = open_run("base", write_run(tmp_path / "base", inputs, HALF))
    with pytest.raises(UserError, match="at least two runs"):
        compare_runs(base, [], Limits())
