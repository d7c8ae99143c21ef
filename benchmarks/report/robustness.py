"""Robustness in the report: who lost more on damaged inputs, in sentences, tables and pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.report.robustness_figures import AXES
from benchmarks.report.shape import IntervalData
from benchmarks.report.tables import Cell, Table, interval_cell
from benchmarks.report.wording import NOT_MEASURED, percent, share, signed, significant
from benchmarks.robustness.data import (
    DamageData,
    KeptData,
    PopularityShiftData,
    RobustnessData,
    ShiftData,
)
from compress.metrics import metric_name

_EXAMPLES = {"history": "cases", "text": "texts", "query": "pairs"}
_CHANCE = 0.05
"""Intervals that exclude 0 where there is nothing, as 95% ones do."""


@dataclass(frozen=True)
class RobustnessSection:
    """What the page says of damaged inputs."""

    finding: str
    """Where the student lost more than the teacher: what the intervals support."""
    sentences: tuple[str, ...]
    """How much to make of it."""
    protocol: tuple[str, ...]
    """How it was measured."""
    table: Table
    """A row a damage: what each model keeps, and how that differs from the teacher."""
    metrics: Table
    """The metric itself under each damage."""
    pictures: tuple[tuple[str, str], ...]
    """Name of a figure (see `robustness_figures`), and its text for who cannot see it."""
    keys: tuple[tuple[str, str], ...]
    """The pictures' legend: a row's role, which is its colour, and its name."""
    shift_sentence: str
    shift: Table | None
    """A row a third of the cases, by the change in their target's popularity."""


def robustness_section(data: RobustnessData) -> RobustnessSection:
    """Return what the section says."""
    metric = metric_name(data.metric)
    shift = data.popularity_shift
    return RobustnessSection(
        finding=robustness_finding(data),
        sentences=(*_lost_most(data, metric), *_chance(data)),
        protocol=tuple(_protocol(data)),
        table=_kept_table(data, ((one.name, one.answers) for one in data.damages)),
        metrics=_metrics_table(data, metric),
        pictures=tuple(
            (
                f"robustness-{kind}",
                f"What each model keeps of its {metric}, against {AXES[kind]}; the figures are in "
                "the table below.",
            )
            for kind in dict.fromkeys(one.kind for one in data.damages)
        ),
        keys=tuple((row.role, row.name) for row in data.rows),
        shift_sentence=_shift_sentence(data, metric),
        shift=None
        if shift is None
        else _kept_table(data, ((_third_name(one), one.answers) for one in shift.groups)),
    )


def robustness_finding(data: RobustnessData) -> str:
    """Say where the student lost more than the teacher, by intervals alone."""
    compared = [
        (one.name, teacher, student)
        for one in data.damages
        for teacher, student, *_ in (one.answers,)
        if student.difference is not None
    ]
    metric, number = metric_name(data.metric), len(compared)
    if not number:
        return (
            f"Teacher or student has no {metric} on undamaged inputs, so nothing can be said of "
            "what they lose."
        )
    more = [one for one in compared if is_more(one[2].difference)]
    less = [one for one in compared if is_less(one[2].difference)]
    if more:
        said = (
            f"The student lost more of its {metric} than the teacher under {len(more)} of "
            f"{number} damages: {_each(more)}."
        )
    else:
        said = (
            f"No damage is shown to cost the student more of its {metric} than the teacher: none "
            f"of the {number} intervals of the difference lies below 0."
        )
    if less:
        said += f" It lost less under {len(less)} of {number}: {_each(less)}."
    return said


def is_more(difference: IntervalData | None) -> bool:
    """Return whether a row is shown to have lost more than the teacher."""
    return difference is not None and difference.high < 0


def is_less(difference: IntervalData | None) -> bool:
    """Return whether a row is shown to have lost less than the teacher."""
    return difference is not None and difference.low > 0


def _each(found: Sequence[tuple[str, KeptData, KeptData]]) -> str:
    return "; ".join(
        f"{name} (the student keeps {share(student.kept.value)}, the teacher "
        f"{share(teacher.kept.value)}: {_points(student.difference)})"
        for name, teacher, student in found
        if student.kept and teacher.kept and student.difference
    )


def _points(difference: IntervalData) -> str:
    value, low, high = (
        signed(100 * one, 1) for one in (difference.value, difference.low, difference.high)
    )
    return f"{value} points [{low}, {high}]"


def _lost_most(data: RobustnessData, metric: str) -> Iterator[str]:
    """Say what hurts the student most, beside the teacher."""
    kept = [
        (one.name, teacher.kept, student.kept)
        for one in data.damages
        for teacher, student, *_ in (one.answers,)
        if teacher.kept and student.kept
    ]
    if not kept:
        return
    name, teacher, student = min(kept, key=lambda one: one[2].value)
    yield (
        f"What costs the student most is “{name}”: it keeps {_with_interval(student)} of its "
        f"{metric}, the teacher {_with_interval(teacher)}."
    )


def _with_interval(kept: IntervalData) -> str:
    return f"{share(kept.value)} [{percent(kept.low)}, {percent(kept.high)}]"


