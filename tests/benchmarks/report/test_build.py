import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from benchmarks.measurement import CheckFigures
from benchmarks.report.build import Measured, ReportInputs, build_report
from benchmarks.report.data import ReportData
from compress.metrics import mean_statistic
from compress.recipe import Budget

DOCS = Path(__file__).parents[3] / "docs"
DOCUMENTATION = (DOCS / "report.md", DOCS / "benchmarks.md")
WORD = re.compile(r"[a-z0-9_]+")
METRICS = {f"{name}@{k}" for name in ("hit", "recall", "ndcg", "mrr") for k in (10, 20)}


@pytest.fixture(scope="module")
def report(inputs) -> dict:
    return json.loads(build_report(inputs).to_json())


def with_artifact(inputs: ReportInputs, **changes: object) -> ReportInputs:
    """The same run with its last artifact's file changed."""
    last = inputs.measured[-1]
    file = replace(last.row.file, **changes)
    return replace(
        inputs,
        measured=[*inputs.measured[:-1], Measured(replace(last.row, file=file), last.statistics)],
    )


def with_budget(inputs: ReportInputs, **limits: float) -> ReportInputs:
    recipe = inputs.recipe.model_copy(update={"budget": Budget(**limits)})
    return replace(inputs, recipe=recipe)


def test_the_file_has_the_documented_shape(report):
    assert set(report) == {
        "schema",
        "task",
        "metric",
        "headline",
        "recipe",
        "recipe_hash",
        "quick",
        "protocol",
        "warnings",
        "counts",
        "baselines",
        "teacher",
        "student",
        "student_without_teacher",
        "distillation_gain",
        "artifacts",
        "not_written",
        "peers",
        "peer_comparisons",
        "peer_routes",
        "peers_not_measured",
        "best",
        "budget",
        "groups",
        "scenarios",
        "browser",
        "roofline",
        "robustness",
        "curves",
        "environment",
        "timings_s",
    }
    assert json.loads(ReportData.model_validate(report).to_json()) == report


def test_the_documentation_names_every_field():
    documentation = "".join(file.read_text(encoding="utf-8") for file in DOCUMENTATION)
    named = {
        name for span in re.findall(r"`[^`\n]+`", documentation) for name in WORD.findall(span)
    }
    shape = ReportData.model_json_schema()
    fields = {
        name for part in (shape, *shape["$defs"].values()) for name in part.get("properties", {})
    }
    assert {"schema", "kept_quality", "p99_9_ms", "p90_ratio", "support"} <= fields
    assert fields <= named


def test_every_row_has_the_same_fields(report):
    rows = [
        *report["baselines"],
        report["teacher"],
        report["student"],
        report["student_without_teacher"],
    ]
    assert len(rows) == 5
    assert len({tuple(row) for row in rows}) == 1
    for row in (*rows, *report["artifacts"]):
        assert row["bytes"] > 0
        assert set(row["quality"]) == set(row["quality_unmasked"]) == METRICS
        assert set(row["quality"]["ndcg@10"]) == {"value", "low", "high"}
        assert {"scenario", "threads", "queries", "p50_ms", "p90_ms", "p95_ms"} <= set(
            row["latency"]
        )


def test_artifacts_say_which_file_they_are(report):
    names = {
        "path",
        "format",
        "scheme",
        "target",
        "bytes",
        "sha256",
        "usable",
        "refused_because",
        "load_ms",
        "peak_rss_mb",
        "latency",
        "quality",
        "fidelity",
    }
    for artifact in report["artifacts"]:
        assert names <= set(artifact)
        fidelity = artifact["fidelity"]
        assert set(fidelity) == {"measure", "teacher", "student", "max_abs_difference"}
        assert fidelity["measure"] == "overlap@10"


def test_percentiles_without_enough_queries_are_not_there(report):
    assert "p99_ms" in report["teacher"]["latency"]  # 1,024 queries: p99 needs 662...
    assert "p99_9_ms" not in report["teacher"]["latency"]  # ...p99.9 needs 6,636
    assert "p99_9_ms" in report["student"]["latency"]


def test_few_queries_mark_p95_as_unsupported(inputs):
    teacher = inputs.measured[2]
    few = replace(teacher.row.latency, queries=64, p99_ms=None)
    measured = list(inputs.measured)
    measured[2] = Measured(replace(teacher.row, latency=few), teacher.statistics)
    row = build_report(replace(inputs, measured=measured)).teacher
    assert row.latency.unsupported == ("p95",)


def test_distillation_gain_is_student_minus_student_without_teacher(report):
    gain, metric = report["distillation_gain"], "ndcg@10"
    difference = (
        report["student"]["quality"][metric]["value"]
        - report["student_without_teacher"]["quality"][metric]["value"]
    )
    assert gain["metric"] == metric
    assert gain["value"] == pytest.approx(difference)
    assert gain["low"] <= gain["value"] <= gain["high"]


