"""What is known of one model of a run: the row of the report, and its JSON."""

import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from benchmarks.latency import Latency
from compress.metrics import Interval

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Role = Literal["baseline", "teacher", "student", "student_without_teacher", "artifact"]


@dataclass(frozen=True)
class Quality:
    """How well a model ranks the test cases, through its own runtime."""

    masked: dict[str, Interval]
    """`ndcg@10` and the like: what the user has already seen cannot be recommended."""
    unmasked: dict[str, Interval] | None
    """The same metrics with seen items left in; None where there is no such model."""
    coverage: dict[str, float]
    """`coverage@10`, `coverage@20`: share of the catalogue in anyone's masked list."""
    cases: int
    short_lists: int
    """Cases left with fewer than 20 items once all that they had seen was taken out."""


@dataclass(frozen=True)
class Fidelity:
    """How closely a model answers like those that it was made from.

    Overlaps are the mean share of the top 10 in common (masked, test cases); None where the
    comparison has no meaning, as the teacher's with itself.
    """

    teacher_overlap: float | None
    student_overlap: float | None
    max_abs_difference: float | None = None
    """Largest difference between a score of the file and the same score of the student."""


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
