"""The per-class table of report.html: which classes the student loses against its teacher."""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.report.data import ArtifactData, ClassData, ReportData, RowData
from benchmarks.report.tables import Cell
from benchmarks.report.task_view import TaskView
from benchmarks.report.wording import NOT_MEASURED, signed

_NAMED = 3
"""Classes that the sentence names; the table has them all."""


@dataclass(frozen=True)
class SortableCell(Cell):
    """A cell and the number that it sorts by."""

    key: float = 0.0
    falls: bool = False
    """Whether it says that something got worse."""


@dataclass(frozen=True)
class ClassTable:
    """Each class in each model, the worst difference to the teacher first."""

    sentence: str
    compared: str
    """Name of the row whose difference to the teacher is shown."""
    models: tuple[str, ...]
    examples: str
    rows: tuple[tuple[str, tuple[SortableCell, ...]], ...]
    """Name of the class; its test examples, the difference, and its F1 in each model."""


def class_table(report: ReportData, view: TaskView) -> ClassTable | None:
    """Return the table; None for a task without classes.

    It compares the file that the headline speaks of, or else the student, with the teacher.
    """
    of_teacher = report.teacher.classes
    best = next((one for one in report.artifacts if one.path == report.best), None)
    shown = best if best is not None and best.classes is not None else report.student
    if of_teacher is None or shown.classes is None:
        return None
    of_shown = shown.classes
    losses = {name: of_shown[name].f1 - found.f1 for name, found in of_teacher.items()}
    tested = [name for name in of_teacher if of_teacher[name].support]
    order = sorted(tested, key=lambda name: (losses[name], -of_teacher[name].support, name))
    models = [row for row in _models(report) if row.classes is not None]
    return ClassTable(
        sentence=_sentence(shown.name, order, of_teacher, of_shown, view.examples),
        compared=shown.name,
        models=tuple(row.name for row in models),
        examples=view.examples,
        rows=tuple(
            (
                name,
                (
                    _count(of_teacher[name].support),
                    _difference(losses[name], of_teacher[name].support),
                    *(_f1(row.classes[name]) for row in models if row.classes is not None),
                ),
            )
            for name in (*order, *(name for name in of_teacher if name not in set(tested)))
        ),
    )


def _models(report: ReportData) -> Iterator[RowData | ArtifactData]:
    yield from (report.teacher, report.student_without_teacher, report.student)
    yield from report.artifacts


def _sentence(
    shown: str,
    order: list[str],
    of_teacher: dict[str, ClassData],
    of_shown: dict[str, ClassData],
    examples: str,
) -> str:
    worse = [name for name in order if of_shown[name].f1 < of_teacher[name].f1]
    if not worse:
        return f"By class: {shown} loses F1 against the teacher in none of {len(order)}."
    named = "; ".join(
        f"{name} {of_teacher[name].f1:.2f} → {of_shown[name].f1:.2f} "
        f"({of_teacher[name].support:,} {examples})"
        for name in worse[:_NAMED]
    )
    return (
        f"By class: {shown} loses F1 against the teacher in {len(worse)} of {len(order)}, "
        f"most in {named}."
    )


def _count(support: int) -> SortableCell:
    return SortableCell(f"{support:,}", key=support)


def _difference(loss: float, support: int) -> SortableCell:
    if not support:
        return SortableCell(NOT_MEASURED, key=0.0)
    return SortableCell(signed(loss, 3), key=loss, falls=loss < 0)


def _f1(found: ClassData) -> SortableCell:
    if not found.support:
        return SortableCell(NOT_MEASURED, "not tested", key=-1.0)
    note = f"P {found.precision:.2f} · R {found.recall:.2f}"
    return SortableCell(
        f"{found.f1:.3f}", note if found.predicted else "never answered", key=found.f1
    )