def test_kept_quality_is_relative_to_the_teacher(report):
    artifact = report["artifacts"][-1]
    share = (
        artifact["quality"]["ndcg@10"]["value"] / report["teacher"]["quality"]["ndcg@10"]["value"]
    )
    assert artifact["kept_quality"]["value"] == pytest.approx(share)
    assert report["teacher"]["kept_quality"] is None


def test_headline_says_what_was_kept_and_what_it_costs(report):
    kept = report["artifacts"][-1]["kept_quality"]
    assert report["headline"] == (
        f"onnx int8-dynamic keeps {kept['value'] * 100:.1f}% "
        f"[{kept['low'] * 100:.1f}, {kept['high'] * 100:.1f}] of the teacher’s NDCG@10 "
        "at 1/41 of its size and 1/114 of its p90 latency."
    )


def test_budget_names_the_files_that_fit(report):
    assert report["budget"]["fits"] == ["student-int8-dynamic.onnx"]
    assert report["budget"]["met"]
    assert report["best"] == "student-int8-dynamic.onnx"
    too_big = [one for one in report["budget"]["verdicts"] if not one["met"]]
    assert [(one["limit"], one["path"]) for one in too_big] == [("megabytes", "student-fp32.onnx")]


@pytest.mark.parametrize(
    ("limit", "just_kept", "just_broken"),
    [
        ("megabytes", 0.388, 0.3879),
        ("milliseconds", 0.17 * 1.06, 0.17),
        ("kept_quality", 0.90, 1.0),
    ],
)
def test_each_limit_is_kept_and_broken_on_the_right_side(inputs, limit, just_kept, just_broken):
    for allowed, met in ((just_kept, True), (just_broken, False)):
        budget = build_report(with_budget(inputs, **{limit: allowed})).budget
        (verdict,) = [one for one in budget.verdicts if one.path == "student-int8-dynamic.onnx"]
        assert (verdict.limit, verdict.met) == (limit, met)


def test_a_broken_budget_is_in_the_headline(inputs):
    report = build_report(with_budget(inputs, megabytes=0.1))
    assert not report.budget.met
    assert report.headline.endswith(", but it breaks the budget.")


def test_a_refused_file_never_fits_and_is_never_the_best(inputs):
    report = build_report(
        with_artifact(inputs, usable=False, refused_because="overlap 0.61, 0.9 wanted")
    )
    assert report.budget.fits == ()
    assert report.best == "student-fp32.onnx"
    assert report.artifacts[-1].refused_because == "overlap 0.61, 0.9 wanted"


def test_a_refused_file_that_could_not_run_has_no_figures(inputs):
    refused = with_artifact(inputs, usable=False, refused_because="it crashed").measured[-1]
    silent = replace(refused.row.file, check=CheckFigures(0, None, None, None, None))
    gone = Measured(
        replace(refused.row, latency=None, quality=None, fidelity=None, file=silent), None
    )
    report = build_report(replace(inputs, measured=[*inputs.measured[:-2], gone]))
    assert report.artifacts[0].quality is None
    assert report.best is None
    assert report.headline == "No artifact is usable: see why each one was refused."


def test_a_teacher_that_finds_nothing_leaves_no_ratio(inputs):
    teacher = inputs.measured[2]
    units = teacher.statistics["ndcg@10"].units
    nothing = dict.fromkeys(teacher.statistics, mean_statistic(np.zeros(units)))
    measured = list(inputs.measured)
    measured[2] = Measured(teacher.row, nothing)
    report = build_report(replace(inputs, measured=measured))
    assert report.artifacts[-1].kept_quality is None
    assert "replaces the teacher" in report.headline


def test_a_report_needs_each_of_its_rows_once(inputs):
    with pytest.raises(ValueError, match="one teacher, got 0"):
        build_report(
            replace(inputs, measured=[one for one in inputs.measured if one.row.role != "teacher"])
        )
    with pytest.raises(ValueError, match="one student, got 2"):
        build_report(replace(inputs, measured=[*inputs.measured, inputs.measured[3]]))


@pytest.mark.parametrize("damage", [{"surprise": 1}, {"schema": "other/9"}, {"teacher": None}])
def test_another_shape_is_refused(report, damage):
    with pytest.raises(ValidationError):
        ReportData.model_validate(report | damage)


def test_numbers_that_json_cannot_hold_are_refused(report):
    with pytest.raises(ValidationError):
        ReportData.model_validate(report | {"timings_s": {"teacher": float("nan")}})


# -------------------------------------------------------------------------------- every format


@pytest.fixture(scope="module")
def of_every_format(every_format_inputs) -> dict:
    return json.loads(build_report(every_format_inputs).to_json())


