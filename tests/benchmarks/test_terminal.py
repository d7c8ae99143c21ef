"""What a person reads in the terminal."""

import json
from pathlib import Path

import pytest

from benchmarks.report import build_report
from benchmarks.terminal import complaints, print_report


def report(usable=True, met=True, reached=0.5):
    return {
        "artifacts": [
            {
                "path": "export/a.onnx",
                "usable": usable,
                "refused_because": None if usable else "a score is not a finite number",
            }
        ],
        "budget": {
            "met": met,
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


@pytest.mark.parametrize("reached", [None])
def test_what_was_not_measured_is_unknown(reached):
    assert "reaches unknown" in next(iter(complaints(report(met=False, reached=reached))))


def printed(inputs, capsys) -> str:
    print_report(json.loads(build_report(inputs).to_json()), Path("run"))
    return " ".join(capsys.readouterr().out.split())


def test_a_run_ends_with_its_table_headline_and_page(inputs, capsys):
    text = printed(inputs, capsys)
    assert "overlap with NDCG@10 [95%] kept p90 ms KB teacher" in text  # a heading of two lines
    assert "onnx int8-dynamic keeps" in text
    assert "NDCG@10 over the same student without a teacher." in text
    assert text.endswith("Report: run/report/report.html")


def test_a_text_run_speaks_of_its_own_metric_its_peer_and_its_data(text_label_inputs, capsys):
    text = printed(text_label_inputs, capsys)
    assert "Macro-F1 [95%]" in text
    assert "NDCG" not in text
    assert "Optimum int8 (plain) 0.5361 [0.5098, 0.5782] 98.5% 1.166 6,900" in text
    assert "Beside Optimum int8 (plain): 0.842 [0.816, 0.871] times its p90 latency" in text
    assert "Worth knowing: 14 rows without a class were left out." in text
