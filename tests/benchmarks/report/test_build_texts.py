"""Reports of tasks that read text."""

import json
from dataclasses import replace

import pytest

from benchmarks.report.build import Measured, build_report


@pytest.fixture(scope="module")
def report(inputs) -> dict:
    return json.loads(build_report(inputs).to_json())


@pytest.fixture(scope="module")
def text_report(text_label_inputs) -> dict:
    return json.loads(build_report(text_label_inputs).to_json())


def test_a_text_report_is_about_macro_f1(text_report):
    assert (text_report["task"], text_report["metric"]) == ("text-label", "macro_f1")
    assert text_report["distillation_gain"]["metric"] == "macro_f1"
    kept = text_report["artifacts"][2]["kept_quality"]
    of_file, of_teacher = (
        row["quality"]["macro_f1"]["value"]
        for row in (text_report["artifacts"][2], text_report["teacher"])
    )
    assert kept["value"] == pytest.approx(of_file / of_teacher)
    assert f"keeps {kept['value'] * 100:.1f}% [" in text_report["headline"]
    assert "of the teacher’s macro-F1 at 1/20 of its size" in text_report["headline"]


def test_what_only_rankings_have_is_null_for_texts(text_report, report):
    for row in (text_report["teacher"], *text_report["artifacts"], *text_report["peers"]):
        assert row["quality_unmasked"] is row["coverage"] is row["short_lists"] is None
        assert row["fidelity"]["measure"] == "agreement"
        assert list(row["classes"])[3] == "Dresses"
        assert row["classes"]["Dresses"]["support"] == 948
    assert report["teacher"]["classes"] is None


def test_curves_hold_the_metric_of_the_task(text_report, report, inputs):
    assert text_report["curves"][0]["epochs"][0]["validation"] == pytest.approx(0.52)
    first = report["curves"][0]["epochs"][0]
    assert first["validation"] == inputs.curves["teacher 1"][0]["validation_ndcg@10"]


def test_a_peer_is_measured_like_a_file_and_has_no_say_in_the_budget(text_report):
    (peer,) = text_report["peers"]
    assert (peer["name"], peer["role"]) == ("Optimum int8 (plain)", "peer")
    assert peer["kept_quality"]["metric"] == "macro_f1"
    assert [one["peer"] for one in text_report["peer_comparisons"]] == ["student", peer["name"]]
    assert text_report["peer_comparisons"][1]["p90_ratio"] == {
        "value": 0.842,
        "low": 0.816,
        "high": 0.871,
    }
    assert len(text_report["budget"]["verdicts"]) == 2 * len(text_report["artifacts"])


def test_warnings_and_figures_are_passed_on_whole(text_report, text_label_inputs):
    assert text_report["warnings"] == list(text_label_inputs.warnings)
    quality = text_label_inputs.measured[2].row.quality
    assert text_report["teacher"]["quality"]["macro_f1"] == {
        "value": quality.metrics["macro_f1"].value,
        "low": quality.metrics["macro_f1"].low,
        "high": quality.metrics["macro_f1"].high,
    }


def test_a_row_without_the_tasks_metric_is_refused(text_label_inputs):
    student = text_label_inputs.measured[3]
    poor = Measured(student.row, {"accuracy": student.statistics["accuracy"]})
    measured = [*text_label_inputs.measured[:3], poor, *text_label_inputs.measured[4:]]
    with pytest.raises(ValueError, match="student has no macro_f1"):
        build_report(replace(text_label_inputs, measured=measured))
