"""What is published of robustness: `robustness.json` of the stage, `robustness` of the report."""

from typing import Literal

from benchmarks.report.shape import IntervalData, Shape
from benchmarks.robustness.damage import DamageKind
from benchmarks.robustness.popularity import Third


class KeptData(Shape):
    """How one row does under one condition, beside how it does on all inputs as they are."""

    row: str
    """Name of the row."""
    quality: IntervalData
    """The metric under the condition."""
    kept: IntervalData | None
    """Share of the row's own metric on all inputs as they are, paired over the cases. Null: that is
    0."""
    difference: IntervalData | None
    """`kept` less the teacher's, paired: below 0, it lost more than the teacher. Null for the
    teacher, where either has no share, and where neither found anything under the condition."""
    short_lists: int | None = None
    """Next-item: cases with fewer than 10 items left after taking out what the user has seen."""


class DamageData(Shape):
    """One kind of damage and how much of it."""

    kind: DamageKind
    """Histories: `drop`, `noise`, `cold`; texts: `words-dropped`, `typos`, `first-words`."""
    level: float
    """Share of the events or words that are damaged; of `cold` and `first-words`, how many are
    left."""
    name: str
    """The same in words."""
    changed: int
    """Inputs that the damage made any different."""
    targets_in_input: int | None = None
    """Next-item: cases in which the damage put the very target into the input, by chance; the mask
    of seen items then rules it out."""
    answers: tuple[KeptData, ...]
    """A row each: teacher, student and the file."""


class ShiftData(Shape):
    """A third of the test cases, by how the popularity of their target moved."""

    third: Third
    cases: int
    least: float
    """Smallest change among them: log2 of (share of the test period's events) / (share of the
    training events), without the case's own event."""
    greatest: float
    answers: tuple[KeptData, ...]
    """`kept` is the share of the row's metric over all cases: it may lie above 1."""


class PopularityShiftData(Shape):
    """Quality where popularity fell most, in between, and rose most, from training to the test."""

    training_events: int
    test_events: int
    """Of all users, from the moment on at which the test period begins."""
    groups: tuple[ShiftData, ...]


class RobustRowData(Shape):
    """A row that was asked."""

    name: str
    role: Literal["teacher", "student", "artifact"]
    quality: IntervalData
    """The metric over the same cases, undamaged."""
    short_lists: int | None = None
    """As in `KeptData`."""


class RobustnessData(Shape):
    """Quality on damaged inputs, teacher and student side by side."""

    metric: str
    damaged: Literal["history", "text", "query"]
    """What is damaged: of pairs of query and product, the query."""
    cases: int
    """Test cases (texts, pairs) that were asked, the same for every row and damage."""
    of_cases: int
    """Test cases that there are."""
    rows: tuple[RobustRowData, ...]
    """The teacher, the student, and the smallest usable file that was run here, if there is one."""
    damages: tuple[DamageData, ...]
    """Kind by kind, mild before severe."""
    popularity_shift: PopularityShiftData | None
    popularity_shift_because: str | None
    """Why there is none, and how to get it; null where there is one."""

    @property
    def differences(self) -> tuple[IntervalData, ...]:
        """Every interval that compares a row with the teacher: so many chances to be misled."""
        shift = self.popularity_shift
        conditions: list[DamageData | ShiftData] = [*self.damages, *(shift.groups if shift else ())]
        return tuple(
            one.difference
            for condition in conditions
            for one in condition.answers
            if one.difference is not None
        )
