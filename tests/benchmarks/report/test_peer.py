from dataclasses import replace

import pytest

from benchmarks.report.build import build_report
from benchmarks.report.peer import peer_section, speed_sentence
from benchmarks.report.task_view import task_view
from compress.metrics import Interval


def with_ratio(inputs, value, low, high):
    comparison = replace(inputs.peer_comparison, p90_ratio=Interval(value, low, high))
    return build_report(replace(inputs, peer_comparison=comparison)).peer_comparison


@pytest.mark.parametrize(
    ("ratio", "verdict"),
    [
        ((0.9, 0.85, 0.95), "it is faster"),
        ((1.1, 1.05, 1.2), "it is slower"),
        ((0.97, 0.9, 1.04), "the interval contains 1, so neither is shown to be faster"),
    ],
)
def test_it_claims_what_the_interval_supports(text_label_inputs, ratio, verdict):
    sentence = speed_sentence(with_ratio(text_label_inputs, *ratio))
    assert sentence.endswith(f"over 12 rounds: {verdict}.")
    assert "{:.3f} [{:.3f}, {:.3f}] times".format(*ratio) in sentence


def test_both_files_stand_side_by_side(text_label_inputs):
    section = peer_section(build_report(text_label_inputs), task_view("text-label"))
    assert section.sentences[1] == (
        "Agreement with the student over the test texts: onnx int8-dynamic 98.7%, "
        "Optimum int8 (plain) 96.8%."
    )
    (ours, of_ours), (peer, of_peer) = section.table.rows
    assert (ours, peer) == ("onnx int8-dynamic", "Optimum int8 (plain)")
    assert [of_ours[at].text for at in (0, 3, 4, 5)] == ["0.975", "98.7", "0.041", "4.50"]
    assert [of_peer[at].text for at in (0, 3, 4, 5)] == ["1.17", "96.8", "0.113", "6.90"]


def test_without_a_comparison_there_is_no_section(inputs):
    assert peer_section(build_report(inputs), task_view("next-item")) is None


def test_a_comparison_of_a_row_that_is_not_there_is_refused(text_label_inputs):
    comparison = replace(text_label_inputs.peer_comparison, peer="someone else")
    with pytest.raises(ValueError, match="someone else, which is no row"):
        build_report(replace(text_label_inputs, peer_comparison=comparison))
