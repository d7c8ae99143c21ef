"""Asking a file as an app does, and what came of comparing it with the student."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from export.runner import Runner
from export.samples import Samples

Checked = Literal["run", "evaluated", "parsed"]
"""How a file was looked at: run by its own runtime; `evaluated` by another one that knows its
operators, where its own does not exist; `parsed` only, and not asked anything."""


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
    checked: Checked = "run"
    checked_with: str = ""
    """The runtime and its version, and where it ran; empty where nothing was run."""
    seconds_per_example: float | None = None
    """Median over the examples, each asked alone. No latency: it is taken once, on a busy machine,
    and tells whether checking takes milliseconds or minutes."""

    @classmethod
    def failed(cls, fault: str, cases: int = 0) -> "Check":
        """A check that ended before anything could be compared."""
        return cls(cases, None, None, None, (fault,))


@dataclass(frozen=True, eq=False)
class Asked:
    """What a model answered, and how it was asked."""

    answers: dict[str, NDArray[Any]]
    """By name, `[N, ...]` each."""
    seconds_per_example: float | None = None
    checked: Checked = "run"
    checked_with: str = ""
    padded: "tuple[NDArray[np.int64], dict[str, NDArray[Any]]] | None" = None
    """Rows that were asked once more with padding behind them, and what was answered then."""

    def sign(self, check: Check) -> Check:
        """Add to what a comparison of these answers saw how they were had."""
        return replace(
            check,
            checked=self.checked,
            checked_with=self.checked_with,
            seconds_per_example=self.seconds_per_example,
        )


def ask(runner: Runner, samples: Samples) -> Asked:
    """Call a loaded model with each example alone, as an app does, and note how long it took.

    Args:
        runner: Inside its `with`. If it has them, its `checked_with` says what answers, and its
            `checked` in what way (`run` if it does not say).
        samples: N examples, at least one.
    """
    seconds = np.empty(len(samples))
    answers = []
    for index in range(len(samples)):
        row = samples.row(index)
        started = perf_counter()
        answers.append(runner(row))
        seconds[index] = perf_counter() - started
    return Asked(
        {name: np.concatenate([one[name] for one in answers]) for name in answers[0]},
        float(np.median(seconds)),
        getattr(runner, "checked", "run"),
        getattr(runner, "checked_with", ""),
    )


def ask_one_by_one(runner: Runner, samples: Samples) -> dict[str, NDArray[Any]]:
    """Return the answers of `ask` alone, by name, `[N, ...]` each."""
    return ask(runner, samples).answers
