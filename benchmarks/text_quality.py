"""How well a model answers the test texts, asked through its own runtime."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from benchmarks.measurement import Quality
from compress.metrics import ClassFigures, Statistic, bootstrap, per_class_table
from compress.metrics.agreement import agreement
from compress.recipe import TextLabel, TextPair
from compress.tasks.text_task import Truth
from export.runner import Runner
from export.samples import Samples

DEFAULT_BATCH = 64


@dataclass(frozen=True)
class TextEvaluation:
    """What a model answered and what is true, kept so that models can be compared text by text."""

    answers: NDArray[np.float32]
    """`[N, C]` probabilities, or scores `[N, 1]`."""
    truth: Truth
    classes: tuple[str, ...]
    """Names in order; empty for scores."""

    def statistics(self) -> dict[str, Statistic]:
        """Return every metric of the task as something that can be resampled."""
        return self.truth.statistics(self.answers)

    def per_class(self) -> dict[str, ClassFigures] | None:
        """Return how each class fares, by its name; None for scores."""
        if not self.classes:
            return None
        task = self.truth.task
        threshold = task.threshold if isinstance(task, TextLabel) and task.multi_label else None
        figures = per_class_table(self.answers, self.truth.targets, threshold)
        return dict(zip(self.classes, figures, strict=True))

    def quality(self, resamples: int, seed: int) -> Quality:
        """Return the metrics with their 95% intervals; equal seeds pair them with other models."""
        return Quality(
            metrics=bootstrap(self.statistics(), resamples, seed),
            cases=len(self.answers),
            classes=self.per_class(),
        )

    def agreement(self, other: "TextEvaluation") -> float:
        """Return the share of answers in common: see `compress.metrics.agreement`."""
        task, own, others = self.truth.task, self.answers, other.answers
        if task.target == "score":
            own, others = own[:, 0], others[:, 0]
        threshold = task.threshold if isinstance(task, TextLabel) else 0.5
        return agreement(own, others, task.target, threshold)

    def max_abs_difference(self, other: "TextEvaluation") -> float:
        """Return the largest difference of a probability or score from another model's."""
        return float(np.abs(self.answers - other.answers).max())

    def save(self, file: Path) -> None:
        """Write the evaluation as `.npz`; nothing else is needed to read it."""
        truth = self.truth
        about = {
            "task": truth.task.model_dump(mode="json"),
            "classes": self.classes,
            "class_gains": truth.class_gains,
        }
        arrays: dict[str, NDArray[np.generic]] = {
            "answers": self.answers,
            "targets": truth.targets,
            "groups": truth.groups,
            "about": np.array(json.dumps(about)),
        }
        if truth.queries is not None:
            arrays["queries"] = truth.queries
        with file.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, file: Path) -> "TextEvaluation":
        """Read what `save` wrote."""
        with np.load(file, allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            gains = about["class_gains"]
            truth = Truth(
                task=_TASK.validate_python(about["task"]),
                targets=arrays["targets"],
                groups=arrays["groups"],
                queries=arrays.get("queries"),
                class_gains=None if gains is None else tuple(gains),
            )
            return cls(arrays["answers"], truth, tuple(about["classes"]))


_TASK: TypeAdapter[TextLabel | TextPair] = TypeAdapter(TextLabel | TextPair)


def evaluate_texts(
    runner: Runner,
    *,
    samples: Samples,
    truth: Truth,
    classes: tuple[str, ...],
    batch_size: int = DEFAULT_BATCH,
    progress: Callable[[float], None] = lambda done: None,
) -> TextEvaluation:
    """Ask a model for every text and keep what it answered.

    Texts of like length are asked together, so that little is padding; answers are in the order
    of the samples.

    Args:
        runner: The model as it is shipped; loaded and released here.
        samples: N texts or their pieces.
        truth: What is true of them.
        classes: Names in order; empty for scores.
        batch_size: Texts asked together. For a file that quantizes activations it is part of the
            answer: 1 is what an app does.
        progress: Is told the finished share, 0...1.

    Raises:
        ValueError: There are no texts, or not as many as there are truths.
    """
    count = len(samples)
    if not count or count != len(truth.targets):
        raise ValueError(f"{count} texts and {len(truth.targets)} truths cannot be evaluated")
    name = "score" if truth.task.target == "score" else "probabilities"
    order = np.arange(count)
    if samples.lengths is not None and batch_size > 1:
        order = np.argsort(samples.lengths, kind="stable")
    outputs = max(1, len(classes))
    answers = np.empty((count, outputs), dtype=np.float32)
    with runner:
        for start in range(0, count, batch_size):
            rows = order[start : start + batch_size]
            answers[rows] = runner(samples.batch(rows))[name].reshape(len(rows), outputs)
            progress((start + len(rows)) / count)
    return TextEvaluation(answers, truth, classes)
