"""Does a file answer as the student does? If not, it is refused: never a warning."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from compress.metrics import top_k_overlap
from export.runner import Runner

TOP = 10


@dataclass(frozen=True)
class Tolerance:
    """How far a file may be from the student it was made from."""

    overlap: float
    """Least mean share of the student's top 10 that the file's top 10 has."""
    difference: float
    """Largest absolute difference of a returned item's score."""


TOLERANCES = {
    "fp32": Tolerance(overlap=0.999, difference=1e-3),
    "int8-dynamic": Tolerance(overlap=0.90, difference=1.0),
}
"""By scheme. Scores are logits: a difference of 1 is a factor of e in probability."""


@dataclass(frozen=True)
class Check:
    """What a verification saw."""

    histories: int
    overlap: float
    """Mean share of the student's top 10."""
    max_abs_difference: float
    faults: tuple[str, ...]
    """Why the file is refused, in words; empty when it is not."""


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
    answers = [runner(history[None]) for history in reference.histories]
    item_ids = np.concatenate([ids for ids, _ in answers])
    scores = np.concatenate([scores for _, scores in answers])
    return compare(item_ids, scores, reference, tolerance)


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
        return Check(count, 0.0, float("inf"), (fault,))
    if item_ids.dtype != np.int32 or scores.dtype != np.float32:
        fault = f"item_ids are {item_ids.dtype} and scores {scores.dtype}, not int32 and float32"
        return Check(count, 0.0, float("inf"), (fault,))
    codes = reference.scores.shape[1]
    real = item_ids != 0
    if not np.isfinite(scores).all():
        return Check(count, 0.0, float("inf"), ("a score is not a finite number",))
    if ((item_ids < 0) | (item_ids == 1) | (item_ids >= codes)).any():
        return Check(count, 0.0, float("inf"), ("an item id is not in the catalogue",))

    faults = []
    ordered = np.sort(np.where(real, item_ids, -np.arange(item_ids.shape[1]) - 1), axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        faults.append("an item is returned twice for one history")
    if (np.diff(scores, axis=1) > 0).any():
        faults.append("scores are not in descending order")
    if reference.mask_seen:
        rows = np.arange(count)[:, None]
        seen = np.zeros((count, codes), dtype=bool)
        seen[rows, reference.histories] = True
        if (seen[rows, item_ids] & real).any():
            faults.append("an item of the history is returned although seen items are masked")
    overlap = float(top_k_overlap(item_ids, reference.item_ids, TOP).mean())
    own = np.take_along_axis(reference.scores, item_ids, axis=1)
    differences = np.abs(scores - own)[real]
    difference = float(differences.max()) if differences.size else 0.0
    if overlap < tolerance.overlap:
        faults.append(
            f"top-{TOP} overlap with the student is {overlap:.4f}, below {tolerance.overlap}"
        )
    if difference > tolerance.difference:
        faults.append(
            f"a score differs from the student's by {difference:.3g}, "
            f"more than {tolerance.difference:g}"
        )
    return Check(count, overlap, difference, tuple(faults))
