"""Asking a loaded model, one call after the other, and what is told by how long it takes."""

import gc
import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from time import perf_counter, perf_counter_ns

import numpy as np
from numpy.typing import NDArray

from export.runner import Runner
from export.samples import Inputs, Samples

SEED = 1
"""Of everything that is drawn while measuring."""
WARM_UP_QUERIES = 50
MOST_KEPT_OUT = 48
"""Examples that nothing is asked about before it is seen whether a second asking is faster."""
LEAST_KEPT_OUT = 8
GROWTH_BLOCKS = 8
_GROWTH_CALLS = 8
"""Calls that are asked over and over while memory is watched: a runtime's own store grows with
every new shape, and that is no leak."""
_TWICE_SECONDS = 2.0
GROWTH_QUERIES = 1000
_GROWTH_SECONDS = 5.0


def ask(runner: Runner, inputs: Inputs) -> int:
    """Return the nanoseconds from handing over one call to holding its answers as arrays."""
    started = perf_counter_ns()
    runner(inputs)
    return perf_counter_ns() - started


def warm_up(runner: Runner, calls: Sequence[Inputs], seconds: float) -> NDArray[np.int64]:
    """Ask for `seconds` and `WARM_UP_QUERIES` at least; return the nanoseconds of each call."""
    ends = perf_counter() + seconds
    took: list[int] = []
    for asked in count():
        if asked >= WARM_UP_QUERIES and perf_counter() >= ends:
            break
        took.append(ask(runner, calls[asked % len(calls)]))
    return np.array(took, dtype=np.int64)


def longest_call(samples: Samples, batch: int) -> Inputs:
    """Return the call that takes the most memory: the `batch` longest examples.

    Args:
        samples: N examples.
        batch: Examples of a call; fewer where there are no more.
    """
    lengths = samples.lengths
    if lengths is None:
        # Texts, whose lengths are their own; rows of numbers are all of the same one.
        texts = [array for array in samples.arrays.values() if array.dtype == object]
        lengths = np.zeros(len(samples), np.int32)
        for array in texts:
            lengths += [sum(map(len, row)) for row in array.reshape(len(array), -1)]
    rows = np.argsort(-lengths, kind="stable")[:batch].astype(np.int64)
    return samples.row(int(rows[0])) if batch == 1 else samples.batch(rows)


def keep_out(samples: Samples) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Divide examples into those that are asked and some that are kept back.

    One that is kept back has a partner of the same shapes that is not: what a runtime prepares for
    a new shape is then ready before the example is first asked.

    Args:
        samples: N examples.

    Returns:
        The numbers of those that are asked, in their order; of those kept back; and of the
        partners of these. None are kept back where there are too few.
    """
    random = np.random.default_rng(SEED)
    total = len(samples)
    wanted = min(MOST_KEPT_OUT, total // 4)
    lengths = np.zeros(total, np.int32) if samples.lengths is None else samples.lengths
    left = {int(length): int((lengths == length).sum()) for length in np.unique(lengths)}
    kept: list[int] = []
    for row in random.permutation(total).tolist() if wanted >= LEAST_KEPT_OUT else []:
        if len(kept) < wanted and left[int(lengths[row])] > 1:
            left[int(lengths[row])] -= 1
            kept.append(row)
    asked = np.setdiff1d(np.arange(total), kept).astype(np.int64)
    partners = [random.choice(asked[lengths[asked] == lengths[row]]) for row in kept]
    return asked, np.array(kept, dtype=np.int64), np.array(partners, dtype=np.int64)


def ask_twice(
    runner: Runner,
    samples: Samples,
    kept_out: NDArray[np.int64],
    partners: NDArray[np.int64],
    usual_ns: float,
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ask about examples that were never asked, one after the other, and then about them again.

    All of them once and then all of them again, so that the processor's own caches have forgotten
    one when its turn comes again.

    Args:
        runner: Warmed up.
        samples: N examples.
        kept_out: Numbers of those that were never asked.
        partners: Of others, of the same shapes, that are asked before.
        usual_ns: How long one takes; slow models are asked about fewer.

    Returns:
        The nanoseconds of the first and of the second asking, an example each.
    """
    affordable = max(LEAST_KEPT_OUT, int(_TWICE_SECONDS / 3 * 1e9 / max(usual_ns, 1.0)))
    # Copies: an input that was never looked at comes from the slowest memory there is.
    new = [_copied(samples.row(row)) for row in kept_out[:affordable].tolist()]
    for partner in partners[:affordable].tolist():
        runner(samples.row(partner))
    first = tuple([ask(runner, inputs) for inputs in new])
    return first, tuple([ask(runner, inputs) for inputs in new])


def _copied(inputs: Inputs) -> Inputs:
    return {name: array.copy() for name, array in inputs.items()}


def watch_memory(
    runner: Runner, calls: Sequence[Inputs], usual_ns: float
) -> tuple[tuple[float, ...], int]:
    """Ask blocks of equally many queries and look at the memory in between.

    The same few calls are asked again and again, once before the first look. Python's own garbage
    is collected before each look.

    Args:
        runner: Warmed up.
        calls: Inputs; the first ones are taken.
        usual_ns: How long one takes; models too slow for `GROWTH_QUERIES` in `_GROWTH_SECONDS` are
            asked fewer.

    Returns:
        Resident memory before, between and after the `GROWTH_BLOCKS` blocks, 10^3 bytes, and the
        queries of all blocks; nothing and 0 where the system does not say.
    """
    statm = Path("/proc/self/statm")
    if not statm.exists():
        return (), 0
    page = os.sysconf("SC_PAGE_SIZE")
    calls = calls[:_GROWTH_CALLS]
    for inputs in calls:
        runner(inputs)
    affordable = _GROWTH_SECONDS * 1e9 / max(usual_ns, 1.0)
    each = max(4, int(min(GROWTH_QUERIES, affordable) / GROWTH_BLOCKS))

    def resident() -> float:
        gc.collect()
        return int(statm.read_text(encoding="ascii").split()[1]) * page / 1e3

    seen = [resident()]
    for block in range(GROWTH_BLOCKS):
        for number in range(block * each, (block + 1) * each):
            runner(calls[number % len(calls)])
        seen.append(resident())
    return tuple(seen), GROWTH_BLOCKS * each