def artifact(report: dict, name: str) -> dict:
    (found,) = [one for one in report["artifacts"] if one["name"] == name]
    return found


def only(inputs: ReportInputs, *names: str) -> ReportInputs:
    """The same run with these files alone."""
    kept = [one for one in inputs.measured if one.row.role != "artifact" or one.row.name in names]
    return replace(inputs, measured=kept)


def test_a_report_of_every_format_keeps_its_shape(of_every_format):
    found = ReportData.model_validate(of_every_format)
    assert json.loads(found.to_json()) == of_every_format
    assert len({tuple(one) for one in of_every_format["artifacts"]}) == 1


def test_an_evaluated_file_has_quality_without_latency(of_every_format):
    found = artifact(of_every_format, "coreml fp16 iOS17")
    assert (found["usable"], found["checked"]) == (True, "evaluated")
    assert found["checked_with"] == "coremltools 9.0, value inference of its MIL program"
    assert found["quality"]["ndcg@10"]["value"] > 0
    assert found["kept_quality"] is not None
    assert found["latency"] is found["load_ms"] is found["peak_rss_mb"] is None
    assert found["check"] == {
        "cases": 256,
        "agreement": 0.9988,
        "max_abs_difference": 0.0041,
        "max_regret": pytest.approx(0.0041 / 3),
        "seconds_per_example": 0.034,
    }


def test_a_parsed_file_is_neither_usable_nor_refused(of_every_format):
    found = artifact(of_every_format, "tensorrt-rtx fp16 sm86")
    assert found["checked"] == "parsed"
    assert (found["usable"], found["refused_because"]) == (False, None)
    assert found["quality"] is found["latency"] is found["kept_quality"] is None
    assert found["check"]["agreement"] is None


def test_details_keep_their_types(of_every_format):
    details = artifact(of_every_format, "coreml fp16 iOS17")["details"]
    assert details["compute_units"] == ["CPU", "GPU", "Neural Engine"]
    assert details["flexible_shapes"] is False
    assert details["operations"] == 214
    assert details["coremltools"] == "9.0"
    assert artifact(of_every_format, "tensorrt-rtx fp16 sm86")["details"]["build_seconds"] == 9.231


def test_files_that_could_not_be_written_say_why(of_every_format):
    optional, needed = of_every_format["not_written"]
    assert optional == {
        "name": "tensorrt fp16 this-gpu",
        "format": "tensorrt",
        "scheme": "fp16",
        "because": "takes an NVIDIA GPU, and there is none",
        "optional": True,
    }
    assert needed["optional"] is False


def test_only_what_was_measured_of_a_usable_file_is_judged(of_every_format):
    judged: dict[str, set[str]] = {}
    for verdict in of_every_format["budget"]["verdicts"]:
        judged.setdefault(verdict["path"], set()).add(verdict["limit"])
    every = {"megabytes", "milliseconds", "kept_quality"}
    for one in of_every_format["artifacts"]:
        wanted = every if one["checked"] == "run" else every - {"milliseconds"}
        assert judged.get(one["path"], set()) == (wanted if one["usable"] else set())


def test_a_file_that_was_not_timed_does_not_fit_a_budget_of_milliseconds(every_format_inputs):
    core_ml = only(every_format_inputs, "coreml fp16 iOS17")
    assert build_report(with_budget(core_ml, megabytes=1, milliseconds=5)).budget.fits == ()
    by_size = build_report(with_budget(core_ml, megabytes=1))
    assert by_size.budget.fits == ("export/student.fp16.iOS17.mlpackage",)
    assert by_size.best is None


def test_the_best_file_has_both_figures_though_a_smaller_one_was_evaluated(of_every_format):
    smallest = min(of_every_format["artifacts"], key=lambda one: one["bytes"])
    assert smallest["name"] == "coreml palettized-4 iOS17"
    assert of_every_format["best"] == "export/student.int8-dynamic.tflite"


def test_a_best_file_outside_the_budget_is_said_though_another_fits(every_format_inputs):
    two = only(every_format_inputs, "onnx fp32", "coreml fp16 iOS17")
    report = build_report(with_budget(two, megabytes=0.3))
    assert report.budget.met
    assert report.best == "export/student.fp32.onnx"
    assert report.headline.endswith(", but it breaks the budget.")


@pytest.mark.parametrize(
    ("names", "headline"),
    [
        (["coreml fp16 iOS17"], "could not be timed on this machine."),
        (["tensorrt-rtx fp16 sm86", "litert fp16"], "No file could be run on this machine"),
        (["litert fp16"], "No artifact is usable"),
        ([], "No file could be written"),
    ],
)
def test_without_a_best_file_the_headline_says_why(every_format_inputs, names, headline):
    assert headline in build_report(only(every_format_inputs, *names)).headline
