from dataclasses import replace

import pytest

from benchmarks.measurement import PeerComparison
from benchmarks.peers.record import PeerNotMeasured
from benchmarks.report.build import build_report
from benchmarks.report.page import render_page
from benchmarks.report.peers import against_the_fastest, peers_section
from benchmarks.report.task_view import task_view
from compress.metrics import Interval

VIEW = task_view("text-label")


def section(inputs):
    return peers_section(build_report(inputs), VIEW)


def with_ratio(inputs, value, low, high):
    eager, plain = inputs.peer_comparisons
    return replace(
        inputs, peer_comparisons=(eager, replace(plain, p90_ratio=Interval(value, low, high)))
    )


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        ((0.9, 0.85, 0.95), "it is faster"),
        ((1.1, 1.05, 1.2), "it is slower"),
        ((0.97, 0.9, 1.04), "the interval contains 1, so neither is shown to be faster"),
    ],
)
def test_it_claims_what_the_interval_supports(text_label_inputs, ratio, verdict):
    first = section(with_ratio(text_label_inputs, *ratio)).sentences[0]
    assert first.endswith(f"over 12 rounds by 4 processes of each: {verdict}.")
    assert "{:.3f} [{:.3f}, {:.3f}] times".format(*ratio) in first


def test_the_first_sentence_is_of_the_fastest_peer(text_label_inputs):
    first = section(text_label_inputs).sentences[0]
    assert "of Optimum int8 (plain), which has the lowest p90 of 2 peers" in first
    slow = with_ratio(text_label_inputs, 0.1, 0.09, 0.11)
    assert "of PyTorch eager (the student), which has the lowest p90" in section(slow).sentences[0]


def compared(ours, peer, value):
    ratio = Interval(value, value - 0.01, value + 0.01)
    return PeerComparison(ours, peer, ratio, 9, 3, 0.9, 0.9, None, None)


def test_each_of_our_files_stands_beside_the_fastest_peer_the_faster_first():
    found = against_the_fastest(
        [
            compared("onnx", "slow", 0.2),
            compared("onnx", "fast", 1.4),
            compared("litert", "slow", 0.15),
            compared("litert", "fast", 1.1),
        ]
    )
    assert [(one.ours, one.peer) for one in found] == [("litert", "fast"), ("onnx", "fast")]


def test_every_peer_has_its_figures_and_our_ratio(text_label_inputs):
    found = section(text_label_inputs)
    assert found.sentences[1] == (
        "Agreement with the student over the test texts: onnx int8-dynamic 98.7%, "
        "Optimum int8 (plain) 96.8%."
    )
    assert found.sentences[2] == "Size: onnx int8-dynamic 4.50 MB, Optimum int8 (plain) 6.90 MB."
    assert [name for name, _ in found.table.headings] == [
        "Macro-F1",
        "Kept",
        "p90",
        "p90 of onnx int8-dynamic",
        "Size",
        "Peak memory",
        "Agreement",
        "Largest probability difference",
    ]
    rows = dict(found.table.rows)
    assert list(rows) == [
        "onnx int8-dynamic",
        "PyTorch eager (the student)",
        "Optimum int8 (plain)",
    ]
    shown = {name: [cells[at].text for at in range(2, 8)] for name, cells in rows.items()}
    assert shown["onnx int8-dynamic"] == ["0.975", "–", "4.50", "96.0", "98.7", "0.041"]
    assert shown["Optimum int8 (plain)"] == ["1.17", "0.842", "6.90", "96.0", "96.8", "0.113"]
    assert rows["Optimum int8 (plain)"][3].note == "0.816–0.871"
    assert shown["PyTorch eager (the student)"][1] == "0.236"


def test_what_was_not_measured_and_how_the_rest_was_made_is_listed(text_label_inputs):
    found = section(text_label_inputs)
    assert found.missing == (("OpenVINO fp32", "It is not installed."),)
    assert found.routes == (
        ("Optimum int8 (plain)", "optimum-cli export onnx", "optimum 2.1.0, onnx 1.23.2"),
    )
    page = render_page(build_report(text_label_inputs))
    assert "OpenVINO fp32</strong> was not measured: It is not installed." in page
    assert "optimum-cli export onnx" in page


def test_a_reason_from_a_tool_stays_text(text_label_inputs):
    hostile = PeerNotMeasured("<script>x", "<img src=x onerror=alert(1)>")
    page = render_page(build_report(replace(text_label_inputs, peers_not_measured=(hostile,))))
    assert "<script>x" not in page
    assert "<img src=x" not in page


def test_without_peers_there_is_no_section(inputs):
    assert peers_section(build_report(inputs), task_view("next-item")) is None
    assert "Beside what you could take instead" not in render_page(build_report(inputs))


@pytest.mark.parametrize("name", ["someone else", "teacher"])
def test_a_comparison_of_a_row_that_is_no_peer_is_refused(text_label_inputs, name):
    one = replace(text_label_inputs.peer_comparisons[1], peer=name)
    with pytest.raises(ValueError, match=f"{name}, which is no"):
        build_report(replace(text_label_inputs, peer_comparisons=(one,)))
