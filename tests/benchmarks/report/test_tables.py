"""What the main table says of a row's latency beside the figures."""

from dataclasses import replace

from benchmarks.report.build import Measured, build_report
from benchmarks.report.tables import main_rows, measured_rows
from benchmarks.timing.timing import BrokenRule, Noise
from compress.metrics import Interval


def rows(inputs, **changes):
    """Rows of the table by name; the first artifact's row is changed."""
    measured = list(inputs.measured)
    number = next(n for n, one in enumerate(measured) if one.row.role == "artifact")
    changed = replace(measured[number].row, **changes)
    measured[number] = Measured(changed, measured[number].statistics)
    report = build_report(replace(inputs, measured=measured))
    found = {row["name"]: row for row in main_rows(report, measured_rows(report), ["ndcg@10"])}
    return found[changed.name]


def latency_of(inputs):
    return next(one.row.latency for one in inputs.measured if one.row.role == "artifact")


def test_a_quiet_valid_row_is_not_marked(inputs):
    assert rows(inputs)["marks"] == []


def test_a_noisy_row_says_by_how_much(inputs):
    noisy = replace(latency_of(inputs), noise=Noise((100.0, 130.0)))
    assert rows(inputs, latency=noisy)["marks"] == ["noisy (30%)"]


def test_an_invalid_row_names_its_rules(inputs):
    broken = (BrokenRule("threads", "It ran 3 threads."), BrokenRule("leaks", "It grew."))
    invalid = replace(latency_of(inputs), broken=broken)
    assert rows(inputs, latency=invalid)["marks"] == ["latency not valid: threads, leaks"]


def test_p90_is_beside_the_teachers_and_load_beside_the_cold_start(inputs):
    row = rows(inputs, p90_ratio_to_teacher=Interval(0.041, 0.04, 0.043), cold_start_ms=118.0)
    notes = [cell.note for cell in row["cells"]]
    assert "× 0.041" in notes
    assert "cold 118" in notes
