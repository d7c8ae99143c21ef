"""Asking a file as an app does, and what came of comparing it with the student."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from export.runner import Runner
from export.samples import Samples


@dataclass(frozen=True)
class Check:
    """What a verification saw. A file that answers differently is refused, never warned of."""

    cases: int
    """Real inputs on which the file was compared."""
    agreement: float | None
    """Share in which the file answers as the student does, 0...1: for rankings the mean share of
    the student's top 10, for texts `compress.metrics.agreement`. None: it could not be run."""
    max_abs_difference: float | None
    """Between a score or probability of the file and the student's."""
    max_regret: float | None
    """How much worse, in the student's own eyes, the worst of the file's answers is than the
    student's; None where answers are numbers, which have no better or worse."""
    faults: tuple[str, ...]
    """Why the file is refused, in words; empty when it is not."""

    @classmethod
    def failed(cls, fault: str, cases: int = 0) -> "Check":
        """A check that ended before anything could be compared."""
        return cls(cases, None, None, None, (fault,))


def ask_one_by_one(runner: Runner, samples: Samples) -> dict[str, NDArray[Any]]:
    """Call a loaded model with each example alone, as an app does.

    Args:
        runner: Inside its `with`.
        samples: N examples, at least one.

    Returns:
        The answers by name, `[N, ...]` each.
    """
    answers = [runner(samples.row(index)) for index in range(len(samples))]
    return {name: np.concatenate([one[name] for one in answers]) for name in answers[0]}
