"""By group, as text: who is served how well, which items are shown, and what is protected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.groups.data import ColumnData, GroupsData, ProtectVerdictData
from benchmarks.report.group_columns import ColumnPart, column_part
from benchmarks.report.group_exposure import shown_sentences, shown_table
from benchmarks.report.group_wording import (
    among,
    apart,
    gap_text,
    protected_metric,
)
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import NOT_MEASURED
from compress.metrics import metric_name

_CHANCE = 0.05
"""Intervals that exclude 0 where there is nothing, as 95% ones do."""


@dataclass(frozen=True)
class ProtectedTable:
    """A row a file, a column a difference that the recipe limits."""

    headings: tuple[tuple[str, str], ...]
    """What is limited, and how far."""
    rows: tuple[tuple[str, tuple[tuple[Cell, bool | None], ...]], ...]
    """Name of the file; what it reaches of each, and whether that is kept; None: not measured."""


@dataclass(frozen=True)
class GroupsSection:
    """What the page says by group."""

    findings: tuple[str, ...]
    """The first sentence is the finding."""
    protected: ProtectedTable | None
    columns: tuple[ColumnPart, ...]
    shown_sentences: tuple[str, ...]
    shown: Table
    notes: tuple[str, ...]


def groups_section(
    data: GroupsData, best: str | None, protected: Sequence[ProtectVerdictData] = ()
) -> GroupsSection:
    """Return what the section says, of teacher, student and the file to ship.

    Args:
        data: What was measured by group.
        best: Path of the file that the headline speaks of; without it, or where its quality was
            not measured, the student is spoken of.
        protected: Of the report's budget.
    """
    places = _places(data, best)
    names = {model.path: model.name for model in data.exposure.models}
    return GroupsSection(
        findings=tuple(_findings(data, places[-1], best, protected)),
        protected=_protected_table(protected, names, data.metric) if protected else None,
        columns=tuple(column_part(data, column, places) for column in data.columns),
        shown_sentences=tuple(shown_sentences(data, places[-1])),
        shown=shown_table(data, places),
        notes=tuple(_notes(data)),
    )


def protected_as_table(protected: ProtectedTable) -> Table:
    """Return what is protected as a plain table: whether it is kept stands in the small print."""

    def noted(cell: Cell, met: bool | None) -> Cell:
        verdict = {True: "kept", False: "broken", None: ""}[met]
        return Cell(cell.text, ": ".join(one for one in (verdict, cell.note) if one))

    rows = ((name, tuple(noted(*one) for one in cells)) for name, cells in protected.rows)
    return Table("Protected", protected.headings, tuple(rows))


def protect_complaints(verdicts: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each difference that the recipe limits and that a file does not keep to.

    Args:
        verdicts: `budget.protected` of a `report.json` whose budget no file keeps.
    """
    entries = dict.fromkeys((one["column"], one["of"], one["max_gap"]) for one in verdicts)
    for entry in entries:
        of_entry = [one for one in verdicts if (one["column"], one["of"], one["max_gap"]) == entry]
        broken = [one for one in of_entry if not one["met"]]
        if not broken:
            continue
        column, of, allowed = entry
        judged = [one for one in broken if one["reached"] is not None]
        if not judged:
            if len(broken) == len(of_entry):
                why = "; ".join(dict.fromkeys(one["because"] for one in broken))
                yield f"protect: {column} ({of}) could not be judged of any file: {why}."
            continue
        closest = min(judged, key=lambda one: float(one["reached"]))
        others = "" if len(judged) == 1 else f" {len(judged)} files break it; this comes closest."
        chance = closest["by_chance"]
        yield (
            f"protect: {column} ({of}): {closest['path']} reaches {closest['reached']:.4g} between "
            f"{closest['best']} (best) and {closest['worst']} (worst), "
            f"{among(closest['judged'], closest['not_judged'])}; the recipe allows {allowed:g}. "
            f"Groups of these sizes that are served alike lie {chance['value']:.2g} apart "
            f"({chance['low']:.2g} to {chance['high']:.2g}).{others}"
        )


def _places(data: GroupsData, best: str | None) -> tuple[int, ...]:
    """Return which models are shown: teacher, student, and the file to ship."""
    models = data.exposure.models
    ship = [place for place, model in enumerate(models) if best and model.path == best]
    student = [place for place, model in enumerate(models) if model.role == "student"]
    return (0, *student[:1], *ship)


