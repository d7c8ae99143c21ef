"""Answering LoadGen's queries of many examples: multi-stream's and offline's calls.

Both put their calls together outside of the time that is measured.
"""

from collections.abc import Callable
from importlib import import_module
from time import perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.timing.record import Record
from export.runner import Runner
from export.samples import Inputs, Samples

Issue = Callable[[list[Any]], None]
"""Is handed LoadGen's queries, one or many samples each."""

_CALLS_AHEAD = 64
"""Calls of an offline system that are put together at once, outside of the time."""
_MOST_PREPARED = 256 * 2**20
"""Bytes of multi-stream queries that are put together before the first one comes."""


class PreparedCalls:
    """Multi-stream queries, put together while LoadGen lets examples be loaded.

    A query is examples that follow one another in the order in which LoadGen had them loaded
    (`loadgen.cc`, `GenerateQueries`).
    """

    def __init__(self, samples: Samples, batch: int) -> None:
        self._samples, self._batch = samples, batch
        self._calls: dict[tuple[int, ...], Inputs] = {}

    def load(self, rows: list[int]) -> None:
        """Put the calls together that can be made of these examples in this order."""
        taken = 0
        for first in range(len(rows) - self._batch + 1):
            call = tuple(rows[first : first + self._batch])
            self._calls[call] = inputs = self._samples.batch(np.array(call, dtype=np.int64))
            taken += sum(array.nbytes for array in inputs.values())
            if taken > _MOST_PREPARED:
                break

    def get(self, rows: list[int]) -> Inputs:
        """Return a call that was put together before, or put it together now."""
        found = self._calls.get(tuple(rows))
        return found or self._samples.batch(np.array(rows, dtype=np.int64))


def issue_streams(runner: Runner, prepared: PreparedCalls, record: Record, batch: int) -> Issue:
    """Answer a query of `batch` samples in one call."""
    call = _call(runner, record, batch)

    def issue(queries: list[Any]) -> None:
        rows = [query.index for query in queries]
        ended = call(queries, rows, prepared.get(rows))
        if ended >= record.next_probe:
            record.read_probe()

    return issue


def issue_offline(runner: Runner, samples: Samples, record: Record, batch: int) -> Issue:
    """Answer the one query of very many samples in calls of `batch`.

    Calls are put together outside of the time, some ahead; LoadGen's own clock goes on meanwhile,
    and while the probe is read.
    """
    call, clock = _call(runner, record, batch), perf_counter_ns

    def issue(queries: list[Any]) -> None:
        ahead = _CALLS_AHEAD * batch
        for start in range(0, len(queries), ahead):
            with record.pause():
                parts = [
                    queries[first : first + batch]
                    for first in range(start, min(start + ahead, len(queries)), batch)
                ]
                asked = [[query.index for query in part] for part in parts]
                inputs = [samples.batch(np.array(rows, dtype=np.int64)) for rows in asked]
            for part, rows, given in zip(parts, asked, inputs, strict=True):
                if clock() >= record.next_probe:
                    record.read_probe()
                call(part, rows, given)

    return issue


def _call(
    runner: Runner, record: Record, batch: int
) -> Callable[[list[Any], list[int], Inputs], int]:
    """Return what answers some of LoadGen's queries at once and says when it had the answers."""
    loadgen = import_module("mlperf_loadgen")
    complete = loadgen.QuerySamplesComplete
    responses = [loadgen.QuerySampleResponse(0, 0, 0) for _ in range(batch)]
    latencies, clock = record.latencies, perf_counter_ns

    def call(part: list[Any], rows: list[int], inputs: Inputs) -> int:
        started = clock()
        answer = runner(inputs)
        ended = clock()
        for response, query in zip(responses, part, strict=False):
            response.id = query.id
        complete(responses[: len(part)])
        asked = record.asked
        latencies[asked] = ended - started
        record.asked = asked + 1
        record.examples += len(rows)
        if asked == record.next_kept:
            record.keep(rows, answer)
        return ended

    return call
