"""By group, as text: who is served how well, which items are shown, and what is protected."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.groups.data import ColumnData, GroupsData, ProtectVerdictData
from benchmarks.report.group_columns import ColumnPart, chance_level, column_part
from benchmarks.report.group_exposure import shown_sentences, shown_table
from benchmarks.report.group_wording import DIGITS, POINTS, apart
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table
from benchmarks.report.wording import NOT_MEASURED
from compress.metrics import metric_name


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
        closest = min(broken, key=lambda one: one["reached"] or 0.0)
        if closest["reached"] is None:
            yield f"protect: {column} ({of}) could not be judged: {closest['because']}."
            continue
        others = "" if len(broken) == 1 else f" {len(broken)} files break it; this comes closest."
        chance = closest["by_chance"]
        yield (
            f"protect: {column} ({of}): {closest['path']} reaches {closest['reached']:.4g} between "
            f"{closest['best']} (best) and {closest['worst']} (worst), the recipe allows "
            f"{allowed:g}. Groups of these sizes dealt at random lie {chance['value']:.2g} apart "
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
    reached, allowed = _gap_text(one.reached, one.of), _gap_text(one.max_gap, one.of)
    return f"by {one.column} {_what(one.of, metric)} differs by {reached}, {allowed} is allowed"


def _what(of: str, metric: str) -> str:
    name = metric_name(metric)
    return f"the kept share of {name}" if of == "kept_quality" else name


def _gap_text(value: float, of: str) -> str:
    return f"{value * POINTS:.1f} points" if of == "kept_quality" else f"{value:.{DIGITS}f}"


def _protected_table(
    protected: Sequence[ProtectVerdictData], names: Mapping[str | None, str], metric: str
) -> ProtectedTable:
    entries = dict.fromkeys((one.column, one.of, one.max_gap) for one in protected)
    found: dict[tuple[str, tuple[str, str, float]], ProtectVerdictData] = {
        (one.path, (one.column, one.of, one.max_gap)): one for one in protected
    }

    def cell(path: str, entry: tuple[str, str, float]) -> tuple[Cell, bool | None]:
        one = found.get((path, entry))
        return (Cell(NOT_MEASURED), None) if one is None else (_protected_cell(one), one.met)

    return ProtectedTable(
        headings=tuple(
            (f"{column}: {_what(of, metric)}", f"at most {_gap_text(allowed, of)}")
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
    return Cell(_gap_text(one.reached, one.of), f"best {one.best}, worst {one.worst}")


def _notes(data: GroupsData) -> Iterator[str]:
    yield (
        "A gap is the best group’s figure minus the worst’s, of groups with at least "
        f"{data.minimum_cases} test cases. It is never negative, and groups dealt at random have "
        "one, too: p is the share of such deals with a gap as large. With "
        f"{len(data.columns)} ways of grouping, chance counts as ruled out below p = "
        f"{chance_level(data):.2g}."
    )
    yield (
        "Head: the most popular items that together draw the first 20% of the training events; "
        "tail: the least popular that draw the last 20% (Abdollahpouri et al. 2021). Novelty: mean "
        "of −log₂ of the share of training users who know an item (Vargas and Castells 2011). "
        "Coverage and Gini are over the whole catalogue."
    )
    yield (
        "Intervals resample all test cases, models paired; those of coverage and Gini are the "
        "jackknife’s, as a resample with repeated cases shows fewer items than the cases do. Each "
        "interval is 95% by itself: of twenty without any difference, one excludes 0."
    )
