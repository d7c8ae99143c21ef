"""The files of report.html, as text: how each one was checked, what it is, who keeps the budget."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.groups.data import ProtectVerdictData
from benchmarks.report.data import ArtifactData, Detail, ReportData, VerdictData
from benchmarks.report.group_wording import among, gap_text, protected_metric
from benchmarks.report.tables import Cell
from benchmarks.report.wording import NOT_MEASURED, percent, share, significant
from compress.metrics import metric_name

GRAPH_FIGURES = ("graph_agreement", "graph_max_abs_difference")
"""Details that say how the graph answered which a file that cannot be run was built from."""

ProtectEntry = tuple[str, str, float]
"""Of the recipe's `protect`: column, of what, and the largest gap."""

_SHORT = 48
"""Characters of a detail that a line takes; a longer one is folded."""
_IN_VIEW = 4
"""Details that are seen at once."""


@dataclass(frozen=True)
class Fact:
    """One thing that a format says of a file."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name} {self.value}"


@dataclass(frozen=True)
class FileRow:
    """A file's row of the table."""

    name: str
    path: tuple[str, ...]
    """In the parts between which a line may break."""
    sha256: str
    target: str
    size: str
    checked: Cell
    verdict: str
    """`verified`, `refused` or `not run`; in what colour the template says."""
    figures: tuple[Cell, ...]
    """Cases, agreement in percent, largest difference."""
    refused: str | None
    facts: tuple[Fact, ...]
    folded: tuple[Fact, ...]


@dataclass(frozen=True)
class BudgetTable:
    """A row a file, a column a limit or a difference between groups that is protected."""

    headings: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[tuple[str, bool | None], ...], bool], ...]
    """Name of the row; what it reached of each limit and whether that keeps it, None where it was
    not measured; whether the file fits."""


def file_rows(report: ReportData) -> Iterator[FileRow]:
    """Yield what the page says of each file that was written."""
    for one in report.artifacts:
        shown, folded = _facts(one)
        yield FileRow(
            name=one.name,
            path=path_parts(one.path),
            sha256=one.sha256,
            target=one.target,
            size=significant(one.bytes / 1e6),
            checked=_checked(one),
            verdict=verdict_of(one),
            figures=_figures(one),
            refused=one.refused_because,
            facts=shown,
            folded=folded,
        )


def checked_in_words(one: ArtifactData) -> str:
    """Say how a file was looked at."""
    if one.checked != "parsed" and one.check.agreement is None:
        return "did not answer"
    return one.checked


def verdict_of(one: ArtifactData) -> str:
    """Say what came of it."""
    if one.usable:
        return "verified"
    return "not run" if one.refused_because is None else "refused"


def path_parts(path: str) -> tuple[str, ...]:
    """Return a path in parts: a line may break after a slash and before a dot."""
    return tuple(part for part in re.split(r"(?<=/)|(?=\.)", path) if part)


def budget_table(report: ReportData) -> BudgetTable | None:
    """Hold the files against the limits; None where the recipe sets none."""
    limits, protected = report.budget.limits, _protect(report)
    if not limits and not protected:
        return None
    verdicts: dict[tuple[str, str], VerdictData] = {
        (one.path, one.limit): one for one in report.budget.verdicts
    }
    of_groups = {(one.path, _entry(one)): one for one in report.budget.protected}
    judged = {path for path, _ in (*verdicts, *of_groups)}
    return BudgetTable(
        headings=(
            *(_limit(name, allowed, report.metric) for name, allowed in limits.items()),
            *(_protected(entry, report.metric) for entry in protected),
        ),
        rows=tuple(
            (
                one.name,
                (
                    *(_reached(name, verdicts.get((one.path, name))) for name in limits),
                    *(_gap(of_groups.get((one.path, entry))) for entry in protected),
                ),
                one.path in report.budget.fits,
            )
            for one in report.artifacts
            if one.path in judged
        ),
    )


