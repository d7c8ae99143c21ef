"""What a person reads in the terminal."""

import pytest

from benchmarks.terminal import complaints


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
