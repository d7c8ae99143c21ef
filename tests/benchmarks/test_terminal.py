"""What a person reads in the terminal."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.report.build import build_report
from benchmarks.terminal import complaints, print_report, print_targets, print_verdicts
from export.targets import Target
from export.verification import Check
from export.verify_run import Verdict


def report(usable=True, met=True, reached=0.5, not_written=()):
    return {
        "not_written": list(not_written),
        "artifacts": [
            {
                "path": "export/a.onnx",
                "usable": usable,
                "refused_because": None if usable else "a score is not a finite number",
            }
        ],
        "budget": {
            "met": met,
            "limits": {"megabytes": 0.4},
            "verdicts": [
                {
                    "limit": "megabytes",
                    "path": "export/a.onnx",
                    "allowed": 0.4,
                    "reached": reached,
                    "met": met,
                }
            ],
        },
    }


def test_a_good_run_has_no_complaints():
    assert list(complaints(report())) == []


def test_a_refused_file_and_a_broken_budget_are_named():
    assert list(complaints(report(usable=False, met=False))) == [
        "export/a.onnx is refused: a score is not a finite number.",
        "budget.megabytes: export/a.onnx reaches 0.5, the recipe allows 0.4.",
    ]


@pytest.mark.parametrize(("optional", "complaints_made"), [(True, 0), (False, 1)])
def test_a_file_that_could_not_be_written_is_a_fault_unless_it_is_optional(
    optional, complaints_made
):
    missing = {"name": "coreml fp16", "because": "written on macOS only.", "optional": optional}
    found = list(complaints(report(not_written=[missing])))
    assert (
        found
        == [
            "coreml fp16 could not be written: written on macOS only. If the run is good "
            "without it, leave it out or mark it optional: true."
        ][:complaints_made]
    )


def test_a_budget_that_nothing_was_measured_for_is_a_fault():
    unmeasured = report(met=False)
    unmeasured["budget"] |= {"verdicts": [], "limits": {"megabytes": 0.4, "milliseconds": 2.0}}
    assert list(complaints(unmeasured)) == [
        "budget: no usable file was measured for all that the recipe limits or protects."
    ]


def test_a_file_that_was_only_parsed_is_no_fault(every_format_inputs):
    found = list(complaints(json.loads(build_report(every_format_inputs).to_json())))
    assert [one.split(": ")[0] for one in found] == [
        "export/student.int8-static.onnx is refused",
        "export/student.fp16.tflite is refused",
        "tensorrt-rtx fp16 sm61 could not be written",
    ]


def printed(inputs, capsys) -> str:
    print_report(json.loads(build_report(inputs).to_json()), Path("run"))
    return " ".join(capsys.readouterr().out.split())


def test_a_run_ends_with_its_table_headline_and_page(inputs, capsys):
    text = printed(inputs, capsys)
    assert "overlap with NDCG@10 [95%] kept p90 ms KB teacher" in text  # a heading of two lines
    assert "onnx int8-dynamic keeps" in text
    assert "NDCG@10 over the same student without a teacher." in text
    assert text.endswith("Report: run/report/report.html")


def test_a_latency_that_is_doubtful_is_marked_and_the_mark_explained(inputs, capsys):
    found = json.loads(build_report(inputs).to_json())
    latencies = [row["latency"] for row in found["artifacts"] if row["latency"]]
    latencies[0] |= {"quiet": False}
    print_report(found, Path("run"))
    text = capsys.readouterr().out
    assert f"~{latencies[0]['p90_ms']:.3f}" in text
    assert "~ the machine was busy" in text
    assert "not valid" not in text
    latencies[0] |= {"valid": False}
    print_report(found, Path("run"))
    text = capsys.readouterr().out
    assert f"!{latencies[0]['p90_ms']:.3f}" in text
    assert "! not valid: the report says which rule it breaks" in text


def test_a_text_run_speaks_of_its_own_metric_its_peer_and_its_data(text_label_inputs, capsys):
    text = printed(text_label_inputs, capsys)
    assert "Macro-F1 [95%]" in text
    assert "NDCG" not in text
    assert "Optimum int8 (plain) 0.5361 [0.5098, 0.5782] 98.5% 1.166 6,900" in text
    assert (
        "beside Optimum int8 (plain), the fastest peer: 0.842 [0.816, 0.871] times its p90" in text
    )
    assert "Worth knowing: 14 rows without a class were left out." in text


def test_every_file_is_listed_with_how_it_was_checked(every_format_inputs, capsys):
    text = printed(every_format_inputs, capsys)
    measured, _, files = text.partition(" Files KB checked ")
    for shown in (
        "onnx int8-static 0.1130 [0.0995, 0.1287] 100.9% 0.070 204 64% refused",
        "coreml fp16 iOS17 0.1108 [0.0968, 0.1263] 99.0% – 283 64% evaluated",
    ):
        assert shown in measured
    assert "tensorrt" not in measured
    for shown in (
        "onnx fp32 526 run 100.0% 2.1 × 10⁻⁶ verified",
        "onnx int8-static 204 run 87.1% 0.710 refused",
        "coreml fp16 iOS17 283 evaluated 99.9% 0.0041 verified",
        "tensorrt-rtx fp16 sm86 2,462 parsed, not run – – tensorrt-rtx",
        "litert fp16 275 did not answer – – refused",
        "tensorrt fp16 this-gpu is not written: takes an NVIDIA GPU, and there is none",
    ):
        assert shown in files


def test_targets_are_readable_in_a_hundred_columns(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.terminal._out", Console(width=100, highlight=False))
    how = "tensorrt not installed: install it: https://developer.nvidia.com/tensorrt; no GPU"
    schemes = ("fp32", "fp16", "int8-static")
    print_targets([Target("tensorrt-rtx", "sm75 sm80 sm86 sm89", schemes, True, False, how)])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "https://developer.nvidia.com/tensorrt;" in " ".join(lines)
    assert "…" not in "".join(lines)
    assert lines[1].split()[-1] != "yes"
    assert "yes    no   tensorrt not installed" in lines[1]


def test_verdicts_say_what_is_verified_and_why_the_rest_did_not(capsys):
    check = Check(256, 0.9992, 0.0039, 0.0, (), checked="run")
    fault = "on average 0.61 of the student’s top 10 is in the file’s"
    differs = Check(256, 0.61, 2.5, 1.0, (fault,))
    print_verdicts(
        [
            Verdict("export/a.onnx", "onnx fp16", "run", (), check),
            Verdict("export/b.onnx", "onnx fp32", "run", (fault,), differs),
            Verdict("export/c.engine", "rtx", "parsed", (), None, "takes an NVIDIA GPU"),
        ]
    )
    text = " ".join(capsys.readouterr().out.split())
    assert "export/a.onnx run 256 99.9% 0.0039 verified" in text
    assert "export/b.onnx run 256 61.0% 2.50 refused" in text
    assert "export/c.engine parsed, not run – – – export/b.onnx is refused: on average" in text
    assert text.endswith("export/c.engine: takes an NVIDIA GPU")
