"""What is known of one model of a run: the row of the report, and its JSON."""

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.timing.timing import Timing
from compress.metrics import ClassFigures, Interval
from export.verification import Checked

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Role = Literal["baseline", "teacher", "student", "student_without_teacher", "artifact", "peer"]
"""`peer`: a file that another tool made of the same student."""


@dataclass(frozen=True)
class Quality:
    """How well a model answers the test examples, through its own runtime."""

    metrics: dict[str, Interval]
    """`ndcg@10`, `macro_f1` and the like; next-item: what the user has seen cannot be recommended.
    """
    cases: int
    unmasked: dict[str, Interval] | None = None
    """Next-item: the same metrics with seen items left in; None where there is no such model."""
    coverage: dict[str, float] | None = None
    """Next-item: `coverage@10`, `coverage@20`, share of the catalogue in anyone's masked list."""
    short_lists: int | None = None
    """Next-item: cases left with fewer than 20 items once all that they had seen was taken out."""
    classes: dict[str, ClassFigures] | None = None
    """Tasks with classes: how each one fares over the whole test split, by its name."""


@dataclass(frozen=True)
class Fidelity:
    """How closely a model answers like those that it was made from, over the test split.

    What the shares measure is the task's (`TaskView.fidelity_measure`): the mean share of the top
    10 in common, or the share of examples with the same answer. None where the comparison has no
    meaning, as the teacher's with itself.
    """

    teacher: float | None
    student: float | None
    max_abs_difference: float | None = None
    """Largest difference between a score or probability of the file and the student's."""


@dataclass(frozen=True)
class PeerComparison:
    """One of our files beside what another tool made of the same student.

    Raises:
        ValueError: There are not two starts, or there are no rounds.
    """

    ours: str
    """Name of our row."""
    peer: str
    """Name of the peer's row; the student's own for PyTorch, eagerly."""
    p90_ratio: Interval
    """Our p90 latency divided by the peer's, both asked in turn in one session; below 1 is faster.
    """
    rounds: int
    """How often both were asked in turn..."""
    restarts: int
    """...by so many processes of each; the interval is over these."""
    agreement_ours: float
    """How much of its answers to the test split our file has in common with the PyTorch student,
    0...1; what of is the task's, as in `Fidelity`."""
    agreement_peer: float
    max_abs_difference_ours: float | None
    """Largest difference of a probability or score from the PyTorch student's."""
    max_abs_difference_peer: float | None

    def __post_init__(self) -> None:
        if self.restarts < 2 or self.rounds < self.restarts:
            raise ValueError("a comparison takes two starts and more, each with a round")


@dataclass(frozen=True)
class CheckFigures:
    """What the comparison with the student saw: `export.verification.Check`, without its words."""

    cases: int
    """Real inputs that the file, or the graph it was built from, was asked."""
    agreement: float | None
    """Share in which it answers as the student does; None: it answered nothing."""
    max_abs_difference: float | None
    max_regret: float | None
    seconds_per_example: float | None


@dataclass(frozen=True)
class EmittedFile:
    """What an artifact is, beside how it does.

    Raises:
        ValueError: The verdict does not fit what was seen. A file is usable only if it answered; it
            is refused for a reason; and it is neither only if nothing here could ask it.
    """

    path: str
    """Relative to the run's folder."""
    format: str
    scheme: str
    target: str
    sha256: str
    usable: bool
    check: CheckFigures
    checked: Checked = "run"
    checked_with: str | None = None
    """What answered, with its version; None where nothing did."""
    refused_because: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    """What its format has to say of it."""
    sidecars: tuple[str, ...] = ()
    """Files that belong to it, relative likewise."""

    def __post_init__(self) -> None:
        if self.usable and self.refused_because is not None:
            raise ValueError(f"{self.path}: a file is either usable or refused for a reason")
        if not self.usable and self.refused_because is None and self.checked != "parsed":
            raise ValueError(
                f"{self.path}: a file that was asked is usable or refused for a reason"
            )
        if self.usable and not self.answered:
            raise ValueError(f"{self.path}: only a file that answered can be usable")
        if self.checked == "parsed" and self.answered:
            raise ValueError(f"{self.path}: a file that was only parsed agrees with nothing yet")

    @property
    def answered(self) -> bool:
        """Whether it was asked anything, and could be compared."""
        return self.check.agreement is not None


@dataclass(frozen=True)
class Row:
    """One model of the report.

    Raises:
        ValueError: The role and what is known do not fit. Only an artifact is a file, and only one
            may lack figures: latency is of a file that its own runtime ran, quality of one that
            answered, and a usable file that was run has both.
    """

    name: str
    role: Role
    bytes: int
    """What has to be shipped or served: the file, or all members of an ensemble together."""
    latency: Timing | None
    """Single stream."""
    quality: Quality | None
    fidelity: Fidelity | None = None
    file: EmittedFile | None = None
    cold_start_ms: float | None = None
    """Process start to first answer."""
    p90_ratio_to_teacher: Interval | None = None
    """Both asked in turn in one session; None for the teacher, and for what was not in it."""

    def __post_init__(self) -> None:
        if (self.role == "artifact") != (self.file is not None):
            raise ValueError(f"{self.name}: a row is an artifact exactly if it names its file")
        lacks_figures = self.latency is None or self.quality is None
        if self.file is None:
            if lacks_figures:
                raise ValueError(f"{self.name}: only an artifact may lack latency or quality")
            return
        if self.latency is not None and self.file.checked != "run":
            raise ValueError(f"{self.name}: a file that was {self.file.checked} has no latency")
        if not self.file.answered and (self.latency or self.quality):
            raise ValueError(f"{self.name}: a file that did not answer has no figures")
        if self.file.usable and self.file.checked == "run" and lacks_figures:
            raise ValueError(f"{self.name}: a usable file that was run has latency and quality")

    def to_json(self) -> str:
        """Return the row as JSON text."""
        return json.dumps(_adapter().dump_python(self, mode="json"), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Row":
        """Read what `to_json` wrote.

        Raises:
            pydantic.ValidationError: The text is not a row.
        """
        return _adapter().validate_json(text)


@cache
def _adapter() -> "TypeAdapter[Row]":
    from pydantic import TypeAdapter

    return TypeAdapter(Row)
