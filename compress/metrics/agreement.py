"""How often two models give the same answer to the same texts, whatever the true one is."""

import numpy as np
from numpy.typing import NDArray

from compress.recipe import Target


def agreement(
    answers: NDArray[np.float32],
    other: NDArray[np.float32],
    target: Target,
    threshold: float = 0.5,
) -> float:
    """Return the share of answers in common, 0...1.

    One class of several: the share of examples with the same most probable class, the first one
    among equals. Any number of classes: the share of examples with the same set of classes.
    Scores: the share of pairs of examples that both models put in the same order,
    (1 + tau) / 2 with Kendall's tau-b (Kendall 1945), as a score is there to rank by.

    Args:
        answers: `[N, C]` probabilities; scores `[N]`.
        other: The other model's, of the same shape.
        target: What an answer says.
        threshold: Of a probability, above which a set has the class.

    Raises:
        ValueError: The shapes disagree, or there are no examples.
    """
    if answers.shape != other.shape or answers.ndim != (1 if target == "score" else 2):
        raise ValueError(f"answers {answers.shape} and {other.shape} cannot be compared ({target})")
    if not len(answers):
        raise ValueError("no cases to compare answers on")
    if target == "one-of":
        return float((answers.argmax(axis=1) == other.argmax(axis=1)).mean())
    if target == "any-of":
        return float(((answers > threshold) == (other > threshold)).all(axis=1).mean())
    return _same_order(answers, other)


def _same_order(scores: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return (1 + tau-b) / 2; where a model gives all the same score, whether the other does."""
    constant = (np.ptp(scores) == 0, np.ptp(other) == 0)
    if any(constant):
        return 1.0 if all(constant) else 0.5
    from scipy.stats import kendalltau  # type: ignore[import-untyped]  # it ships no type information

    return float((1.0 + kendalltau(scores, other).statistic) / 2.0)
