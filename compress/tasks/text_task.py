"""Text tasks: what a model's answer means, and what answers are measured against."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from compress.data.text_duplicates import normalised
from compress.errors import UserError
from compress.metrics import (
    Statistic,
    classification_statistics,
    multi_label_statistics,
    relevance_statistics,
)
from compress.recipe import Target, TextLabel, TextPair

if TYPE_CHECKING:
    from compress.data.text_dataset import TextDataset


def answers_of(logits: NDArray[Any], target: Target) -> NDArray[np.float32]:
    """Return what a model says, from its logits.

    Args:
        logits: `[N, outputs]`.
        target: The kind of target that the model was trained on.

    Returns:
        `[N, outputs]`: probabilities that sum to 1 (one-of), a probability a class (any-of), or
        the score itself.
    """
    exact = logits.astype(np.float64)
    if target == "one-of":
        exact = np.exp(exact - exact.max(axis=1, keepdims=True))
        exact /= exact.sum(axis=1, keepdims=True)
    elif target == "any-of":
        exact = 0.5 * (1.0 + np.tanh(0.5 * exact))  # the logistic function, without overflow
    return exact.astype(np.float32)


def class_weights(
    task: TextLabel | TextPair, classes: Sequence[str], targets: NDArray[Any]
) -> NDArray[np.float32] | None:
    """Return what each class counts in the label loss, `[C]`; None: all the same.

    Args:
        task: Its `class_weights`: `balanced` is N / (classes x texts of the class).
        classes: Names.
        targets: Of the training split: `[N]` classes, or `[N, C]` of 0 and 1.

    Raises:
        UserError: A weight is given for a class that does not exist.
    """
    wanted = task.class_weights if isinstance(task, TextLabel) else "none"
    if wanted == "none":
        return None
    if wanted == "balanced":
        one_a_row = targets.ndim == 1
        texts = np.bincount(targets, minlength=len(classes)) if one_a_row else targets.sum(axis=0)
        weights = len(targets) / (len(classes) * np.maximum(texts, 1))
        return np.where(texts > 0, weights, 1.0).astype(np.float32)
    for name in wanted:
        if name not in classes:
            close = difflib.get_close_matches(name, classes, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else f" Known: {', '.join(classes)}."
            raise UserError(f"task.class_weights: the data has no class '{name}'.{hint}")
    return np.array([wanted.get(name, 1.0) for name in classes], dtype=np.float32)


@dataclass(frozen=True)
class Truth:
    """What is true of the N examples of a split, to hold answers against."""

    task: TextLabel | TextPair
    targets: NDArray[Any]
    """See `compress.data.text_dataset.Examples`."""
    groups: NDArray[np.int64]
    """`[N]`; examples of one group are resampled together."""
    queries: NDArray[np.int64] | None = None
    """`[N]`, for pairs: the number of the example's query."""
    class_gains: tuple[float, ...] | None = None
    """For grades: what each is worth."""

    @classmethod
    def of(cls, dataset: "TextDataset", task: TextLabel | TextPair, split: str) -> "Truth":
        """Return what is true of a split of a data set."""
        examples = dataset.split(split)
        queries = None
        if dataset.is_pair:
            encoded = examples.first.combine_chunks().dictionary_encode()
            numbers: dict[str, int] = {}
            # The same query as for the split, where letters' case and white space do not count.
            same = [normalised(text) for text in encoded.dictionary.to_pylist()]
            own = [numbers.setdefault(text, len(numbers)) for text in same]
            queries = np.array(own, np.int64)[np.asarray(encoded.indices)]
        return cls(task, examples.targets, examples.groups, queries, dataset.gains)

    def ranking_scores(self, answers: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what products are ranked by, `[N]`: expected gain of the grades, or the score."""
        if self.class_gains is None:
            return answers.reshape(len(answers)).astype(np.float64)
        expected: NDArray[np.float64] = answers.astype(np.float64) @ np.array(self.class_gains)
        return expected

    def statistics(self, answers: NDArray[np.float32]) -> dict[str, Statistic]:
        """Return every metric of the task.

        Args:
            answers: `[N, outputs]`, as `answers_of` gives them.
        """
        if isinstance(self.task, TextPair):
            return self._relevance(answers, self.task.relevant_from)
        if self.task.multi_label:
            return multi_label_statistics(answers, self.targets, self.groups, self.task.threshold)
        return classification_statistics(answers, self.targets, self.groups)

    def metric(self, answers: NDArray[np.float32]) -> float:
        """Return the metric that models are compared by."""
        return self.statistics(answers)[self.task.metric].value

    def _relevance(
        self, answers: NDArray[np.float32], relevant_from: float | None
    ) -> dict[str, Statistic]:
        if self.queries is None:
            raise ValueError("pairs without the numbers of their queries")
        gains = self.targets.astype(np.float64)
        if self.class_gains is not None:
            gains = np.array(self.class_gains)[self.targets]
            relevant_from = relevant_from or max(self.class_gains)
        elif relevant_from is not None:
            relevant_from = float(np.float32(relevant_from))  # as the scores are kept
        found = relevance_statistics(
            self.ranking_scores(answers), gains, self.queries, relevant_from
        )
        if self.class_gains is None:
            if relevant_from is None:
                del found["mrr@10"]  # the single best score would be all that is relevant
            return found
        graded = classification_statistics(answers, self.targets, self.queries)
        kept = ("accuracy", "macro_f1", "calibration_error")
        return {**found, **{name: graded[name] for name in kept}}
