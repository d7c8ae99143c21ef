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
from export.verification import Asked, Check, ask

PADDED_CASES = 32
"""Texts that are asked once more with padding behind them."""
TEXT_INPUT_DIFFERENCE = 1e-5
"""Most that an answer may change when the file cuts the text itself."""
LEAST_SPREAD = 1e-3
"""What scores are taken to vary by at least, as a share of the largest one."""
LEAST_SCORE = 1e-6
"""Likewise in itself, where every score is all but 0."""


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
    slack: float = 1e-3
    """How far probabilities may be from a sum of 1, and a score from the gain of its own
    probabilities, as a share of the largest gain."""


_HALF = 5e-3
"""Slack where runtimes compute in fp16: 20 roundings of 2^-12 in the sum that softmax has."""

TOLERANCES = {
    "fp32": TextTolerance(agreement=0.99, difference=1e-3, score_difference=1e-3, regret=1e-3),
    "fp16": TextTolerance(
        agreement=0.99, difference=0.02, score_difference=0.02, regret=0.02, slack=_HALF
    ),
    "int8-dynamic": TextTolerance(
        agreement=0.90, difference=0.25, score_difference=0.5, regret=0.25
    ),
    "int8-static": TextTolerance(
        agreement=0.90, difference=0.25, score_difference=0.5, regret=0.25
    ),
    "int8-weight": TextTolerance(
        agreement=0.97, difference=0.1, score_difference=0.2, regret=0.1, slack=_HALF
    ),
    "palettized-6": TextTolerance(
        agreement=0.93, difference=0.2, score_difference=0.35, regret=0.2, slack=_HALF
    ),
    "int4-weight": TextTolerance(
        agreement=0.85, difference=0.4, score_difference=0.75, regret=0.4, slack=_HALF
    ),
    "palettized-4": TextTolerance(
        agreement=0.85, difference=0.4, score_difference=0.75, regret=0.4, slack=_HALF
    ),
}
"""By scheme; see `export.ranking_verification.TOLERANCES` on where they come from."""


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


def ask_pieces(runner: Runner, samples: Samples) -> Asked:
    """Ask about each text alone, and about some once more with padding behind it.

    A file that overlooks the attention mask answers unpadded texts as it should.

    Args:
        runner: The loaded file.
        samples: N texts as pieces.
    """
    asked = ask(runner, samples)
    if samples.lengths is None:
        return asked
    short = np.flatnonzero(samples.lengths < samples.arrays["input_ids"].shape[1])
    if not len(short):
        return asked
    spread = np.unique(np.linspace(0, len(short) - 1, PADDED_CASES).astype(np.int64))
    rows = short[spread].astype(np.int64)
    whole = Samples({name: array[rows] for name, array in samples.arrays.items()})
    return replace(asked, padded=(rows, ask(runner, whole).answers))


def compare_asked(asked: Asked, reference: TextReference, tolerance: TextTolerance) -> Check:
    """Compare what was asked with and without padding with what the student answers.

    Args:
        asked: The file's answers.
        reference: The student's answers.
        tolerance: What is allowed, between padded and unpadded too: with dynamic quantization
            padding moves an activation's range.
    """
    check = compare(asked.answers, reference, tolerance)
    if check.agreement is None or asked.padded is None:
        return check
    rows, padded = asked.padded
    name = reference.main
    plain = asked.answers[name][rows]
    if name not in padded or padded[name].shape != plain.shape:
        fault = f"with padding behind a text it does not return {name} as without"
        return replace(check, faults=(*check.faults, fault))
    apart = np.abs(padded[name] - plain)
    if not (apart <= _allowed(reference, tolerance)).all():  # not a number is no less
        fault = (
            f"with padding behind a text its answer differs by {float(apart.max()):.3g} from that "
            "without: the attention mask does not keep padding out"
        )
        return replace(check, faults=(*check.faults, fault))
    return check


def compare_twins(
    check: Check,
    answers: Mapping[str, NDArray[Any]],
    piece_answers: Mapping[str, NDArray[Any]],
    reference: TextReference,
) -> Check:
    """Add to a check how a file that cuts texts itself differs from its twin that does not.

    Between the twins `TEXT_INPUT_DIFFERENCE` is allowed, whatever the scheme.

    Args:
        check: What `compare` saw of it.
        answers: Its own, by name.
        piece_answers: Its twin's.
        reference: The student's answers.
    """
    if check.agreement is None:
        return check
    count = len(reference.samples)
    differs = np.zeros(count, dtype=bool)
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
        f"for {int(differs.sum())} of {count} texts its answer is not that of the same model "
        f"given the Python tokenizer's pieces (first for text {int(differs.argmax())})"
    )
    return replace(check, faults=(*check.faults, fault))


def compare(
    answers: Mapping[str, NDArray[Any]], reference: TextReference, tolerance: TextTolerance
) -> Check:
    """Compare answers with the student's.

    Args:
        answers: By name, `[N, C]` or `[N]`.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    count = len(reference.samples)
    fault = _unusable(answers, reference)
    if fault is not None:
        return Check.failed(fault, count)
    faults = list(_contract_faults(answers, reference, tolerance.slack))
    own, given = reference.answers[reference.main], answers[reference.main]
    common = agreement(given, own, reference.target, reference.threshold)
    difference = float(np.abs(given - own).max())
    regret = _largest_regret(given, reference)
    if common < tolerance.agreement:
        faults.append(f"agreement with the student is {common:.4f}, below {tolerance.agreement}")
    allowed = _allowed(reference, tolerance)
    what = "a score" if reference.target == "score" else "a probability"
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


def _allowed(reference: TextReference, tolerance: TextTolerance) -> float:
    """Largest difference of the answer that decides."""
    if reference.target == "score":
        return tolerance.score_difference * _spread(reference.answers["score"])
    return tolerance.difference


def _spread(scores: NDArray[np.float32]) -> float:
    """Standard deviation; where all are much the same, what rounding is measured by instead."""
    size = float(np.abs(scores).max())
    return max(float(scores.std(dtype=np.float64)), LEAST_SPREAD * size, LEAST_SCORE)


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
    answers: Mapping[str, NDArray[Any]], reference: TextReference, slack: float
) -> Iterator[str]:
    """What the deploy contract forbids, whatever the scheme."""
    if reference.target == "score":
        return
    probabilities = answers["probabilities"]
    if ((probabilities < 0.0) | (probabilities > 1.0 + 1e-6)).any():
        yield "a probability is not between 0 and 1"
    sums = probabilities.sum(axis=1)
    if reference.target == "one-of" and (np.abs(sums - 1.0) > slack).any():
        yield f"probabilities sum to {sums[np.abs(sums - 1.0).argmax()]:.4f}, not to 1"
    if reference.gains is not None and "score" in answers:
        gains = np.array(reference.gains)
        apart = np.abs(answers["score"] - probabilities @ gains)
        if (apart > slack * max(1.0, float(np.abs(gains).max()))).any():
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
