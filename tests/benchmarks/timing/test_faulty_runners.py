"""Planted faults: the harness catches each, and lets an honest runner pass."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.timing.isolation import allowed_cpus
from benchmarks.timing.measure import measure
from benchmarks.timing.scenario import Scenario
from benchmarks.timing.timing import Timing
from export.runner import RunnerSpec
from export.samples import Samples

from .faulty_runners import rank

STAT = Path("/proc/stat")
FILE = Path(__file__).with_name("faulty_runners.py")
HISTORIES = np.random.default_rng(3).integers(2, 42, (200, 12)).astype(np.int32)
BRIEF = Scenario("single-stream", queries=64, seconds=0.2)
LONGER = Scenario("single-stream", queries=64, seconds=0.5)
SERVER = Scenario("server", queries=64, seconds=0.2, rate=500.0, bound_ms=1000.0)


def asked(
    name: str, folder: Path, scenario: Scenario = BRIEF, known: bool = True, threads: int = 1
) -> Timing:
    """Measure a runner, again if the machine was busy: it looks like sleep where it is stopped."""
    for _ in range(3):
        timing = measure(
            RunnerSpec("python", f"{FILE}:{name}"),
            Samples({"history": HISTORIES}),
            scenario,
            threads=threads,
            log_folder=folder,
            reference=rank(HISTORIES) if known else None,
            is_own=known,
        )
        if timing.noise.is_quiet:
            break
    return timing


def conduct_rules(timing: Timing) -> dict[str, str]:
    """Of the harness's own rules, those broken: LoadGen's depend on how busy the machine is."""
    own = {"threads", "sleeps", "caches", "leaks", "answers"}
    return {one.rule: one.because for one in timing.broken if one.rule in own}


@pytest.mark.parametrize("scenario", [BRIEF, SERVER])
def test_an_honest_runner_breaks_no_rule(scenario, tmp_path):
    timing = asked("Honest", tmp_path, scenario)
    assert conduct_rules(timing) == {}
    assert timing.conduct.agreement == 1.0
    assert timing.conduct.answers_checked > 0


@pytest.mark.parametrize(
    ("name", "rule", "because"),
    [
        ("Sleeping", "sleeps", "the rest was slept"),
        ("Caching", "caches", "times as long as the same one asked again"),
        ("Leaking", "leaks", "grew steadily, by 2"),
        ("OfManyThreads", "threads", "4 threads were on a processor"),
        ("OfShortThreads", "threads", "and 1 was allowed"),
        ("Rubbish", "answers", "agree with those that it gave before to 0."),
        ("RubbishOnceWarm", "answers", "agree with those that it gave before to 0."),
        ("RubbishNowAndThen", "answers", "agree with those that it gave before to 0."),
        ("Malformed", "answers", "an item is returned twice for one history"),
    ],
)
def test_a_planted_fault_is_caught(name, rule, because, tmp_path):
    timing = asked(name, tmp_path)
    broken = conduct_rules(timing)
    assert rule in broken
    if timing.noise.is_quiet:
        # A thread that waits for another one looks asleep where others hold that off.
        has_threads = name.startswith("Of")
        assert set(broken) <= {rule, *(["sleeps"] if has_threads else [])}
    assert because in broken[rule]
    assert not timing.valid


@pytest.mark.skipif(len(allowed_cpus()) < 2, reason="one processor")
def test_work_by_many_threads_in_turn_is_caught(tmp_path):
    for _ in range(3):  # Where another program has the other processor, they find no room there.
        before, began = others_seconds(), time.monotonic()
        timing = asked("OfFortyThreads", tmp_path, LONGER)
        others = (others_seconds() - before) / (time.monotonic() - began)
        if "threads" in conduct_rules(timing):
            break
    else:
        if others > 0.3 or not timing.noise.is_quiet:
            pytest.skip(f"others keep {others:.1f} processors busy: there was nowhere to hide")
    because = conduct_rules(timing)["threads"]
    assert "processors were busy" in because or "threads were on a processor" in because


def others_seconds() -> float:
    """Processor time of everything but this process and what it started and saw end."""
    if not STAT.exists():
        return 0.0
    user, nice, system, _, _, *interrupts = map(int, STAT.read_text().split(maxsplit=8)[1:8])
    own = sum(os.times()[:4])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK") - own


def test_work_in_another_process_is_caught(tmp_path):
    broken = conduct_rules(asked("WorkingInAChild", tmp_path, LONGER))
    assert "Processes that it started kept 0." in broken["threads"]


def test_answers_looked_up_in_most_of_the_queries_are_caught_however_late_that_began(tmp_path):
    often = Scenario("single-stream", queries=1000, seconds=0.2)
    broken = conduct_rules(asked("CachingFromTheThirdTime", tmp_path, often))
    assert list(broken) == ["caches"]
    assert "it was timed with answers that it looked up" in broken["caches"]


@pytest.mark.parametrize(("name", "rule"), [("Sleeping", "sleeps"), ("Rubbish", "answers")])
def test_a_server_is_caught_as_well(name, rule, tmp_path):
    assert list(conduct_rules(asked(name, tmp_path, SERVER))) == [rule]


def test_two_threads_that_each_sleep_half_of_the_time_are_caught(tmp_path):
    broken = conduct_rules(asked("SleepingInTwo", tmp_path, LONGER, threads=2))
    assert list(broken) == ["sleeps"]


def test_malformed_answers_are_caught_without_knowing_the_right_ones(tmp_path):
    timing = asked("Malformed", tmp_path, known=False)
    assert list(conduct_rules(timing)) == ["answers"]
    assert (timing.conduct.answers_checked, timing.conduct.agreement) == (0, None)
