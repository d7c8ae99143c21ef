"""When a server's queries come, and the noise probe between them."""

from time import perf_counter_ns

import numpy as np
import pytest

from benchmarks.timing.gaps import GapProbe, scheduled_ns
from benchmarks.timing.record import Record

SECOND = 10**9


def test_queries_come_when_the_generator_of_mt19937_says():
    """Its words for seed 1 begin 1791095845, 4282876139 (and C++ takes the low word first)."""
    drawn = (1791095845 + 4282876139 * 2**32) / 2**64
    due = scheduled_ns(rate=100.0, queries=2, seed=1)
    assert due.tolist() == [0.0, pytest.approx(-np.log(1 - drawn) * 1e7)]


def probe(due_ns, came: int, cpus=()) -> tuple[Record, GapProbe]:
    """Of a run that began a second ago and had `came` queries, the last one just now."""
    record = Record(100, 100, 1, probe_seconds=0.0)
    gaps = GapProbe(record, np.array(due_ns, float), 1e-6, cpus)
    for _ in range(came):
        gaps.note()
    record.first_ns = perf_counter_ns() - SECOND
    gaps.use(lambda: True)  # Notes when the first reading is due.
    return record, gaps


def test_a_reading_is_taken_before_the_next_query_is_near():
    record, gaps = probe([0] * 15 + [SECOND, 100 * SECOND], came=16)
    gaps.use(lambda: True)
    assert len(record.probe_us) == 1
    assert record.paused_cpu_ns > 0


@pytest.mark.parametrize(
    ("due_ns", "came", "idle"),
    [
        ([0] * 15 + [SECOND, SECOND], 16, True),  # The next one is here.
        ([0] * 15 + [2 * SECOND, 100 * SECOND], 16, True),  # The last one came a second early.
        ([0] * 10 + [SECOND, 100 * SECOND], 11, True),  # Too few to believe the schedule.
        ([0] * 15 + [SECOND], 16, True),  # Nobody knows when the next one comes.
        ([0] * 15 + [SECOND, 100 * SECOND], 16, False),  # One waits.
    ],
)
def test_no_reading_is_taken_where_a_query_could_have_to_wait(due_ns, came, idle):
    record, gaps = probe(due_ns, came)
    gaps.use(lambda: idle)
    assert record.probe_us == []


def test_a_reading_may_be_put_together_from_several_gaps():
    record, gaps = probe([0] * 15 + [SECOND, 100 * SECOND], came=16)
    for _ in range(40):
        answers = iter([True, False])
        gaps.use(lambda answers=answers: next(answers))
    assert len(record.probe_us) >= 1
