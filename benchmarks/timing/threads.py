"""Who was on a processor: this process's threads, its children, the host: as the kernel counts."""

import ctypes
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import get_native_id
from time import process_time_ns

_TASKS = "/proc/self/task"
_STAT = "/proc/stat"
_PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h"""
ACTIVE = 0.05
"""Share of the measured time on a processor from which a thread counts as used."""
MANY_TICKS_NS = 50_000_000
"""Less of processor time that is counted in ticks says nothing."""
_STALE_NS = 20_000_000
"""What a running thread's own figure may lag behind the process's: a few timer ticks."""


@dataclass(frozen=True)
class ThreadTimes:
    """What the kernel had counted at one moment, nanoseconds.

    Linux only: `/proc/PID/task/TID/schedstat` (Documentation/scheduler/sched-stats.rst).
    """

    on_cpu: dict[int, int]
    """Running, by a thread's native number; empty where the system does not say."""
    queued: dict[int, int]
    """Ready to run while others ran."""
    process: int
    """On a processor, all threads together, ended ones too."""
    stolen: Mapping[int, int] = field(default_factory=dict)
    """By the number of a processor: kept by the host of a virtual machine."""


@dataclass(frozen=True)
class Activity:
    """How threads spent the time in between two moments, as shares of the wall time.

    None where the system does not say.
    """

    threads: int | None
    """Threads that were on a processor for `ACTIVE` of the time at least."""
    cpu_share: float
    """Of all threads together."""
    awake_share: float | None
    """Of the busiest thread (with what threads used that came and went), of the time in which no
    thread waited for a processor that others, or the host, had: what is missing to 1 was
    slept, or spent waiting for another thread. None, too, where next to all was spent waiting."""
    stolen_share: float | None
    """That the host of a virtual machine kept of the processor that it kept most of."""


def thread_numbers() -> frozenset[int]:
    """Return the native numbers of this process's threads; empty where there is no /proc."""
    try:
        return frozenset(int(task.name) for task in Path(_TASKS).iterdir())
    except OSError:
        return frozenset()


def thread_times(cpus: Iterable[int] = ()) -> ThreadTimes:
    """Return what has been counted up to now.

    Args:
        cpus: Processors that the threads are kept on.
    """
    on_cpu, queued = {}, {}
    for thread in thread_numbers():
        try:
            # Read between timed queries: no Path is made for each thread.
            with open(f"{_TASKS}/{thread}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123
                ran, waited, _ = file.read().split()
        except OSError:  # It ended meanwhile, or the kernel counts nothing.
            continue
        on_cpu[thread], queued[thread] = int(ran), int(waited)
    return ThreadTimes(on_cpu, queued, process_time_ns(), stolen_ns(cpus))


def queued_ns() -> int:
    """Return how long the calling thread has been ready while others ran; 0 where nobody knows."""
    try:
        # As above: a text is enough.
        with open(f"{_TASKS}/{get_native_id()}/schedstat", "rb", buffering=0) as file:  # noqa: PTH123
            return int(file.read().split()[1])
    except OSError:
        return 0


def keep_orphans() -> None:
    """Let processes whose parent ends become children of this one, so that `children_ns` has them.

    Linux 3.4 and later: prctl(2), `PR_SET_CHILD_SUBREAPER`; nothing elsewhere.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_ns() -> int:
    """Return the processor time of this process's children, of theirs and so on, ended ones too.

    Nanoseconds, in steps of a clock tick (10 ms): proc(5), `/proc/PID/stat`. 0 where there is none.
    """
    ticks: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for entry in _processes():
        try:
            text = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # It ended meanwhile.
            continue
        fields = text.rpartition(")")[2].split()  # The name before it may hold anything.
        parent, own = int(fields[1]), sum(map(int, fields[11:15]))
        ticks[entry] = own
        children[parent].append(entry)
    total, left = 0, list(children[os.getpid()])
    while left:
        one = left.pop()
        total += ticks[one]
        left += children[one]
    ended = os.times()
    per_tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return total * per_tick + int((ended.children_user + ended.children_system) * 1e9)


def stolen_ns(cpus: Iterable[int]) -> dict[int, int]:
    """Return how long the host has kept processors for itself, by their numbers.

    Nanoseconds since the start, in steps of a clock tick: proc(5), `/proc/stat`, `steal`. Empty
    where it is not counted.
    """
    wanted = {f"cpu{cpu}": cpu for cpu in cpus}
    try:
        # Read between timed queries, as above.
        with open(_STAT, encoding="ascii") as file:  # noqa: PTH123
            lines = [line.split() for line in file if line.startswith("cpu")]
    except OSError:
        return {}
    per_tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
    return {
        wanted[fields[0]]: int(fields[8]) * per_tick
        for fields in lines
        if fields[0] in wanted and len(fields) > 8
    }


def _processes() -> list[int]:
    try:
        return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdigit()]
    except OSError:
        return []


def activity(
    before: ThreadTimes,
    after: ThreadTimes,
    wall_ns: int,
    *,
    left_out: Iterable[int] = (),
    spent_ns: int = 0,
    spent_queued_ns: int = 0,
    spent_by: int | None = None,
    spent_by_all_ns: int | None = None,
    elapsed_ns: int = 0,
) -> Activity:
    """Return what the threads did in between.

    Args:
        before: Of the beginning.
        after: Of the end.
        wall_ns: How long the model was asked.
        left_out: Threads that are not the model's.
        spent_ns: On a processor in between, but not for the model...
        spent_queued_ns: ...and waiting for one, in a time that is not in `wall_ns`...
        spent_by: ...by this thread.
        elapsed_ns: From the beginning to the end; 0: as `wall_ns`.
        spent_by_all_ns: As `spent_ns`, with what other threads did then; None: they did nothing.
    """
    wall = max(wall_ns, 1)
    left = frozenset(left_out)

    def gained(start: Mapping[int, int], end: Mapping[int, int]) -> dict[int, int]:
        return {thread: end[thread] - start.get(thread, 0) for thread in end}

    on_cpu = gained(before.on_cpu, after.on_cpu)
    everything = after.process - before.process
    not_for_us = spent_ns if spent_by_all_ns is None else spent_by_all_ns
    ours = everything - sum(on_cpu.get(thread, 0) for thread in left) - not_for_us
    stolen = max(gained(before.stolen, after.stolen).values(), default=None)
    stolen_share = None if stolen is None else min(stolen / max(elapsed_ns, wall), 1.0)
    if not on_cpu:
        return Activity(None, ours / wall, None, stolen_share)
    queued = gained(before.queued, after.queued)
    if spent_by in queued:
        queued[spent_by] -= spent_queued_ns
    own = {thread: time for thread, time in on_cpu.items() if thread not in left}
    # Threads that came and went are in no list, but in what the process used.
    ended = everything - sum(on_cpu.values())
    active = sum(time >= ACTIVE * wall for time in own.values())
    active += ended >= max(ACTIVE * wall, _STALE_NS)
    # Not all threads together: two that sleep half of the time would look like one that works. A
    # thread that waits for another one, which others hold off, does not sleep: the longest queue.
    queue = max((time for thread, time in queued.items() if thread not in left), default=0)
    free = wall - queue - (stolen_share or 0.0) * wall
    busiest = max(
        (time - (spent_ns if thread == spent_by else 0) for thread, time in own.items()), default=0
    )
    awake = (busiest + ended) / free if free > ACTIVE * wall else None
    return Activity(max(active, 1), ours / wall, awake, stolen_share)
