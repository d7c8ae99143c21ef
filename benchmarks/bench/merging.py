"""What was measured before, beside what was measured now."""

from collections.abc import Iterator, Mapping

from benchmarks.bench.data import (
    BenchComparisonData,
    BenchData,
    BenchRowData,
    NotMeasuredData,
)


def merged(
    before: BenchData | None, found: BenchData, current: Mapping[str, str] | None = None
) -> BenchData:
    """Add what was measured before and not again, of the same files, machine and software.

    Args:
        before: What is there; None: nothing.
        found: What was measured now.
        current: By name the hash of each model that took part, measured or not.
    """
    if before is None or before.environment != found.environment:
        return found
    hashes = {row.name: row.sha256 for row in found.rows} | dict(current or {})
    return found.model_copy(
        update={
            "commands": (*before.commands, *found.commands),
            "rows": (*_rows(before, found, hashes), *found.rows),
            "comparisons": (*_comparisons(before, found, hashes), *found.comparisons),
            "not_measured": (*_not_measured(before, found), *found.not_measured),
        }
    )


def _rows(before: BenchData, found: BenchData, hashes: Mapping[str, str]) -> Iterator[BenchRowData]:
    def key(row: BenchRowData) -> tuple[object, ...]:
        load = (row.asked_rate, row.bound_ms)  # Of a server; else nothing.
        return (row.name, row.target, row.scenario, row.threads, row.batch, load)

    again = {key(row) for row in found.rows}
    for row in before.rows:
        is_changed = hashes.get(row.name, row.sha256) != row.sha256
        if key(row) not in again and not is_changed:
            yield row


def _comparisons(
    before: BenchData, found: BenchData, hashes: Mapping[str, str]
) -> Iterator[BenchComparisonData]:
    again = {(one.name, one.against, one.threads) for one in found.comparisons}
    for one in before.comparisons:
        same = hashes.get(one.name, one.sha256) == one.sha256
        same_opponent = hashes.get(one.against, one.against_sha256) == one.against_sha256
        if (one.name, one.against, one.threads) not in again and same and same_opponent:
            yield one


def _not_measured(before: BenchData, found: BenchData) -> Iterator[NotMeasuredData]:
    names = {row.name for row in found.rows} | {one.name for one in found.not_measured}
    return (one for one in before.not_measured if one.name not in names)