def _protect(report: ReportData) -> tuple[ProtectEntry, ...]:
    """Return what the recipe protects: as it says, for there may be no file with a verdict."""
    entries = report.recipe.get("protect") or ()
    return tuple((one["column"], one["of"], float(one["max_gap"])) for one in entries)


def _entry(one: ProtectVerdictData) -> ProtectEntry:
    return one.column, one.of, one.max_gap


def _protected(entry: ProtectEntry, metric: str) -> tuple[str, str]:
    column, of, allowed = entry
    what = protected_metric(of, metric)
    return f"Gap by {column}, {what}", f"at most {gap_text(allowed, of)}"


def _gap(one: ProtectVerdictData | None) -> tuple[str, bool | None]:
    """Return the gap and between how many groups it is."""
    if one is None or one.reached is None:
        return NOT_MEASURED, None
    return f"{gap_text(one.reached, one.of)} {among(one.judged, one.not_judged)}", one.met


def _checked(one: ArtifactData) -> Cell:
    instead = "its ONNX: " if one.checked == "parsed" and one.checked_with else ""
    return Cell(checked_in_words(one), instead + (one.checked_with or ""))


def _figures(one: ArtifactData) -> tuple[Cell, ...]:
    check = one.check
    of_graph = [one.details.get(name) for name in GRAPH_FIGURES]
    alike, apart = (value if isinstance(value, float | int) else None for value in of_graph)
    cases = f"{check.cases:,}" if check.cases else NOT_MEASURED
    return (
        _own_or_of_graph(NOT_MEASURED, cases) if one.checked == "parsed" else Cell(cases),
        _own_or_of_graph(percent(check.agreement), percent(alike)),
        _own_or_of_graph(significant(check.max_abs_difference), significant(apart)),
    )


def _own_or_of_graph(own: str, of_graph: str) -> Cell:
    """Show under what was not measured what its graph did, where that is known."""
    return Cell(own, "" if of_graph == NOT_MEASURED else f"its ONNX {of_graph}")


def _facts(one: ArtifactData) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Return the details that are seen at once, and those that are folded."""
    facts = [*_details(one.details)]
    if one.sidecars:
        facts.append(Fact("beside it", ", ".join(one.sidecars)))
    took = one.check.seconds_per_example
    if took is not None and one.checked == "evaluated":
        facts.insert(0, Fact("evaluated in", f"{significant(took)} s each"))
    short = [fact for fact in facts if len(str(fact)) <= _SHORT][:_IN_VIEW]
    return tuple(short), tuple(fact for fact in facts if fact not in short)


def _details(details: Mapping[str, Detail]) -> Iterator[Fact]:
    for name, value in details.items():
        if name not in GRAPH_FIGURES and value is not None and value not in ((), ""):
            yield _fact(name, value)


def _fact(name: str, value: Detail) -> Fact:
    words = name.replace("_", " ")
    if name.endswith("bytes") and isinstance(value, int | float):
        return Fact(words.removesuffix("bytes").strip() or "size", _size(value))
    return Fact(words, _value(value))


def _size(size: float) -> str:
    return f"{significant(size / 1e6)} MB" if size >= 1e5 else f"{significant(size / 1e3)} KB"


def _value(value: Detail) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return significant(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_value, value))
    return str(value)


def _limit(name: str, allowed: float, metric: str) -> tuple[str, str]:
    title, direction = {
        "megabytes": ("Size", "at most"),
        "milliseconds": ("p90 latency", "at most"),
        "kept_quality": (f"Teacher’s {metric_name(metric)} kept", "at least"),
    }[name]
    return title, f"{direction} {_amount(name, allowed)}"


def _reached(name: str, verdict: VerdictData | None) -> tuple[str, bool | None]:
    if verdict is None:
        return NOT_MEASURED, None
    return _amount(name, verdict.reached), verdict.met


def _amount(name: str, value: float) -> str:
    if name == "kept_quality":
        return share(value)
    return f"{significant(value)} {'MB' if name == 'megabytes' else 'ms'}"
