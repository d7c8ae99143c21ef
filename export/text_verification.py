"""Does a file that reads text answer as the student does? If not, it is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from compress.metrics.agreement import agreement
from compress.recipe import Target
from export.runner import Runner
from export.samples import Samples
from export.verification import Check, ask_one_by_one

_SLACK = 1e-3
"""How far probabilities may be from a sum of 1, and a score from the gain of its probabilities."""
TEXT_INPUT_DIFFERENCE = 1e-5
"""Most that an answer may change when the file cuts the text itself."""


@dataclass(frozen=True)
class TextTolerance:
    """How far a file may be from the student it was made from."""

    agreement: float
    """Least share of answers in common: see `compress.metrics.agreement`."""
    difference: float
    """Largest absolute difference of a probability, for any text."""
    score_difference: float
    """Largest absolute difference of a score, in standard deviations of the student's scores."""
    regret: float
    """Most that the student's probability of the file's class may lie below that of its own; with
    any number of classes, how far from the threshold it may be for a class that the file sees
    otherwise. What a share of texts cannot hide."""


TOLERANCES = {
    "fp32": TextTolerance(agreement=0.99, difference=1e-3, score_difference=1e-3, regret=1e-3),
    "int8-dynamic": TextTolerance(
        agreement=0.90, difference=0.25, score_difference=0.5, regret=0.25
    ),
}
"""By scheme."""


@dataclass(frozen=True)
class TextReference:
    """What the PyTorch student answers."""

    samples: Samples
    """N texts as pieces."""
    answers: Mapping[str, NDArray[np.float32]]
    """`probabilities` `[N, C]`, `score` `[N]`, or both."""
    target: Target
    threshold: float = 0.5
    """Of a probability, above which an answer has the class (any-of)."""
    gains: tuple[float, ...] | None = None
    """What each grade is worth, where `score` comes with the probabilities."""

    @property
    def main(self) -> str:
        """The answer that decides."""
        return "score" if self.target == "score" else "probabilities"


def verify(runner: Runner, reference: TextReference, tolerance: TextTolerance) -> Check:
    """Call the file with each text's pieces, one text at a time as an app does, and compare.

    Args:
        runner: The loaded file.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    return compare(ask_one_by_one(runner, reference.samples), reference, tolerance)


def verify_text_input(
    runner: Runner,
    texts: Samples,
    piece_answers: Mapping[str, NDArray[Any]],
    reference: TextReference,
    tolerance: TextTolerance,
) -> Check:
    """Compare a file that cuts texts itself with the student, and with its twin that does not.

    Args:
        runner: The loaded file that takes texts.
        texts: The texts that the reference's pieces were cut from.
        piece_answers: What the same file without tokenizer answers to those pieces.
        reference: The student's answers.
        tolerance: What is allowed between file and student; between the twins it is
            `TEXT_INPUT_DIFFERENCE`.
    """
    answers = ask_one_by_one(runner, texts)
    check = compare(answers, reference, tolerance)
    if check.agreement is None:
        return check
    differs = np.zeros(len(texts), dtype=bool)
    for name in reference.answers:
        expected = piece_answers.get(name)
        if expected is None or expected.shape != answers[name].shape:
            fault = f"the same model without tokenizer does not return {name} as the student does"
            return replace(check, faults=(*check.faults, fault))
        apart = np.abs(answers[name].astype(np.float64) - expected) > TEXT_INPUT_DIFFERENCE
        differs |= apart.reshape(len(apart), -1).any(axis=1)
    if not differs.any():
        return check
    fault = (
        f"for {int(differs.sum())} of {len(texts)} texts its answer is not that of the same model "
        f"given the Python tokenizer's pieces (first for text {int(differs.argmax())})"
    )
    return replace(check, faults=(*check.faults, fault))


def compare(
    answers: Mapping[str, NDArray[Any]], reference: TextReference, tolerance: TextTolerance
) -> Check:
    """Compare answers with the student's; see `verify`.

    Args:
        answers: By name, `[N, C]` or `[N]`.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    count = len(reference.samples)
    fault = _unusable(answers, reference)
    if fault is not None:
        return Check.failed(fault, count)
    faults = list(_contract_faults(answers, reference))
    own, given = reference.answers[reference.main], answers[reference.main]
    common = agreement(given, own, reference.target, reference.threshold)
    difference = float(np.abs(given - own).max())
    regret = _largest_regret(given, reference)
    if common < tolerance.agreement:
        faults.append(f"agreement with the student is {common:.4f}, below {tolerance.agreement}")
    if reference.target == "score":
        allowed = tolerance.score_difference * float(own.std() or 1.0)
        what = "a score"
    else:
        allowed, what = tolerance.difference, "a probability"
    if difference > allowed:
        faults.append(
            f"{what} differs from the student's by {difference:.3g}, more than {allowed:.3g}"
        )
    if regret is not None and regret > tolerance.regret:
        faults.append(
            f"for some text its answer is one that the student puts {regret:.3g} below its own, "
            f"more than {tolerance.regret:g}"
        )
    return Check(count, common, difference, regret, tuple(faults))


def _unusable(answers: Mapping[str, NDArray[Any]], reference: TextReference) -> str | None:
    """What makes answers impossible to compare."""
    for name, expected in reference.answers.items():
        if name not in answers:
            return f"it does not return {name}"
        found = answers[name]
        if found.shape != expected.shape:
            return f"{name} is {found.shape} instead of {expected.shape}"
        if found.dtype != np.float32:
            return f"{name} is {found.dtype}, not float32"
        if not np.isfinite(found).all():
            return f"a number in {name} is not finite"
    return None


def _contract_faults(
    answers: Mapping[str, NDArray[Any]], reference: TextReference
) -> Iterator[str]:
    """What the deploy contract forbids, whatever the scheme."""
    if reference.target == "score":
        return
    probabilities = answers["probabilities"]
    if ((probabilities < 0.0) | (probabilities > 1.0 + 1e-6)).any():
        yield "a probability is not between 0 and 1"
    sums = probabilities.sum(axis=1)
    if reference.target == "one-of" and (np.abs(sums - 1.0) > _SLACK).any():
        yield f"probabilities sum to {sums[np.abs(sums - 1.0).argmax()]:.4f}, not to 1"
    if reference.gains is not None and "score" in answers:
        gains = np.array(reference.gains)
        apart = np.abs(answers["score"] - probabilities @ gains)
        if (apart > _SLACK * max(1.0, float(np.abs(gains).max()))).any():
            yield "a score is not the gain that its own probabilities say"


def _largest_regret(given: NDArray[np.float32], reference: TextReference) -> float | None:
    """How much worse the worst answer is in the student's own eyes."""
    if reference.target == "score":
        return None
    own = reference.answers["probabilities"]
    if reference.target == "one-of":
        chosen = np.take_along_axis(own, given.argmax(axis=1)[:, None], axis=1)[:, 0]
        return float((own.max(axis=1) - chosen).max())
    otherwise = (given > reference.threshold) != (own > reference.threshold)
    return float(np.abs(own - reference.threshold)[otherwise].max(initial=0.0))
