"""What `limbeck bench` shows in the terminal."""

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Table

from benchmarks.bench.data import BenchComparisonData, BenchData, BenchRowData
from benchmarks.report.wording import rounds_in_words, significant
from benchmarks.timing.rules import LEAST_AGREEMENT

_HEADINGS = (
    ("size", "MB"), ("memory", "MB"), ("cold start", "ms"), ("p50", "ms"), ("p90", "ms"),
    ("p99", "ms"), ("examples", "a second"),
)  # fmt: skip


def bench_table(found: BenchData) -> Table:
    """Return a row a measurement."""
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    table.add_column("file", overflow="fold", min_width=10)
    table.add_column("scenario", no_wrap=True)
    several = any(row.threads > 1 for row in found.rows)
    if several:
        table.add_column("threads", justify="right")
    for title, unit in _HEADINGS:
        table.add_column(f"{title}\n{unit}", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    before = ""
    for row in found.rows:
        is_first = row.name != before
        before = row.name
        table.add_row(
            escape(row.name) if is_first else "",
            scenario_in_words(row),
            *((str(row.threads),) if several else ()),
            significant(row.bytes / 1e6) if is_first else "",
            significant(row.memory_mb),
            significant(row.cold_start_ms),
            significant(row.p50_ms),
            significant(row.p90_ms),
            significant(row.p99_ms),
            significant(row.throughput),
            escape(mark_of(row)),
        )
    return table


def scenario_in_words(row: BenchRowData) -> str:
    """Name the scenario with what it was put to."""
    where = " in a browser" if row.target == "browser" else ""
    if row.scenario == "offline":
        return f"offline, calls of {row.batch}"
    if row.scenario == "multi-stream":
        return f"multi-stream of {row.batch}"
    if row.scenario == "server" and row.rate is not None:
        return f"server, {significant(row.rate)}/s"
    return row.scenario + where


def mark_of(row: BenchRowData) -> str:
    """Say what a reader must know of a row: which rules it breaks, and whether it was noisy."""
    rules = ", ".join(one.rule for one in row.broken)
    marks = [f"invalid: {rules}"] if rules else []
    if not row.quiet:
        marks.append(f"noisy ({row.noise_drift:.0%})")
    if row.calls_a_reading > 1:
        marks.append(f"means of {row.calls_a_reading} calls")
    return "; ".join(marks)


def bench_sentences(found: BenchData) -> Iterator[str]:
    """Yield what the table does not hold: comparisons, broken rules, and what was not measured."""
    for one in found.comparisons:
        ratio = one.p90_ratio
        yield (
            f"{one.name} takes {ratio.value:.3f} [{ratio.low:.3f}, {ratio.high:.3f}] of the p90 "
            f"latency of {one.against} ({rounds_in_words(one.rounds, one.restarts)} in turn, "
            f"{_threads(one.threads)}){_alike(one)}."
        )
    for threads in dict.fromkeys(row.threads for row in found.rows if row.target == "cpu"):
        if threads > found.environment.cores:
            yield (
                f"{threads} threads had {found.environment.cores} processors: they waited for each "
                "other, and were kept to none of them."
            )
    for row in found.rows:
        for broken in row.broken:
            yield f"{row.name}, {scenario_in_words(row)}: {broken.because}"
    for missing in found.not_measured:
        where: str = missing.target if missing.scenario is None else missing.scenario
        if missing.batch is not None and missing.batch > 1:
            where += f", {missing.batch} at once"
        yield f"{missing.name} was not measured ({where}): {missing.because}"


def _alike(one: BenchComparisonData) -> str:
    """Say whether both did the same work."""
    if not one.same_examples:
        return "; each was asked inputs of its own, which may be more or less work"
    if one.agreement is None:
        return ""
    found = f"; their answers agree to {one.agreement:.2f}"
    return found if one.agreement >= LEAST_AGREEMENT else f"{found}: these are different models"


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"
