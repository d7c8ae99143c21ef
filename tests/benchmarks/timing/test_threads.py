"""Shares of time by hand, and one thread that really works."""

import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread, get_native_id
from time import perf_counter_ns

import pytest

from benchmarks.timing import threads as threads_module
from benchmarks.timing.threads import (
    ThreadTimes,
    activity,
    children_ns,
    keep_orphans,
    stolen_ns,
    thread_times,
)

MS = 1_000_000
NOTHING = ThreadTimes({1: 0, 2: 0, 3: 0}, {1: 0, 2: 0, 3: 0}, 0, {0: 9000 * MS, 1: 0})


def after(on_cpu: dict[int, int], process: int, queued: int = 0, stolen: int = 0) -> ThreadTimes:
    return ThreadTimes(
        {thread: time * MS for thread, time in on_cpu.items()},
        dict.fromkeys(on_cpu, 0) | {1: queued * MS},
        process * MS,
        {0: 9000 * MS, 1: stolen * MS},
    )


def test_threads_that_worked_a_twentieth_of_the_time_are_counted():
    seen = activity(NOTHING, after({1: 900, 2: 50, 3: 49}, 999), 1000 * MS)
    assert seen.threads == 2
    assert seen.cpu_share == pytest.approx(0.999)


def test_loadgens_own_threads_and_the_probe_are_left_out():
    seen = activity(
        NOTHING, after({1: 900, 2: 500}, 1400), 1000 * MS, left_out=[2], spent_ns=100 * MS
    )
    assert (seen.threads, seen.cpu_share) == (1, pytest.approx(0.8))


def test_threads_that_ended_meanwhile_are_seen_in_what_the_process_used():
    seen = activity(NOTHING, after({1: 500}, 900), 1000 * MS)
    assert (seen.threads, seen.cpu_share) == (2, pytest.approx(0.9))


def test_waiting_for_a_processor_is_no_sleep():
    """Of 1000 ms 600 were spent waiting; of the other 400, 300 on a processor."""
    seen = activity(NOTHING, after({1: 300}, 300, queued=600), 1000 * MS)
    assert (seen.cpu_share, seen.awake_share) == (pytest.approx(0.3), pytest.approx(0.75))
    assert activity(NOTHING, after({1: 20}, 20, queued=980), 1000 * MS).awake_share is None


def test_what_the_host_kept_is_no_sleep():
    seen = activity(NOTHING, after({1: 300}, 300, queued=100, stolen=600), 1000 * MS)
    assert seen.awake_share == pytest.approx(1.0)


def test_of_what_the_host_kept_a_server_has_its_share():
    """It answered for 100 ms of a second, of which the host kept a half: 50 ms were slept."""
    seen = activity(NOTHING, after({1: 25}, 25, stolen=500), 100 * MS, elapsed_ns=1000 * MS)
    assert (seen.stolen_share, seen.awake_share) == (0.5, 0.5)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
@pytest.mark.parametrize("ends", ["waits", "is waited for", "is orphaned"])
def test_children_are_seen_while_they_run_and_after(ends):
    """Two loops of 0.2 s, one in a child and one in its child."""
    keep_orphans()
    loop = "import time; end = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    inner = f"import subprocess, sys; one = subprocess.Popen([sys.executable, '-c', {loop!r}])\n"
    wait = "" if ends == "is orphaned" else "one.wait()\n"
    stay = "print('done', flush=True); sys.stdin.readline()\n"
    before = children_ns()
    child = subprocess.Popen(
        [sys.executable, "-c", inner + loop + wait + stay],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    child.stdout.readline()
    if ends != "waits":
        child.communicate("end\n")
    deadline = time.monotonic() + 20
    while children_ns() - before < 400 * MS and time.monotonic() < deadline:
        time.sleep(0.05)
    assert 400 * MS <= children_ns() - before < 2000 * MS
    child.communicate("end\n" if ends == "waits" else None)


def test_what_the_host_keeps_is_counted_by_processor(tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    stat.write_text(
        "cpu  9 9 9 9 9 9 9 30 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 1 2 3 4 5 6 7 22 0 0\nintr 5\n"
    )
    monkeypatch.setattr(threads_module, "_STAT", str(stat))
    assert stolen_ns([0, 1, 7]) == {0: 80 * MS, 1: 220 * MS}
    assert stolen_ns([]) == {}
    monkeypatch.setattr(threads_module, "_STAT", str(tmp_path / "none"))
    assert stolen_ns([0]) == {}


def test_what_other_threads_did_in_a_pause_is_no_work_for_the_model():
    """A runtime's second thread spins while the probe is read: 100 ms by each in the pause."""
    seen = activity(
        NOTHING,
        after({1: 1000, 2: 1000}, 2000),
        900 * MS,
        spent_ns=100 * MS,
        spent_by=1,
        spent_by_all_ns=200 * MS,
    )
    assert seen.cpu_share == pytest.approx(2.0)


def test_two_threads_that_sleep_half_of_the_time_are_not_one_that_works():
    assert activity(NOTHING, after({1: 500, 2: 500}, 1000), 1000 * MS).awake_share == 0.5
    assert activity(NOTHING, after({1: 990, 2: 700}, 1690), 1000 * MS).awake_share == 0.99


def test_waiting_for_a_thread_that_others_hold_off_is_no_sleep():
    held_off = ThreadTimes({1: 600 * MS, 2: 400 * MS}, {1: 0, 2: 400 * MS}, 1000 * MS)
    assert activity(NOTHING, held_off, 1000 * MS).awake_share == 1.0


def test_the_probe_is_taken_from_the_thread_that_read_it():
    seen = activity(
        NOTHING, after({1: 600, 2: 500}, 1100), 1000 * MS, spent_ns=200 * MS, spent_by=1
    )
    assert (seen.awake_share, seen.cpu_share) == (0.5, pytest.approx(0.9))


def test_waiting_while_the_probe_was_read_is_not_taken_from_the_answering_time():
    held_off = after({1: 300}, 300, queued=600)
    seen = activity(NOTHING, held_off, 1000 * MS, spent_queued_ns=600 * MS, spent_by=1)
    assert seen.awake_share == 0.3


def test_a_system_that_counts_no_threads_still_counts_the_process():
    seen = activity(ThreadTimes({}, {}, 0), ThreadTimes({}, {}, 700 * MS), 1000 * MS)
    assert (seen.threads, seen.awake_share, seen.cpu_share) == (None, None, pytest.approx(0.7))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_thread_at_work_is_seen_by_its_number():
    numbers, stop = [], Event()

    def work() -> None:
        numbers.append(get_native_id())
        while not stop.is_set():
            sum(range(1000))

    before, started = thread_times(), perf_counter_ns()
    other = Thread(target=work)
    other.start()
    while perf_counter_ns() - started < 100 * MS:
        sum(range(1000))
    found = thread_times()
    stop.set()
    other.join()
    assert found.on_cpu[numbers[0]] > 0
    assert found.process > before.process
