"""The noise probe on the processors that a model is kept on."""

import pytest

from benchmarks.timing import probe
from benchmarks.timing.isolation import allowed_cpus
from benchmarks.timing.probe import REPEATS, read_probe


def test_the_slowest_processor_is_taken_and_the_thread_may_use_all_again(monkeypatch):
    cpus = allowed_cpus()
    if len(cpus) < 2:
        pytest.skip("one processor")
    where = []

    def loops(repeats: int) -> int:
        where.append(allowed_cpus())
        return 1000 * repeats * len(where)

    monkeypatch.setattr(probe, "time_loops", loops)
    assert read_probe(cpus[:2]) == 2.0
    assert where == [(cpus[0],), (cpus[1],)]
    assert allowed_cpus() == cpus


def test_a_reading_is_microseconds_a_loop(monkeypatch):
    monkeypatch.setattr(probe, "time_loops", lambda repeats: 3000 * REPEATS)
    assert read_probe() == read_probe((0,)) == 3.0
