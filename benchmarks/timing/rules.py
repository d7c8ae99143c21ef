"""What a result must keep to beside LoadGen's own rules, and how it is told."""

from collections.abc import Iterator

import numpy as np

from benchmarks.timing.asking import GROWTH_QUERIES
from benchmarks.timing.job import MeasuringJob, Observed
from benchmarks.timing.timing import BrokenRule, Conduct

LEAST_AWAKE = 0.7
"""Least share of the answering time that a model's busiest thread was on a processor; the time in
which threads waited for one that other programs held is left out. A model that computes has about
1; what is missing to it was slept. The rest is for the hand-over between the threads of a runtime
that has several."""
MOST_REPEAT_RATIO = 1.5
"""How much longer an example may take that was never asked than when it is asked again at once. A
model that computes has about 1, as what a runtime prepares for a new shape was prepared before with
another example; one that looks the answer up has 10 or more. MLPerf's own audit for this (inference
compliance TEST04) asks the same sample all the time, and allows 10%, over ten minutes of it."""
MOST_UNSEEN_RATIO = 3.0
MOST_UNSEEN_US = 20.0
"""How much longer an example may take that was never asked than the usual timed call, which asks
the same examples very often: as a ratio, and by how much before that counts (a first look at an
input comes from memory). A batch takes longer than an example, so this holds for any call."""
MOST_GROWTH_KB = 1000.0
"""How much memory may grow in a thousand queries, 10^3 bytes, and how much at all before it counts:
allocators keep less than that back, and the kernel counts in lots of 256 KB."""
LEAST_GROWING = 0.75
"""Share of the blocks in which memory must grow to be called a leak: an arena that grows once is
none."""
MOST_OVER = 0.1
MOST_OVER_UNPINNED = 0.5
"""How much more processor time than its threads' may be used a second: many threads that each
work a little are many all the same. More where they could not be kept to as many processors."""
MOST_IN_CHILDREN = 0.05
"""Processor time that processes which the model started may use a second of answering."""
LEAST_AGREEMENT = 0.8
"""Least mean agreement of timed answers with the right ones. The coarsest scheme that passes
verification (int4) agrees with its student to 0.80; a ranking made up agrees to less than 0.1."""
LEAST_OWN_AGREEMENT = 0.99
LEAST_OWN_AGREEMENT_IN_BATCHES = 0.95
"""As above, with what the same model answered before it was timed, one example at a time: between
them lie rounding and ties, and in batches the scales of dynamic quantization."""
MOST_APART_MS = 0.05
MOST_APART = 0.05
"""How far the two clocks' medians may be apart: in milliseconds, or as a share of the median."""
_ELSEWHERE = frozenset({"tensorrt", "coreml"})
"""Runtimes that compute on another processor while ours sleeps, as they should."""


def conduct_of(observed: Observed, answers_checked: int, agreement: float | None) -> Conduct:
    """Return what the process was seen to do."""
    return Conduct(
        active_threads=observed.active_threads,
        cpu_share=observed.cpu_share,
        growth_kb=_growth_kb(observed),
        repeat_ratio=_repeat_ratio(observed),
        answers_checked=answers_checked,
        agreement=agreement,
    )


