"""How the figures of a report came about, in sentences that are printed with them.

For next-item; what tasks that read text say beside it is in `benchmarks.report.text_protocol`.
"""

from benchmarks.timing.asking import WARM_UP_QUERIES
from benchmarks.timing.early_stopping import queries_needed
from benchmarks.timing.timing import MOST_DRIFT
from compress.recipe import Benchmark, GlobalTime, NextItemRecipe


def protocol_lines(
    recipe: NextItemRecipe,
    *,
    cases: int,
    items: int,
    queries: int,
    seconds: float,
    rounds: int | None = None,
) -> tuple[str, ...]:
    """Return the evaluation protocol.

    Args:
        recipe: The job.
        cases: Test cases.
        items: Size of the catalogue.
        queries: Least number of latency queries, as really asked for (`--quick` lowers it).
        seconds: Least time of asking them.
        rounds: In which our files and peers were asked in turn; None where there is no peer.
    """
    task, benchmark = recipe.task, recipe.benchmark
    return (
        f"Full ranking over the whole catalogue of {items:,} items, never sampled negatives.",
        _split_line(recipe) + f" {cases:,} test cases; events of equal time keep the order of "
        "the file.",
        f"Seen items cannot be recommended: the model masks the last {task.history_length} of a "
        f"history, what is older is taken out of the {task.top_k} items that it returns. "
        "Unmasked figures come from the same model without its mask; tables of other people mix "
        "both.",
        "Every row ranked every test case through its own runtime: the figures of a file are the "
        "file’s, asked one case at a time as an app does.",
        "One target a case, so Recall@k equals Hit@k; NDCG@k is 1 / log2(rank + 1), MRR@k is "
        "1 / rank, 0 outside the first k.",
        f"Brackets are 95% percentile-bootstrap intervals over cases ({benchmark.bootstrap:,} "
        f"resamples, seed {recipe.seed}); differences and ratios resample the same cases for "
        "both sides. An interval that crosses no difference supports no claim.",
        "Fidelity: mean share of the first 10 items in common, masked; and for a file the "
        "largest difference of a score from the PyTorch student’s.",
        *latency_lines(benchmark, queries=queries, seconds=seconds, inputs="real histories"),
        *(() if rounds is None else (peer_line(rounds),)),
    )


def peer_line(rounds: int) -> str:
    """Return how peers are made, measured and compared with, whatever the task.

    Args:
        rounds: In which our files and peers were asked in turn.
    """
    return (
        "Peers: the same student through other tools as their users type it (listed with their "
        "figures), asked about the same test split in the types that each takes, quality and "
        "latency measured alike; what an app has to do around a tool’s file, such as the softmax, "
        "is part of its call, and compiling is part of loading. For ratios of p90 latencies our "
        f"int8 files, the student in PyTorch and all peers were asked in turn, {rounds:,} rounds "
        "in one session, each loaded several times anew; the intervals are over these processes."
    )


def latency_lines(
    benchmark: Benchmark, *, queries: int, seconds: float, inputs: str
) -> tuple[str, ...]:
    """Return how latency, load time and memory are measured, whatever the task.

    Args:
        benchmark: The recipe's section.
        queries: Least number of queries, as really asked for.
        seconds: Least time of asking them.
        inputs: What a query is drawn from.
    """
    return (
        f"Latency: MLPerf LoadGen, single stream, batch 1, {benchmark.threads} "
        f"{'thread' if benchmark.threads == 1 else 'threads'}, a fresh process a row, at least "
        f"{WARM_UP_QUERIES} warm-up queries, then at least {queries:,} queries and {seconds:g} s "
        f"over {inputs}; Python’s call overhead included.",
        "A percentile is given when MLPerf’s early-stopping rule finds enough queries for it: "
        f"{queries_needed(90)} for p90, {queries_needed(95)} for p95, {queries_needed(99)} for "
        f"p99, {queries_needed(99.9):,} for p99.9. p50, p90 and p95 always appear, marked ≈ "
        "where there are fewer.",
        f"The process keeps to {_processors(benchmark.threads)} where the system allows it. The "
        "threads that were really at work are counted by the kernel. A fixed loop is timed before, "
        f"between and after the queries: where it drifts by more than {MOST_DRIFT:.0%}, the row is "
        "marked noisy.",
        "A row is invalid, and says which rule it breaks, when LoadGen calls it so, the two clocks "
        "disagree, more threads work than allowed, the model sleeps instead of computing, answers "
        "faster what it was asked before, leaks memory, or gives other answers while it is timed "
        "than when its quality was measured.",
        "“× teacher” is the row’s p90 over the teacher’s, all rows asked in turn in one session, "
        "each in a process of its own, several times anew; the interval is over these processes.",
        "Load time starts with the runtime imported and the file in the page cache; a cold start "
        "goes from starting the process to the first answer, Python’s own start included. Memory "
        "is the process’s highest resident size up to the end of the warm-up, interpreter and "
        "runtime included.",
    )


def _processors(threads: int) -> str:
    return "one processor" if threads == 1 else f"{threads} processors"


def _split_line(recipe: NextItemRecipe) -> str:
    split = recipe.data.split
    if isinstance(split, GlobalTime):
        return (
            f"Split global-time: the last {split.test:.0%} of all events are the test period, "
            f"the {split.validation:.0%} before it validation; a user’s first event in a period "
            "is the target."
        )
    return (
        "Split leave-one-out: each user’s last event is the test target, the one before it the "
        "validation target."
    )
