"""What is compared by group: models by what they answered."""

from dataclasses import dataclass

from benchmarks.groups.data import ModelRole
from benchmarks.quality import Evaluation


@dataclass(frozen=True)
class Model:
    """A row of the report and what it answered to the test cases."""

    name: str
    role: ModelRole
    path: str | None
    evaluation: Evaluation
