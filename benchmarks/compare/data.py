"""The published shape of `limbeck compare --json`; docs/compare.md explains it to readers."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from benchmarks.report.shape import IntervalData, Shape

SCHEMA = "limbeck.compare/1"

Method = Literal["paired", "unpaired", "published intervals"]
"""Where the interval of a change is from.

- `paired`: both runs answered the same test cases, and the cases were resampled for both at once.
- `unpaired`: their test cases differ, or are not known to be the same; each run's were resampled on
  their own.
- `published intervals`: only a `report.json` was given of one of them; the interval is put together
  from the two that the reports publish, as if the runs were independent. Of runs over the same
  cases it is wider than a paired one.
"""
QualityVerdict = Literal[
    "better", "not shown to be worse", "not decided", "worse within the limit", "worse"
]
SpeedVerdict = Literal[
    "faster", "not shown to be slower", "not decided", "slower within the limit", "slower"
]


class ModelData(Shape):
    """One model of one run, as its report has it."""

    run: str
    """As it was named on the command line."""
    name: str
    """Of the row."""
    bytes: PositiveInt
    quality: IntervalData
    """The task's metric."""
    p90_ms: NonNegativeFloat | None
    """Measured in the run's own session: no two of them make a ratio."""


class ChangeData(Shape):
    """A model of a run beside its counterpart of the base."""

    base: ModelData
    other: ModelData
    relative: IntervalData | None
    """Metric of the other divided by the base's, minus 1: −0.02 is a drop of 2%. Null where the
    base's metric, or the low end of its interval, leaves no ratio."""
    method: Method
    size_ratio: PositiveFloat
    """Bytes of the other divided by the base's; exact."""


class SpeedData(Shape):
    """Both files asked in turn, each in a process of its own, for this comparison."""

    p90_ratio: IntervalData
    """p90 of the other's file divided by the base's; the interval is over restarts."""
    rounds: PositiveInt
    """How often both were asked..."""
    restarts: PositiveInt
    """...by so many processes of each."""
    queries: PositiveInt
    """Of each file in each round."""
    threads: PositiveInt
    verdict: SpeedVerdict


class ComparisonData(Shape):
    """One run beside the base."""

    run: str
    verdict: QualityVerdict
    """Of the file, by `file.relative`."""
    file: ChangeData
    """The file that each run would ship, or the one that was named."""
    teacher: ChangeData
    student: ChangeData
    same_cases: bool | None
    """Whether both were tested on the same cases; null where that cannot be told."""
    speed: SpeedData | None
    notes: tuple[str, ...]
    """What is to be known beside the figures, a sentence each: what differs (settings of the task,
    test cases, the kind of file, the machine), and files that were refused or break their budget.
    """
    failures: tuple[str, ...]
    """What it fails at, a sentence each; empty where it passes."""


class CompareData(Shape):
    """Everything that `limbeck compare` says."""

    schema_: Literal["limbeck.compare/1"] = Field(alias="schema")
    task: Literal["next-item", "text-label", "text-pair"]
    metric: str
    base: str
    max_drop: NonNegativeFloat
    """Largest drop that is allowed: 0.01 is 1% of the base's metric."""
    max_slowdown: NonNegativeFloat | None
    """Largest slowdown that is allowed; null where latency was not asked for."""
    strict: bool
    """A run also fails where the interval does not exclude more than what is allowed."""
    comparisons: tuple[ComparisonData, ...]
    passed: bool
    """No run fails."""

    def to_json(self) -> str:
        """Return the text that `--json` prints."""
        return self.model_dump_json(by_alias=True, indent=2)