def broken_rules(
    job: MeasuringJob, observed: Observed, conduct: Conduct, is_own: bool = False
) -> Iterator[BrokenRule]:
    """Yield the rules that a model's conduct breaks.

    Args:
        job: What was measured, with how many threads.
        observed: By the process of itself.
        conduct: As `conduct_of` says.
        is_own: Whether the right answers are its own of before.
    """
    spec = job.spec
    active = conduct.active_threads
    over = MOST_OVER if observed.pinned_to else MOST_OVER_UNPINNED
    least = _least_agreement(job, is_own)
    if active is not None and active > spec.threads:
        yield BrokenRule(
            "threads",
            f"{active} threads were on a processor while it answered, "
            f"and {spec.threads} {'was' if spec.threads == 1 else 'were'} allowed.",
        )
    elif job.scenario.name != "server" and conduct.cpu_share > spec.threads + over:
        # Between a server's queries our own loop is at work, too.
        yield BrokenRule(
            "threads",
            f"{conduct.cpu_share:.2f} processors were busy while it answered, with "
            f"{spec.threads} {'thread' if spec.threads == 1 else 'threads'} allowed.",
        )
    elif observed.children_share > MOST_IN_CHILDREN:
        yield BrokenRule(
            "threads",
            f"Processes that it started kept {observed.children_share:.2f} processors busy while "
            "it answered; what they use is in no figure.",
        )
    awake = observed.awake_share
    if spec.runtime not in _ELSEWHERE and awake is not None and awake < LEAST_AWAKE:
        yield BrokenRule(
            "sleeps",
            f"Its busiest thread was on a processor in {awake:.0%} of the time that it took to "
            f"answer, "
            f"below {LEAST_AWAKE:.0%}, and no other program held them off: the rest was slept.",
        )
    ratio = conduct.repeat_ratio
    if ratio is not None and ratio > MOST_REPEAT_RATIO:
        yield BrokenRule(
            "caches",
            f"An example that it had never seen took {ratio:.1f} times as long as the same one "
            f"asked again, over {len(observed.first_ns)} examples; {MOST_REPEAT_RATIO} is the "
            "most allowed.",
        )
    if leaks(observed.rss_kb, observed.growth_queries):
        grown = (observed.rss_kb[-1] - observed.rss_kb[0]) / observed.growth_queries
        yield BrokenRule(
            "leaks",
            f"Its memory grew steadily, by {grown:.1f} MB in a "
            f"thousand queries (seen over {observed.growth_queries:,}).",
        )
    if observed.answers_faulty:
        yield BrokenRule(
            "answers",
            f"{observed.answers_faulty} of {observed.answers_kept} answers given while it was "
            f"timed are not as they must be: {'; '.join(observed.faults)}.",
        )
    elif conduct.agreement is not None and conduct.agreement < least:
        right = "those that it gave before" if is_own else "the right ones"
        yield BrokenRule(
            "answers",
            f"The answers given while it was timed agree with {right} to "
            f"{conduct.agreement:.2f} ({conduct.answers_checked} of them), below {least}.",
        )


def _least_agreement(job: MeasuringJob, is_own: bool) -> float:
    if not is_own:
        return LEAST_AGREEMENT
    return LEAST_OWN_AGREEMENT if job.scenario.batch == 1 else LEAST_OWN_AGREEMENT_IN_BATCHES


def looks_up(observed: Observed, timed_us: float) -> Iterator[BrokenRule]:
    """Yield the rule that a model breaks which is only fast at what it was asked often.

    Args:
        observed: By the process of itself.
        timed_us: Median of the timed calls, microseconds.
    """
    if not observed.first_ns:
        return
    unseen_us = float(np.median(observed.first_ns)) / 1e3
    if unseen_us > MOST_UNSEEN_RATIO * timed_us and unseen_us - timed_us > MOST_UNSEEN_US:
        yield BrokenRule(
            "caches",
            f"An example that it had never seen took {unseen_us:.3g} us, a timed call "
            f"{timed_us:.3g} us: it was timed with answers that it looked up.",
        )


def clocks_disagree(ours_ms: float, loadgens_ms: float) -> bool:
    """Whether two clocks' medians of the same queries are too far apart."""
    return abs(loadgens_ms - ours_ms) > max(MOST_APART_MS, MOST_APART * ours_ms)


def leaks(rss_kb: tuple[float, ...], queries: int) -> bool:
    """Whether memory grows with the queries.

    Args:
        rss_kb: Before, between and after blocks of equally many queries, 10^3 bytes.
        queries: Of all blocks.
    """
    if len(rss_kb) < 2 or not queries:
        return False
    steps = np.diff(rss_kb)
    grown = rss_kb[-1] - rss_kb[0]
    half = len(steps) // 2
    goes_on = steps[half:].sum() >= 0.5 * steps[:half].sum()
    return bool(
        grown > MOST_GROWTH_KB
        and grown / queries * 1000 > MOST_GROWTH_KB
        and (steps > 0).mean() >= LEAST_GROWING
        and goes_on
    )


def _growth_kb(observed: Observed) -> float | None:
    """None, too, where fewer queries were watched than `MOST_GROWTH_KB` is to be seen in."""
    if observed.growth_queries < GROWTH_QUERIES:
        return None
    return (observed.rss_kb[-1] - observed.rss_kb[0]) / observed.growth_queries * 1000


def _repeat_ratio(observed: Observed) -> float | None:
    """The median over examples, each held against itself, as examples differ in length."""
    if not observed.first_ns:
        return None
    ratios = np.array(observed.first_ns) / np.maximum(observed.again_ns, 1)
    return float(np.median(ratios))
