"""Which rules a measurement breaks, by hand."""

from dataclasses import replace

import pytest

from benchmarks.timing.job import MeasuringJob, Observed
from benchmarks.timing.rules import broken_rules, clocks_disagree, conduct_of, leaks, looks_up
from benchmarks.timing.scenario import Scenario
from export.runner import RunnerSpec

SOUND = Observed(
    load_ms=1.0,
    rss_before_load_mb=50.0,
    peak_rss_mb=60.0,
    pinned_to=(1,),
    probe_us=(100.0, 101.0),
    seconds=1.0,
    examples=1000,
    active_threads=1,
    cpu_share=0.99,
    children_share=0.0,
    awake_share=1.0,
    stolen_share=0.0,
    rss_kb=(100.0,) * 9,
    growth_queries=1000,
    first_ns=(100,) * 9,
    again_ns=(100,) * 9,
    answers_kept=10,
    answers_faulty=0,
    faults=(),
)
ONE = RunnerSpec("onnx", "model.onnx", threads=1)


STREAM = Scenario("single-stream", 64, 1.0)
SERVER = Scenario("server", 64, 1.0, rate=9.0, bound_ms=1.0)
BATCHES = Scenario("offline", 64, 1.0, batch=8)


def broken(
    spec: RunnerSpec = ONE,
    agreement: float | None = 1.0,
    scenario: Scenario = STREAM,
    is_own: bool = False,
    **changes,
) -> list[str]:
    observed = replace(SOUND, **changes)
    conduct = conduct_of(observed, 10, agreement)
    job = MeasuringJob(spec, scenario, "/logs", 1.0)
    return [one.rule for one in broken_rules(job, observed, conduct, is_own)]


def test_sound_conduct_breaks_none():
    assert broken() == []


def test_as_many_threads_as_allowed_may_work():
    assert broken(active_threads=2) == ["threads"]
    assert broken(replace(ONE, threads=2), active_threads=2, cpu_share=2.0) == []
    assert broken(active_threads=None, cpu_share=1.8) == ["threads"]
    assert broken(active_threads=None, cpu_share=1.8, scenario=SERVER) == []


def test_many_threads_that_each_work_a_little_are_many():
    assert broken(active_threads=1, cpu_share=1.05) == []
    assert broken(active_threads=1, cpu_share=1.23) == ["threads"]
    assert broken(active_threads=1, cpu_share=1.23, pinned_to=()) == []


def test_what_is_done_in_another_process_is_done_all_the_same():
    assert broken(children_share=0.04) == []
    assert broken(children_share=0.5) == ["threads"]
    assert broken(children_share=0.5, scenario=SERVER) == ["threads"]


def test_a_model_must_answer_as_it_did_before():
    """One of six answers is rubbish: coarse schemes agree no better with their student."""
    assert broken(agreement=0.85) == []
    assert broken(agreement=0.85, is_own=True) == ["answers"]
    assert broken(agreement=0.97, is_own=True) == ["answers"]
    assert broken(agreement=0.97, is_own=True, scenario=BATCHES) == []


def test_waiting_for_a_processor_is_no_sleep():
    assert broken(cpu_share=0.2, awake_share=0.98) == []
    assert broken(cpu_share=0.2, awake_share=0.3) == ["sleeps"]
    assert broken(RunnerSpec("tensorrt", "e"), cpu_share=0.2, awake_share=0.3) == []
    assert broken(awake_share=None) == []


def test_an_example_never_asked_may_not_take_much_longer_than_the_timed_calls():
    def found(timed_us, **changes):
        return [one.rule for one in looks_up(replace(SOUND, **changes), timed_us)]

    assert found(100.0, first_ns=(290_000,) * 9) == []
    assert found(100.0, first_ns=(310_000,) * 9) == ["caches"]
    assert found(5.0, first_ns=(24_000,) * 9) == []  # A first look at an input takes a while, too.
    assert found(100.0, first_ns=(310_000,) * 4 + (100_000,) * 5) == []
    assert found(100.0, first_ns=()) == []


def test_an_example_asked_again_may_not_be_much_faster():
    assert broken(first_ns=(150,) * 9) == []
    assert broken(first_ns=(151,) * 9) == ["caches"]
    assert broken(first_ns=(900,) * 4 + (100,) * 5) == []  # The median is of most of them.
    assert broken(first_ns=(), again_ns=()) == []


def test_answers_must_be_sound_and_right():
    assert broken(agreement=0.79) == ["answers"]
    assert broken(agreement=0.8) == []
    assert broken(agreement=None) == []
    assert broken(answers_faulty=1, faults=("it is odd",)) == ["answers"]


STEADY = tuple(500.0 * step for step in range(9))


@pytest.mark.parametrize(
    ("rss_kb", "queries", "is_leak"),
    [
        (STEADY, 1000, True),
        (STEADY, 8000, False),  # 0.5 MB in a thousand queries
        (tuple(100.0 * step for step in range(9)), 100, False),  # 0.8 MB in all
        ((0.0,) + (50_000.0,) * 8, 1000, False),  # an arena that grew once
        ((0.0, 4000.0, 5000.0, 5400.0, 5500.0, 5501.0, 5502.0, 5503.0, 5504.0), 1000, False),
        ((), 0, False),
    ],
)
def test_memory_that_grows_with_every_block_is_a_leak(rss_kb, queries, is_leak):
    assert leaks(rss_kb, queries) is is_leak
    assert broken(rss_kb=rss_kb, growth_queries=queries) == (["leaks"] if is_leak else [])


def test_growth_is_told_for_a_thousand_queries():
    assert conduct_of(replace(SOUND, rss_kb=STEADY, growth_queries=2000), 0, None).growth_kb == 2000
    assert conduct_of(replace(SOUND, rss_kb=(), growth_queries=0), 0, None).growth_kb is None


def test_growth_that_could_not_have_been_seen_is_not_told():
    """1 MB in a thousand queries is 0.5 MB in 500, which allocators may keep back."""
    slow = replace(SOUND, growth_queries=500)
    assert conduct_of(slow, 0, None).growth_kb is None
    assert broken(rss_kb=STEADY, growth_queries=500) == ["leaks"]  # 8 MB can be seen.


def test_clocks_may_differ_by_50_us_or_a_twentieth():
    assert not clocks_disagree(0.1, 0.149)
    assert clocks_disagree(0.1, 0.151)
    assert not clocks_disagree(100.0, 104.9)
    assert clocks_disagree(100.0, 105.1)