def _findings(
    data: GroupsData, place: int, best: str | None, protected: Sequence[ProtectVerdictData]
) -> Iterator[str]:
    broken = [one for one in protected if not one.met and one.path == best]
    if broken:
        named = "; ".join(_broken(one, data.metric) for one in broken)
        yield f"What the recipe protects is not kept: {named}."
    found = [
        (column, wider)
        for column in data.columns
        if (wider := column.models[place].wider) is not None
    ]
    name, metric = data.exposure.models[place].name, metric_name(data.metric)
    if not found:
        yield (
            f"No two groups have at least {data.minimum_cases} test cases, so nothing can be said "
            "about differences between groups."
        )
        return
    further = [(column, wider) for column, wider in found if wider.low > 0]
    closer = [(column, wider) for column, wider in found if wider.high < 0]
    rest = [one for one in found if one not in further and one not in closer]
    parts = []
    if further:
        parts.append(f"wider in {name} than in its teacher {_by(further)}")
    if closer:
        parts.append(f"narrower {_by(closer)}" if parts else f"narrower in {name} {_by(closer)}")
    if parts:
        end = f"; no other is shown to differ: {_by(rest)}" if rest else ""
        differ = ", and ".join(parts)
        yield f"The {metric} gap between the best and the worst group is {differ}{end}."
    else:
        yield (
            f"No gap between groups is shown to be wider in {name} than in its teacher: {metric} "
            f"{_by(rest)}."
        )


def _by(found: Sequence[tuple[ColumnData, IntervalData]]) -> str:
    return ", ".join(f"by {_title(column)} {apart(wider)}" for column, wider in found)


def _title(column: ColumnData) -> str:
    return "item popularity" if column.of == "items" else column.column


def _broken(one: ProtectVerdictData, metric: str) -> str:
    if one.reached is None:
        return f"{one.column} could not be judged, {one.because}"
    reached, allowed = gap_text(one.reached, one.of), gap_text(one.max_gap, one.of)
    what = protected_metric(one.of, metric)
    return f"by {one.column} {what} differs by {reached}, {allowed} is allowed"


def _protected_table(
    protected: Sequence[ProtectVerdictData], names: Mapping[str | None, str], metric: str
) -> ProtectedTable:
    entries = dict.fromkeys((one.column, one.of, one.max_gap) for one in protected)
    found: dict[tuple[str, tuple[str, str, float]], ProtectVerdictData] = {
        (one.path, (one.column, one.of, one.max_gap)): one for one in protected
    }

    def cell(path: str, entry: tuple[str, str, float]) -> tuple[Cell, bool | None]:
        one = found[path, entry]
        return _protected_cell(one), None if one.reached is None else one.met

    return ProtectedTable(
        headings=tuple(
            (f"{column}: {protected_metric(of, metric)}", f"at most {gap_text(allowed, of)}")
            for column, of, allowed in entries
        ),
        rows=tuple(
            (names.get(path, path), tuple(cell(path, entry) for entry in entries))
            for path in dict.fromkeys(one.path for one in protected)
        ),
    )


def _protected_cell(one: ProtectVerdictData) -> Cell:
    if one.reached is None:
        return Cell(NOT_MEASURED, one.because or "")
    return Cell(
        gap_text(one.reached, one.of),
        f"best {one.best}, worst {one.worst}, {among(one.judged, one.not_judged)}",
    )


def _notes(data: GroupsData) -> Iterator[str]:
    compared = sum(column.models[-1].wider is not None for column in data.columns)
    yield (
        "A gap is the best group’s figure minus the worst’s, of groups with at least "
        f"{data.minimum_cases} test cases; of kept shares, the teacher must find the item of at "
        f"least {data.minimum_finds} of them. It is never negative, so groups that are served "
        "alike have one, too: the range beside it is that of such groups, no interval of the gap."
    )
    yield (
        "p is of a permutation test that all groups are served alike, studentized, as groups also "
        "differ in how much their cases vary (Janssen 1997; Chung and Romano 2013). With "
        f"{2 * len(data.columns)} tests of a file, two a way of grouping, chance counts as ruled "
        f"out below p = {data.level:.2g}: 5% over all of them."
    )
    if compared:
        yield (
            f"By how much gaps are wider than the teacher’s are {compared} comparisons, each with "
            "a 95% interval of its own, not widened for their number: were there no difference "
            f"anywhere, about {compared * _CHANCE:.1f} of them would still exclude 0."
        )
    yield (
        "Head: the most popular items that together draw the first 20% of the training events; "
        "tail: the least popular that draw the last 20% (Abdollahpouri et al. 2021). Novelty: mean "
        "of −log₂ of the share of training users who know an item (Zhou et al. 2010). Coverage and "
        "Gini are over the whole catalogue."
    )
    yield (
        "Intervals of groups and of how much wider a gap is resample all test cases, models "
        "paired; those of coverage and Gini are the jackknife’s, as a resample with repeated cases "
        "shows fewer items than the cases do. Each interval is 95% by itself."
    )
