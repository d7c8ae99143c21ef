"""Does a next-item file rank as the student does? If not, it is refused."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compress.metrics import top_k_overlap
from compress.tasks.item_codes import IMPOSSIBLE
from export.runner import Runner
from export.samples import Samples
from export.verification import Check, ask_one_by_one

TOP = 10


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from the student it was made from."""

    agreement: float
    """Least mean share of the student's top 10 that the file's top 10 has."""
    difference: float
    """Largest absolute difference of a returned item's score, in any history."""
    regret: float
    """Most that the student's score of the file's n-th item may lie below that of its own n-th
    item, for each n of the top 10 of each history: what a mean over histories cannot hide."""


TOLERANCES = {
    "fp32": Tolerance(agreement=0.999, difference=1e-3, regret=1e-3),
    "int8-dynamic": Tolerance(agreement=0.90, difference=1.0, regret=0.5),
}
"""By scheme. Scores are logits: a difference of 1 is a factor of e in probability."""


@dataclass(frozen=True)
class Reference:
    """What the PyTorch student answers."""

    histories: NDArray[np.int32]
    """`[N, L]`."""
    scores: NDArray[np.float32]
    """`[N, items + 2]`, by item code, nothing masked."""
    item_ids: NDArray[np.int32]
    """`[N, K]`, best first, as deployed."""
    mask_seen: bool


def verify(runner: Runner, reference: Reference, tolerance: Tolerance) -> Check:
    """Call the file with each history, one at a time as an app does, and compare.

    Args:
        runner: The loaded file.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    answers = ask_one_by_one(runner, Samples({"history": reference.histories}))
    return compare(answers["item_ids"], answers["scores"], reference, tolerance)


def compare(
    item_ids: NDArray[np.int32],
    scores: NDArray[np.float32],
    reference: Reference,
    tolerance: Tolerance,
) -> Check:
    """Compare answers with the student's; see `verify`.

    Args:
        item_ids: `[N, K]`.
        scores: `[N, K]`.
        reference: The student's answers.
        tolerance: What is allowed.
    """
    expected = reference.item_ids.shape
    count = len(reference.histories)
    if item_ids.shape != expected or scores.shape != expected:
        fault = f"item_ids {item_ids.shape} and scores {scores.shape} instead of {expected}"
        return Check.failed(fault, count)
    if item_ids.dtype != np.int32 or scores.dtype != np.float32:
        fault = f"item_ids are {item_ids.dtype} and scores {scores.dtype}, not int32 and float32"
        return Check.failed(fault, count)
    if not np.isfinite(scores).all():
        return Check.failed("a score is not a finite number", count)
    codes = reference.scores.shape[1]
    if ((item_ids < 0) | (item_ids == 1) | (item_ids >= codes)).any():
        return Check.failed("an item id is not in the catalogue", count)

    real = item_ids != 0
    faults = list(_contract_faults(item_ids, scores, reference))
    overlap = float(top_k_overlap(item_ids, reference.item_ids, TOP).mean())
    own = np.take_along_axis(reference.scores, item_ids, axis=1)
    difference = float(np.abs(scores - own)[real].max(initial=0.0))
    regret = _largest_regret(own, item_ids, reference)
    if overlap < tolerance.agreement:
        faults.append(
            f"top-{TOP} overlap with the student is {overlap:.4f}, below {tolerance.agreement}"
        )
    if difference > tolerance.difference:
        faults.append(
            f"a score differs from the student's by {difference:.3g}, "
            f"more than {tolerance.difference:g}"
        )
    if regret > tolerance.regret:
        faults.append(
            f"for some history an item of the top {TOP} is one that the student scores "
            f"{regret:.3g} below its own, more than {tolerance.regret:g}"
        )
    return Check(count, overlap, difference, regret, tuple(faults))


def _contract_faults(
    item_ids: NDArray[np.int32], scores: NDArray[np.float32], reference: Reference
) -> Iterator[str]:
    """What the deploy contract forbids, whatever the scheme."""
    real = item_ids != 0
    ordered = np.sort(np.where(real, item_ids, -np.arange(item_ids.shape[1]) - 1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        yield "an item is returned twice for one history"
    if (np.diff(scores, axis=1) > 0).any():
        yield "scores are not in descending order"
    if (real != (reference.item_ids != 0)).any():
        yield "a history has more or fewer items returned than the student returns"
    if (scores[~real] != IMPOSSIBLE).any():
        yield f"where no item is returned a score is not {IMPOSSIBLE:g}"
    if reference.mask_seen:
        rows = np.arange(len(item_ids))[:, None]
        seen = np.zeros((len(item_ids), reference.scores.shape[1]), dtype=bool)
        seen[rows, reference.histories] = True
        if (seen[rows, item_ids] & real).any():
            yield "an item of the history is returned although seen items are masked"


def _largest_regret(
    own: NDArray[np.float32], item_ids: NDArray[np.int32], reference: Reference
) -> float:
    """How far the student's scores of the file's top items lie below those of its own."""
    best = np.take_along_axis(reference.scores, reference.item_ids, axis=1)[:, :TOP]
    given = -np.sort(-own[:, :TOP], axis=1)
    both = (item_ids[:, :TOP] != 0) & (reference.item_ids[:, :TOP] != 0)
    return float((best - given)[both].max(initial=0.0))
