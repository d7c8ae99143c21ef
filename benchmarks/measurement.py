"""What is known of one model of a run: the row of the report, and its JSON."""

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from benchmarks.latency import Latency
from compress.metrics import ClassFigures, Interval

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

    What the shares measure is the task's (`benchmarks.task_view.TaskView.fidelity_measure`): the
    mean share of the top 10 in common, or the share of examples with the same answer. None where
    the comparison has no meaning, as the teacher's with itself.
    """

    teacher: float | None
    student: float | None
    max_abs_difference: float | None = None
    """Largest difference between a score or probability of the file and the student's."""


@dataclass(frozen=True)
class PeerComparison:
    """One of our files beside the file that another tool made of the same student.

    Raises:
        ValueError: There are no rounds.
    """

    ours: str
    """Name of our row."""
    peer: str
    """Name of the peer's row."""
    p90_ratio: Interval
    """Our p90 latency divided by the peer's, both asked in turn in one session; below 1 is faster.
    """
    rounds: int
    """How often both were asked in turn; the interval is over them."""
    agreement_ours: float
    """Share of the test examples that our file answers as the PyTorch student does."""
    agreement_peer: float
    max_abs_difference_ours: float
    """Largest difference of a probability or score from the PyTorch student's."""
    max_abs_difference_peer: float

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError("a comparison takes at least one round")


@dataclass(frozen=True)
class EmittedFile:
    """What an artifact is, beside how it does."""

    path: str
    """Relative to the run's folder."""
    format: str
    scheme: str
    target: str
    sha256: str
    usable: bool
    refused_because: str | None = None

    def __post_init__(self) -> None:
        if self.usable == (self.refused_because is not None):
            raise ValueError("a file is either usable or refused for a reason")


@dataclass(frozen=True)
class Row:
    """One model of the report.

    Raises:
        ValueError: The role and what is known do not fit: only an artifact is a file, and only a
            refused file may lack figures.
    """

    name: str
    role: Role
    bytes: int
    """What has to be shipped or served: the file, or all members of an ensemble together."""
    latency: Latency | None
    quality: Quality | None
    fidelity: Fidelity | None = None
    file: EmittedFile | None = None

    def __post_init__(self) -> None:
        if (self.role == "artifact") != (self.file is not None):
            raise ValueError(f"{self.name}: a row is an artifact exactly if it names its file")
        refused = self.file is not None and not self.file.usable
        if not refused and (self.latency is None or self.quality is None):
            raise ValueError(f"{self.name}: only a refused file may lack latency or quality")

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