def _chance(data: RobustnessData) -> Iterator[str]:
    number = len(data.differences)
    if number:
        yield (
            f"The tables hold {number} comparisons with the teacher, each with a 95% interval of "
            f"its own, not widened for their number: were there no difference anywhere, about "
            f"{number * _CHANCE:.1f} of them would still exclude 0. Only intervals that "
            "exclude 0 are marked."
        )


def _protocol(data: RobustnessData) -> Iterator[str]:
    examples, damages = _EXAMPLES[data.damaged], data.damages
    asked = f"{data.cases:,} test {examples}"
    if data.cases < data.of_cases:
        asked = f"{data.cases:,} of the {data.of_cases:,} test {examples}, drawn by the seed,"
    yield (
        f"Every model was asked about the same {asked} under the same damage; what it keeps is "
        "paired with its own answers to the inputs as they are."
    )
    if data.damaged != "history":
        what = "texts" if data.damaged == "text" else "queries (never the products)"
        yield (
            f"The {what} are damaged before each model cuts them with its own tokenizer. A "
            "misspelt word has two neighbouring letters swapped or one missing, never the first "
            "or the last; words of fewer than four letters are spared."
        )
        return
    yield (
        "A model gets the damaged history and nothing else. What the user has really seen stays "
        "out of every list, so a dropped item cannot come back as a recommendation. Random items "
        "stand where the drop of the same share leaves nothing: the difference is what wrong "
        "items do beyond missing ones."
    )
    ruled_out = max((one.targets_in_input or 0 for one in damages), default=0)
    if ruled_out:
        yield (
            f"Random items include the very target in up to {ruled_out:,} of {data.cases:,} "
            "cases; there the mask of seen items rules it out, as it would in the app."
        )
    short = max((a.short_lists or 0 for one in damages for a in one.answers), default=0)
    if short:
        yield (
            f"In up to {short:,} of {data.cases:,} cases fewer than 10 items were left after "
            "taking out what the user has seen."
        )


def _kept_table(
    data: RobustnessData, conditions: Iterator[tuple[str, Sequence[KeptData]]]
) -> Table:
    teacher, *others = (row.name for row in data.rows)
    headings = [(f"{teacher} keeps", "% of its own")]
    for name in others:
        headings += [(f"{name} keeps", "% of its own"), ("less the teacher’s", "points")]

    def cells(answers: Sequence[KeptData]) -> Iterator[Cell]:
        for one in answers:
            yield _kept_cell(one.kept)
            if one is not answers[0]:
                yield _difference_cell(one.difference)

    rows = tuple((name, tuple(cells(answers))) for name, answers in conditions)
    return Table("", tuple(headings), rows)


def _kept_cell(kept: IntervalData | None) -> Cell:
    if kept is None:
        return Cell(NOT_MEASURED)
    return Cell(percent(kept.value), f"{percent(kept.low)}–{percent(kept.high)}")


def _difference_cell(difference: IntervalData | None) -> Cell:
    if difference is None:
        return Cell(NOT_MEASURED)
    value, low, high = (
        signed(100 * one, 1) for one in (difference.value, difference.low, difference.high)
    )
    verdict = "lost more" if is_more(difference) else "lost less" if is_less(difference) else ""
    return Cell(value, f"{low} to {high}" + (f", {verdict}" if verdict else ""))


def _metrics_table(data: RobustnessData, metric: str) -> Table:
    undamaged = ("undamaged", tuple(interval_cell(row.quality) for row in data.rows))
    return Table(
        f"{metric} under each damage",
        tuple((row.name, "") for row in data.rows),
        (
            undamaged,
            *(
                (one.name, tuple(interval_cell(answer.quality) for answer in one.answers))
                for one in data.damages
            ),
        ),
    )


def _third_name(group: ShiftData) -> str:
    least, greatest = (significant(2.0**one) for one in (group.least, group.greatest))
    return f"popularity × {least} to {greatest} ({group.cases:,} cases)"


def _shift_sentence(data: RobustnessData, metric: str) -> str:
    """Say where popularity moved, or why that cannot be said."""
    shift = data.popularity_shift
    if shift is None:
        return f"Popularity shift: not measured. {data.popularity_shift_because}"
    return f"{_shift_finding(data.damages, shift, metric)} {_shift_protocol(data, shift)}"


def _shift_finding(damages: Sequence[DamageData], shift: PopularityShiftData, metric: str) -> str:
    compared = [
        (_third_name(one), teacher, student)
        for one in shift.groups
        for teacher, student, *_ in (one.answers,)
        if student.difference is not None
    ]
    if not compared:
        return f"Popularity shift: teacher or student has no {metric} to lose."
    more = [one for one in compared if is_more(one[2].difference)]
    if more:
        return f"Where popularity moved the student lost more than the teacher: {_each(more)}."
    return (
        "Popularity shift: no third of the cases is shown to cost the student more than the "
        f"teacher; none of the {len(compared)} intervals lies below 0."
    )


def _shift_protocol(data: RobustnessData, shift: PopularityShiftData) -> str:
    return (
        f"The test {_EXAMPLES[data.damaged]} are cut into thirds by how the popularity of their "
        f"target moved from the {shift.training_events:,} events of training to the "
        f"{shift.test_events:,} of the test period, the case’s own event not counted; the share "
        "kept is of the model’s own metric over all of them, and may lie above 100%."
    )
