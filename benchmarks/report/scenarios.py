"""The files in MLPerf's other scenarios: a table each, and what breaks a rule."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.bench.data import BenchData, BenchRowData
from benchmarks.bench.terminal import mark_of, scenario_in_words
from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import NOT_MEASURED, significant

_PERCENTILES = (("p50", "ms"), ("p90", "ms"), ("p99", "ms"))


@dataclass(frozen=True)
class ScenariosSection:
    """What the page says of them."""

    sentences: tuple[str, ...]
    tables: tuple[Table, ...]
    broken: tuple[str, ...]
    """Results that break a rule, one sentence each."""
    missing: tuple[tuple[str, str], ...]
    """Name of a file and why it was not measured."""


def scenarios_section(found: BenchData) -> ScenariosSection:
    """Return what the section says.

    Args:
        found: Of the stage `scenarios`.
    """
    tables = (_queries(found.rows, "multi-stream"), _offline(found.rows), _server(found.rows))
    return ScenariosSection(
        sentences=tuple(_sentences(found.rows)),
        tables=tuple(one for one in tables if one is not None),
        broken=tuple(
            f"{row.name}, {scenario_in_words(row)}: {broken.because}"
            for row in found.rows
            for broken in row.broken
        ),
        missing=tuple(
            (one.name if one.scenario is None else f"{one.name}, {one.scenario}", one.because)
            for one in found.not_measured
        ),
    )


def _sentences(rows: Sequence[BenchRowData]) -> Iterator[str]:
    offline = [row for row in rows if row.scenario == "offline" and row.valid]
    if offline:
        best = max(offline, key=lambda row: row.throughput)
        yield (
            f"{best.name} answers most: {significant(best.throughput)} examples a second on "
            f"{_threads(best.threads)}, {best.batch:,} in a call."
        )
    server = [row for row in rows if row.scenario == "server"]
    if server:
        kept = [row for row in server if row.valid]
        yield (
            f"{len(kept)} of {len(server)} files keep p99 within "
            f"{significant(server[0].bound_ms)} ms at the rate that they were given."
        )


def _queries(rows: Sequence[BenchRowData], scenario: str) -> Table | None:
    chosen = [row for row in rows if row.scenario == scenario]
    if not chosen:
        return None
    return Table(
        f"Multi-stream: {chosen[0].batch} examples a query, one query after the other",
        (*_PERCENTILES, ("Throughput", "examples a second")),
        tuple(
            (
                row.name,
                (
                    *_percentiles(row),
                    Cell(significant(row.throughput), mark_of(row)),
                ),
            )
            for row in chosen
        ),
    )


def _offline(rows: Sequence[BenchRowData]) -> Table | None:
    chosen = {(row.name, row.batch): row for row in rows if row.scenario == "offline"}
    if not chosen:
        return None
    batches = sorted({batch for _, batch in chosen})
    names = dict.fromkeys(name for name, _ in chosen)

    def cell(name: str, batch: int) -> Cell:
        row = chosen.get((name, batch))
        return (
            Cell(NOT_MEASURED) if row is None else Cell(significant(row.throughput), mark_of(row))
        )

    return Table(
        "Offline: everything at once, in calls of",
        tuple((f"{batch:,}", "examples a second") for batch in batches),
        tuple((name, tuple(cell(name, batch) for batch in batches)) for name in names),
    )


def _server(rows: Sequence[BenchRowData]) -> Table | None:
    chosen = [row for row in rows if row.scenario == "server"]
    if not chosen:
        return None
    return Table(
        "Server: queries arrive at random (Poisson), whether the last one is answered or not",
        (
            ("Rate", "queries a second"),
            ("p50", "ms"),
            ("p90", "ms"),
            ("p99", "ms"),
            ("Verdict", ""),
        ),
        tuple(
            (
                row.name,
                (
                    Cell(significant(row.rate)),
                    *_percentiles(row),
                    Cell("valid" if row.valid else "not valid", mark_of(row)),
                ),
            )
            for row in chosen
        ),
    )


def _percentiles(row: BenchRowData) -> tuple[Cell, Cell, Cell]:
    return (
        Cell(significant(row.p50_ms)),
        Cell(significant(row.p90_ms)),
        Cell(significant(row.p99_ms)),
    )


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"
