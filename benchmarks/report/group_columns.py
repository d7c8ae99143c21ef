"""Quality by one column of groups, as text: how each fares, and whether chance explains it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.groups.data import (
    ColumnData,
    EstimateData,
    GapData,
    GroupData,
    GroupsData,
    ModelGroupsData,
)
from benchmarks.report.group_wording import DIGITS, POINTS, among, ends, share_cell
from benchmarks.report.tables import Cell, Table
from benchmarks.report.task_view import metric_heading
from benchmarks.report.wording import NOT_MEASURED, percent
from compress.metrics import metric_name


@dataclass(frozen=True)
class ColumnPart:
    """Groups by one column."""

    title: str
    sentences: tuple[str, ...]
    table: Table


def column_part(data: GroupsData, column: ColumnData, places: Sequence[int]) -> ColumnPart:
    """Return what the page says of one column.

    Args:
        data: What was measured by group.
        column: One of its columns.
        places: Which models are shown: the teacher first, the one that is spoken of last.
    """
    models = [column.models[place] for place in places]
    headings = (
        ("Cases", ""),
        *((model.name, metric_heading(data.metric)) for model in models),
        *((f"{model.name} keeps", "% of teacher") for model in models[1:]),
    )

    def cells(group: GroupData) -> Iterator[Cell]:
        few = f"under {data.minimum_cases}" if group.cases < data.minimum_cases else ""
        yield Cell(f"{group.cases:,}", "" if group.judged else f"{few or 'unknown'}: not judged")
        yield from (_estimate(model.quality.get(group.name)) for model in models)
        yield from (share_cell((model.kept_quality or {}).get(group.name)) for model in models[1:])

    of = "Items that are looked for" if column.of == "items" else "Users"
    return ColumnPart(
        title=f"{of}, by {'popularity' if column.of == 'items' else column.column}",
        sentences=tuple(_sentences(data, column, models)),
        table=Table(
            "", headings, tuple((group.name, tuple(cells(group))) for group in column.groups)
        ),
    )


def _estimate(found: EstimateData | None) -> Cell:
    if found is None:
        return Cell(NOT_MEASURED)
    if found.low is None or found.high is None:
        return Cell(f"{found.value:.4f}")
    return Cell(f"{found.value:.4f}", f"{found.low:.4f}–{found.high:.4f}")


def _sentences(
    data: GroupsData, column: ColumnData, models: Sequence[ModelGroupsData]
) -> Iterator[str]:
    teacher, shown = models[0], models[-1]
    name = metric_name(data.metric)
    kept, gap = shown.kept_gap, shown.quality_gap
    if kept is not None and shown.kept_quality is not None:
        low, high = shown.kept_quality[kept.worst], shown.kept_quality[kept.best]
        yield (
            f"{shown.name} keeps {percent(low.value)}% ({kept.worst}) to {percent(high.value)}% "
            f"({kept.best}) of the teacher’s {name}, {kept.value * POINTS:.1f} points apart "
            f"{among(kept.judged, kept.not_judged)}; {_chance(data, kept, POINTS, 1)}."
        )
    if gap is not None:
        own = "" if teacher.quality_gap is None else f", the teacher’s by {_plain(teacher)}"
        yield (
            f"Its {name} differs by {gap.value:.{DIGITS}f} between {gap.best} (best) and "
            f"{gap.worst} (worst) {among(gap.judged, gap.not_judged)}{own}; "
            f"{_chance(data, gap, 1.0, DIGITS)}."
        )
    if kept is not None and kept.not_judged:
        yield f"Too few cases to judge what is kept in: {', '.join(kept.not_judged)}."


def _plain(teacher: ModelGroupsData) -> str:
    gap = teacher.quality_gap
    return NOT_MEASURED if gap is None else f"{gap.value:.{DIGITS}f}"


def _chance(data: GroupsData, gap: GapData, scale: float, digits: int) -> str:
    """Say whether groups differ at all, at a level that allows for the number of columns."""
    mean, low, high = (f"{one * scale:.{digits}f}" for one in ends(gap.by_chance))
    share = f"p\u00a0=\u00a0{gap.p:.2g}"
    dealt = f"served alike, groups of these sizes lie {mean} apart ({low} to {high})"
    if gap.p < data.level:
        return f"{dealt}, so chance does not explain it ({share})"
    return f"{dealt}, so no difference between groups is shown ({share})"
